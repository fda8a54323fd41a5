import hashlib
import json
import re

import numpy as np
import pytest
from clumpscope.inspect.pages import STATIC, cells, number, plain, script, write_page

HOSTILE = "</script><script>alert(1)</script><!--\u2028\"'`${x}\n\U0001f52d" + "x" * 10000


def test_text_stays_text_in_scripts():
    text = script("index", {"comment": HOSTILE, HOSTILE: 1})
    body = text[text.index('{"') : text.rindex(";")]
    assert text.isascii() and not re.search(r"[<>&\u2028]", text.split("= ", 1)[1])
    assert json.loads(body) == {"comment": HOSTILE, HOSTILE: 1}
    assert text.count("\n") == 1


def test_text_stays_text_in_pages(tmp_path):
    for template, values in (
        ("galaxy.html.j2", {"galaxy": HOSTILE}),
        ("index.html.j2", {}),
        ("catalogue.html.j2", {}),
    ):
        write_page(tmp_path / "page.html", template, {"field": HOSTILE, **values})
        page = (tmp_path / "page.html").read_text()
        assert "<script>" not in page and "alert(1)</" not in page.replace("alert(1)&lt;/", "")
        # Scripts come from files of ours alone, and the page says so to the browser.
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
        assert "default-src 'none'" in page and "unsafe" not in page
        for source in re.findall(r'(?:src|href)="(static/[^"]+)"', page):
            assert (STATIC.parent / source).is_file(), source


def test_scripts_make_no_markup():
    for path in STATIC.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
        ), path


def test_libraries_are_pinned_and_licensed():
    note = (STATIC / "vendor" / "README.md").read_text()
    files = [
        path
        for path in (STATIC / "vendor").rglob("*")
        if path.is_file() and path.name not in ("README.md", "LICENSE")
    ]
    assert sum(path.stat().st_size for path in files) < 1e6
    for path in files:
        assert (path.parent / "LICENSE").is_file()
        assert hashlib.sha256(path.read_bytes()).hexdigest() in note, path


@pytest.mark.parametrize(
    ("value", "found"),
    [(np.float32(1.23456789), 1.2346), (np.nan, None), (np.inf, None), (np.int64(3), 3), (np.bool_(True), True), (np.str_("a"), "a"), (np.ma.masked, None)],
)  # fmt: skip
def test_cells(value, found):
    assert plain(value) == found and type(plain(value)) is type(found)


def test_several_values_of_a_clump_are_words():
    """As of the magnifications of several lens models, one of which does not reach a clump."""
    models = np.array([[3.14159, np.nan], [2.0, 2.71828]])
    assert cells(models, 3) == ["3.14, -", "2.0, 2.72"]
    assert cells(np.ma.masked_invalid(models), 3) == ["3.14, -", "2.0, 2.72"]


def test_digits():
    assert number(123456.789, 4) == 123500.0
