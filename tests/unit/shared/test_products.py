"""The table of products against the rules that make them, and against what takes them up."""

import re
from dataclasses import fields

import pytest
from clumpscope.figures.registry import FIGURES
from clumpscope.products import FIELDS_WITH, PRODUCTS
from clumpscope.report import FieldInputs
from conftest import ROOT


def made_by_rules() -> list[re.Pattern]:
    """Outputs of all rules as regular expressions."""
    found = []
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.findall(r"\n    output:\n((?:        .*\n)+)", path.read_text()):
            for output in re.findall(r'"results/\{+field\}+/([^"]+)"', block):
                found.append(re.compile(".+".join(map(re.escape, re.split(r"\{+\w+\}+", output)))))
    return found


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_rule_makes_it(name):
    path = PRODUCTS[name].path.replace("{host_batch}", "one/0")
    path = re.sub(r"{\w+}", "one", path)
    assert any(pattern.fullmatch(path) for pattern in made_by_rules()), PRODUCTS[name].path


def test_figures_are_drawn_from_products():
    # Published masses and further samples are tables of the user.
    drawn = {key for figure in FIGURES.values() for key in (*figure.needs, *figure.wants)}
    assert drawn - {"published", "samples"} == {
        name for name, product in PRODUCTS.items() if product.used("figures")
    } - {"published", "samples"}


def test_the_report_knows_what_it_is_given():
    shown = [product.shown_as for product in PRODUCTS.values() if product.shown_as]
    assert len(set(shown)) == len(shown) and set(shown) <= {one.name for one in fields(FieldInputs)}


def test_fields_and_uses_are_known():
    assert {product.of for product in PRODUCTS.values()} == set(FIELDS_WITH)
    uses = {word.partition(":")[0] for product in PRODUCTS.values() for word in product.uses.split()}
    assert uses == {"run", "figures", "link", "report"}


def test_the_front_page_names_products():
    table = re.findall(r"^\|.*`results/\{field\}/([^`]+)`", (ROOT / "README.md").read_text(), flags=re.M)
    known = [re.sub(r"{\w+}", "*", product.path) for product in PRODUCTS.values()]
    assert len(table) > 5
    for path in table:
        plain = re.sub(r"{\w+}", "*", path)
        assert any(one.startswith(plain) if plain.endswith("/") else one == plain for one in known), path
