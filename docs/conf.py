"""How the documentation's pages become a site: `make docs`. Its sources lie where GitHub shows them, so the root is the checkout's."""

import re
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

import clumpscope  # noqa: E402

project = "Clumpscope"
author = "The Clumpscope developers"
release = clumpscope.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "docs/index"
include_patterns = ["docs/**", "*.md", "config/README.md", "workflow/README.md", "resources/**"]
# Not walked through: what runs and environments leave in a checkout.
exclude_patterns = [".*", "build", "dist", "downloads", "results", "tests"]

nitpicky = True
# Other projects' names cannot be looked up without a network.
nitpick_ignore_regex = [(r"py:.*", r"(?!clumpscope).*")]

myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"Clumpscope {release}"
html_extra_path = ["site"]
html_show_sourcelink = False
html_copy_source = False


def leave_out_diagrams(app: Sphinx, name: str, source: list[str]) -> None:
    """Take out what GitHub draws and a page without a network cannot."""
    source[0] = re.sub(r"```mermaid\n.*?```\n", "", source[0], flags=re.S)


def setup(app: Sphinx) -> None:
    """Prepare the pages' sources."""
    app.connect("source-read", leave_out_diagrams)
    app.add_lexer("rooms", TextLexer)
