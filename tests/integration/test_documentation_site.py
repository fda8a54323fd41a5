"""The documentation's site is built without a network and without a warning, and has what a reader looks for."""

import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
from conftest import ROOT

ROOMS = ("lensing", "photometry", "sed", "mock", "report")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy")}
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", "docs", "-d",
               str(folder / "doctrees"), ".", str(folder / "html")]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=os.environ | nowhere
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def test_every_page_of_the_documentation_is_in_the_contents(site):
    contents = (site / "docs/index.html").read_text()
    pages = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md") if path.name != "index.md"]
    assert len(pages) > 10
    for page in [*map(str, pages), "README.md", "CONTRIBUTING.md", "config/README.md", "workflow/README.md"]:
        target = os.path.relpath(page, "docs").removesuffix(".md") + ".html"
        assert f'href="{target}"' in contents, page


def test_every_public_name_is_described(site):
    described = (site / "docs/api.html").read_text()
    for room in ROOMS:
        for name in import_module(f"clumpscope.{room}").__all__:
            assert f'id="clumpscope.{room}.{name}"' in described, (room, name)


def test_pages_load_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*src=\"([^\"]+)\"", page.read_text())
        loaded += re.findall(r"<link[^>]*rel=\"stylesheet\"[^>]*href=\"([^\"]+)\"", page.read_text())
        assert not [address for address in loaded if "//" in address], page


def test_a_broken_link_is_refused(tmp_path):
    (tmp_path / "index.md").write_text("# A\n\n[gone](nowhere.md) {py:func}`clumpscope.sed.fit_nothing`\n")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", str(ROOT / "docs"),
               "-D", "root_doc=index", "-D", "include_patterns=index.md", "-D", "html_extra_path=", ".", "out"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "nowhere.md" in done.stderr and "fit_nothing" in done.stderr
