import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.config import field_settings
from clumpscope.errors import InputError
from clumpscope.flags import bit
from clumpscope.injection.products import injection_tables
from clumpscope.population.products import population_tables
from clumpscope.report import FieldInputs, build, provenance, what_is_there, write_provenance
from clumpscope.report.counting import flag_counts, headline, selection_counts
from clumpscope.report.provenance import code_commit, remarks_on_results
from clumpscope.report.tables import (
    completeness_table,
    correlation_table,
    injection_table,
    median_table,
    number,
    psf_table,
    published_table,
    recovery_table,
    slope_table,
)
from clumpscope.tables import write_table
from unit.injection.injected_samples import injected_sample
from unit.population.synthetic_population import make_field

PIXEL = bytes.fromhex(  # a valid PNG of one pixel
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da63fcffff3f030005fe02fea72d1e4c0000000049454e44ae426082"
)
SELECTION = Table(
    {
        "id": ["a", "b", "c", "d"],
        "selected": [True, False, False, False],
        "reason": ["", "mu = 1.329, not above 2", "mu = 1.9, not above 2", "on the reject list"],
    },
    meta={"doubts": ["sci.fits (F277W): sources <lie> elsewhere"]},
)


class Page(HTMLParser):
    """What a browser would load or follow, and whether tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.links, self.sources, self.open, self.anchors = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)
        self.links += [attrs["href"]] if "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []
        self.anchors |= {attrs["id"]} if "id" in attrs else set()
        assert tag not in ("script", "link", "iframe")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """Products of one field on disk, as the workflow leaves them."""
    folder = tmp_path_factory.mktemp("results")
    field = make_field(20)
    catalogue, own = field.catalogue(), folder / "mock <&> field"
    write_table(catalogue, own / "catalogue.ecsv", fits=True)
    write_table(SELECTION, own / "selection.ecsv")
    population = {}
    for name, table in population_tables(catalogue, field.hosts, field.galaxies).items():
        population[name] = own / "population" / f"{name}.ecsv"
        write_table(table, population[name])
    figures = []
    for name in ("unheard_of", "mass_function", "luminosity_size"):
        figures.append(own / "figures" / f"{name}.png")
        figures[-1].parent.mkdir(exist_ok=True)
        figures[-1].write_bytes(PIXEL)
    (folder / "input.txt").write_text("abc")
    config = {"run": {"seed": 7}, "fields": {"mock": {"photometry": "/home/someone/secret/table.csv"}}}
    write_provenance(provenance(config, {}, [folder / "input.txt"]), folder / "provenance.json")
    inputs = FieldInputs(
        "mock <&> field", "imaging", own / "catalogue.ecsv", own / "selection.ecsv", population, figures
    )
    return folder, inputs, catalogue


def test_the_page_is_whole_and_needs_nothing_from_outside(products):
    folder, inputs, _ = products
    build([inputs], folder / "provenance.json", folder / "report.html")
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert len(page.sources) == 3 and all(
        source.startswith("data:image/png;base64,") for source in page.sources
    )
    assert not re.search(r"https?://", text) and "url(" not in text
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.anchors
        else:
            assert not link.startswith("/")
    linked = [
        link for link in page.links if link.endswith((".ecsv", ".fits", ".json")) and "figures" not in link
    ]
    assert len(linked) >= 13 and all((folder / link).exists() for link in linked)
    assert '<li class="note">sci.fits (F277W): sources &lt;lie&gt; elsewhere</li>' in text
    assert "<&>" not in text and "mock &lt;&amp;&gt; field" in text
    assert str(folder) not in text and "/home/someone" not in text


@pytest.mark.parametrize("commit", ["0123abcd with changes", None])
def test_the_page_names_the_commit_where_git_has_one(products, tmp_path, commit):
    """A copy without git, out of an archive, has none."""
    folder, inputs, _ = products
    record = json.loads((folder / "provenance.json").read_text())
    record["clumpscope"].pop("commit", None)
    record["clumpscope"] |= {"commit": commit} if commit else {}
    (tmp_path / "provenance.json").write_text(json.dumps(record))
    build([inputs], tmp_path / "provenance.json", tmp_path / "report.html")
    assert (", commit 0123abcd with changes." in (tmp_path / "report.html").read_text()) == bool(commit)


def test_figures_come_in_the_order_of_the_registry_with_their_captions(products):
    folder, inputs, _ = products
    build([inputs], folder / "provenance.json", folder / "report.html")
    text = (folder / "report.html").read_text()
    from clumpscope.figures.registry import FIGURES

    expected = [name for name in FIGURES if name in ("luminosity_size", "mass_function")] + ["unheard_of"]
    assert re.findall(r'<figure id="[^"]*-(\w+)">', text) == expected
    assert "Cumulative clump mass function" in text


def test_the_same_products_give_the_same_bytes(products):
    folder, inputs, _ = products
    pages = []
    for name in ("one.html", "two.html"):
        build([inputs], folder / "provenance.json", folder / name)
        pages.append((folder / name).read_bytes())
    assert pages[0] == pages[1]


def test_numbers_at_the_head(products):
    _, _, catalogue = products
    cells = {name: (value, text) for value, name, text in headline(catalogue, SELECTION)}
    assert cells["galaxies selected"] == ("1", "of 4 in the catalogue")
    assert cells["clumps"][0] == str(len(catalogue))
    counted = int(cells["in statistics"][0])
    excluded = (catalogue["flags"] & (bit("few_bands", "duplicate_image"))) != 0
    assert counted == np.sum(~excluded) < len(catalogue)
    assert cells["median magnification"][0] == f"{np.median(catalogue['mu'][~excluded]):.1f}"


def test_a_field_without_clumps_has_a_page(products):
    folder, inputs, catalogue = products
    write_table(catalogue[:0], folder / "empty" / "catalogue.ecsv")
    empty = FieldInputs("empty", "photometry", folder / "empty" / "catalogue.ecsv")
    build([inputs, empty], folder / "provenance.json", folder / "both.html")
    text = (folder / "both.html").read_text()
    assert Page(text).open == [] and 'id="empty"' in text and "No clump carries a flag" in text


def test_selection_reasons_are_counted_without_their_numbers():
    assert selection_counts(SELECTION) == [("selected", 1), ("mu, not above 2", 2), ("on the reject list", 1)]
    wide = Table({"selected": [False], "reason": ["(z84 - z16) / 2 = 0.700, not below 0.5"]})
    assert selection_counts(wide) == [("(z84 - z16) / 2, not below 0.5", 1)]


def test_flags_are_counted_with_their_meaning():
    table = Table({"flags": [bit("blended"), bit("blended", "near_critical"), 0, 0]})
    rows = {row["name"]: row for row in flag_counts(table)}
    assert rows["blended"]["n"] == 2 and rows["blended"]["share"] == 0.5 and not rows["blended"]["excludes"]
    assert rows["near_critical"]["excludes"] and set(rows) == {"blended", "near_critical"}


def test_numbers_are_written_for_readers():
    assert number(-1.234) == "−1.23" and number(np.nan) == "–"
    correlations = Table(
        {"x": ["log_ssfr"] * 2, "y": ["log_f_cl"] * 2, "r": [0.5, 0.9], "p": [0.012, 2e-12], "n": [9, 9]}
    )
    assert [row[3] for row in correlation_table(correlations).rows] == ["0.012", "< 10⁻¹¹"]


def test_medians_carry_their_errors_and_counts(products):
    _, _, catalogue = products
    medians = population_tables(catalogue)["medians"]
    table = median_table(medians)
    row = next(row for row in table.rows if row[0].startswith("log M★"))
    whole = medians[(medians["property"] == "log_mass_p50") & ~np.isfinite(medians["z_low"])][0]
    expected = f"{whole['median']:.2f} +{whole['err_hi']:.2f} −{whole['err_lo']:.2f} ({whole['n']})"
    assert row[1] == expected and table.heads[2] == "0.7 ≤ z < 1.5"


def test_what_is_empty_repeated_or_no_rate_is_not_shown():
    medians = Table(
        {
            "property": ["log_sfr10_p50"] * 3, "z_low": [-np.inf, 0.5, 1.5], "z_high": [np.inf, 1.5, 2.5], "n": [9, 9, 0],
            "median": [-16.8, 0.1, np.nan], "err_lo": [6.0, 11.0, np.nan], "err_hi": [2.0, 0.2, np.nan],
        }
    )  # fmt: skip
    table = median_table(medians)
    assert table.heads == ("median (clumps)", "all", "0.5 ≤ z < 1.5")
    assert table.rows[0][1:] == ("< −6 (9)", "0.10 +0.20, down to < −6 (9)")
    row = [np.nan, np.nan, 5, 7.0, "turnover", 3, -1.0, 0.2]
    names = ["low", "high", "n", "log_mass_limit", "limit_source", "n_above_limit", "slope", "slope_err"]
    slopes = Table(rows=[["redshift", *row], ["magnification", *row]], names=["by", *names])
    assert [cells[0] for cells in slope_table(slopes).rows] == ["all"]


def test_doubts_about_settings_are_shown_with_their_field(products):
    folder, inputs, _ = products
    record = json.loads((folder / "provenance.json").read_text())
    record["doubts"] = {inputs.name: ["3 filters for <5> parameters"], "another": ["not this"]}
    (folder / "doubts.json").write_text(json.dumps(record))
    build([inputs], folder / "doubts.json", folder / "doubts.html")
    page = (folder / "doubts.html").read_text()
    shown = page.partition('<ul class="doubts">')[2].partition("</ul>")[0]
    assert "3 filters for &lt;5&gt; parameters" in shown and "elsewhere" in shown and "not this" not in shown


def test_galaxies_are_linked(products):
    folder, inputs, _ = products
    own = replace(
        inputs,
        inspection=folder / "f/inspect/index.html",
        galaxies={"<g>": {"page": folder / "f/inspect/g.html"}},
    )
    build([own], folder / "provenance.json", folder / "linked.html")
    page = Page((folder / "linked.html").read_text())
    assert page.open == [] and {"f/inspect/index.html", "f/inspect/g.html"} <= set(page.links)
    assert "&lt;g&gt;" in (folder / "linked.html").read_text()


def test_a_run_that_failed_has_a_page_of_what_it_made(products):
    folder, inputs, _ = products
    lost = {
        "catalogue": folder / "nowhere" / "catalogue.ecsv",
        "injection": {"recovery": folder / "nowhere" / "recovery.ecsv"},
    }
    found = what_is_there(replace(inputs, **lost, galaxies={"g": {"page": folder / "nowhere" / "g.html"}}))
    assert (
        found.catalogue is None
        and found.injection == {}
        and found.selection == inputs.selection
        and len(found.missing) == 3
    )
    build(
        [found, what_is_there(FieldInputs("bare", "imaging", selection=folder / "none.ecsv"))],
        folder / "provenance.json",
        folder / "partial.html",
    )
    text = (folder / "partial.html").read_text()
    assert Page(text).open == [] and "3 products are missing" in text and "nowhere/recovery.ecsv" in text
    assert "galaxies selected" in text and "Cumulative clump mass function" in text
    assert what_is_there(inputs).missing == []


def test_missed_goals_are_marked():
    summary = Table(
        {
            "quantity": ["flux_ratio", "mu_ratio", "n_true"], "value": [1.01, 1.2, 40.0], "n": [40, 40, 40],
            "goal_low": [0.95, 0.98, np.nan], "goal_high": [1.05, 1.02, np.nan], "met": ["true", "false", ""],
            "meaning": ["flux", "magnification", "number"],
        }
    )  # fmt: skip
    table = recovery_table(summary)
    assert table.marks == ("good", "bad", "") and table.rows[1] == (
        "magnification",
        "1.200",
        "40",
        "0.98 to 1.02",
    )


def test_injected_clumps_have_their_limits_and_their_recovery(products):
    folder, inputs, _ = products
    sample = injected_sample(800)
    conditions = Table({name: [1.0] for name in ("flux_njy", "depth_ratio", "width", "host_over_noise")})
    paths = {}
    for name, table in injection_tables([sample], [conditions]).items():
        paths[name] = folder / "injection" / f"{name}.ecsv"
        write_table(table, paths[name])
    limits = completeness_table(Table.read(paths["completeness_limits"]))
    assert len(limits.rows) == 8 and {row[1] for row in limits.rows} == {"point source", "σ = 2 px"}
    recovery = injection_table(Table.read(paths["recovery"]))
    assert {row[0] for row in recovery.rows} == {"all", "point source", "σ = 2 px"}
    build([replace(inputs, injection=paths)], folder / "provenance.json", folder / "injected.html")
    text = (folder / "injected.html").read_text()
    assert limits.title in text and recovery.title in text and 'href="injection/completeness.ecsv"' in text


def test_published_values_stand_beside_ours():
    names = [f"{who}{end}" for who in ("published", "ssp", "reference") for end in ("_lo", "", "_hi")]
    cells = dict(zip(names, [1.0, 1.5, 2.0, 0.2, np.nan, 4.8, *[np.nan] * 3], strict=True))
    rows = Table(
        {
            "quantity": ["age"],
            "unit": ["dex(Msun)"],
            "n": [3],
            "reason": ["because"],
            **{k: [v] for k, v in cells.items()},
        }
    )
    assert published_table(rows).rows == (
        ("age [M☉]", "1.50 (1.00 to 2.00)", "(0.20 to 4.80)", "–", "because"),
    )


def test_provenance_says_what_went_in(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    config = {
        "run": {"seed": 7},
        "fields": {"f": {"images": ["/data/x/a.fits", "rel/b.fits"], "redshift": 0.39}},
    }
    record = provenance(config, {"f": field_settings(config, "f")}, [tmp_path / "a.txt"])
    # SHA-256 of "abc" is a published test vector (FIPS 180-2, appendix B.1).
    assert record["inputs"]["a.txt"] == {
        "bytes": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }
    assert record["seed"] == 7 and record["packages"]["numpy"] == np.__version__
    assert record["config"]["fields"]["f"] == {"images": ["a.fits", "rel/b.fits"], "redshift": 0.39}
    # What the configuration leaves to the defaults is said too.
    assert (
        record["settings"]["f"]["sed"]["error_floor"] == 0.05 and record["settings"]["f"]["run"]["seed"] == 7
    )
    text = json.dumps(record)
    assert str(tmp_path) not in text and "/data" not in text
    assert not re.search(r"\d{4}-\d\d-\d\d[T ]\d\d:", text)


def test_provenance_is_the_same_every_time(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    (tmp_path / "b.txt").write_bytes(b"def")
    digests = set()
    for order in (["a.txt", "b.txt"], ["b.txt", "a.txt", "b.txt"]):
        record = provenance({"run": {"seed": 1}}, {}, [tmp_path / name for name in order])
        write_provenance(record, tmp_path / "p.json")
        digests.add(hashlib.sha256((tmp_path / "p.json").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_commit_is_that_of_the_code(tmp_path):
    """Whatever else is committed or lies about; no git, and a folder that git does not have, are no error."""
    package = tmp_path / "workflow" / "clumpscope"
    package.mkdir(parents=True)
    (package / "a.py").write_text("a = 1\n")

    def git(*words):
        own = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", tmp_path, *own, *words], check=True, capture_output=True, text=True
        ).stdout

    assert code_commit(package) is None
    git("init", "-q")
    assert code_commit(package) is None
    git("add", ".")
    git("commit", "-qm", "code")
    first = git("rev-parse", "HEAD").strip()
    (tmp_path / "notes.txt").write_text("notes")
    assert code_commit(package) == first
    git("add", ".")
    git("commit", "-qm", "notes")
    assert code_commit(package) == first != git("rev-parse", "HEAD").strip()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.smk").write_text("rule a:\n")
    assert code_commit(package) == f"{first} with changes"
    (tmp_path / ".gitignore").write_text("elsewhere")
    (tmp_path / "elsewhere" / "deep" / "down").mkdir(parents=True)
    assert code_commit(tmp_path / "elsewhere" / "deep" / "down") is None


def test_inputs_that_cannot_be_recorded_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        provenance({}, {}, [tmp_path / "missing.fits"])
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.fits").write_bytes(b"")
    with pytest.raises(InputError, match="same name"):
        provenance({}, {}, [tmp_path / "x" / "same.fits", tmp_path / "y" / "same.fits"])


def test_results_of_other_code_and_configurations_are_told(tmp_path, monkeypatch):
    path = tmp_path / "provenance.json"

    def told(*fields, settings=None):
        return remarks_on_results(path, {"fields": {name: {} for name in fields}}, settings or {})

    assert told("a") == []
    write_provenance(provenance({"fields": {"a": {}, "b": {}}}, {}, []), path)
    assert told("c", "b", "a") == []
    (text,) = told("a")
    assert "another configuration (b) and will be replaced" in text
    module = sys.modules[remarks_on_results.__module__]
    monkeypatch.setattr(module, "code_digest", lambda: "of another day")
    (text,) = told("a", "b")
    assert "another version of Clumpscope's code" in text


def test_results_of_other_values_in_the_same_folder_are_told(tmp_path):
    """Whatever in a field's inputs or settings is not what its results were made with; where files lie is no difference."""
    path = tmp_path / "provenance.json"
    field = {"images": {"F150W": {"sci": str(tmp_path / "a.fits"), "unit": "nJy"}}, "sed": {"priors": "log"}}
    settings = {"sed": {"priors": "log", "draws": 10}, "run": {"seed": 1}}
    write_provenance(provenance({"fields": {"a": field}}, {"a": settings}, []), path)

    def told(field, settings):
        return remarks_on_results(path, {"fields": {"a": field}}, {"a": settings})

    moved = {"images": {"F150W": {"sci": "/elsewhere/a.fits", "unit": "nJy"}}}
    assert told(field, settings) == told(moved, settings) == []
    other = {"images": {"F150W": {"sci": "a.fits", "unit": "uJy"}, "F444W": {"sci": "b.fits"}}, "redshift": 1}
    (text,) = told(other, settings | {"sed": {"priors": "paper", "draws": 10}, "run": {"seed": 2}})
    named = "images.F150W.unit, images.F444W, redshift, run.seed, sed.priors"
    assert f"field a here were made with other values of {named}: " in text
    (text,) = told({**other, "stars": "s", "edits": "e"}, {**settings, "run": {"seed": 2}})
    assert "and 1 more" in text


def test_what_is_to_be_known_of_psfs_reaches_the_reader(products):
    psfs = Table(
        {
            "filter": ["F115W", "F444W"],
            "fwhm_arcsec": [0.066, 0.174],
            "sampling_px": [1.65, 4.35],
            "oversampling": [1.0, 4.0],
            "source": ["given", "stars"],
            "n_stars": [0, 12],
            "fwhm_low": [1.0, 0.92],
            "fwhm_high": [1.0, 1.06],
            "flux_error": [0.0, 0.023],
            "notes": ["FWHM of 1.65 px on whole pixels", ""],
        }
    )
    table = psf_table(psfs)
    assert table.rows[0][-1] == "FWHM of 1.65 px on whole pixels" and table.marks == ("bad", "")
    assert "12 stars" in table.rows[1] and "2.3 %" in table.rows[1]
    assert table.rows[0][2] == "the same" and table.rows[1][2] == "-8 to +6 %"
    folder, inputs, _ = products
    psfs.meta["doubts"] = ["PSF of F115W: 3 sources are sharper than it"]
    write_table(psfs, folder / "psf.ecsv")
    build([replace(inputs, psfs=folder / "psf.ecsv")], folder / "provenance.json", folder / "doubted.html")
    assert (
        '<li class="note">PSF of F115W: 3 sources are sharper than it</li>'
        in (folder / "doubted.html").read_text()
    )
