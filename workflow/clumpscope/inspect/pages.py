"""How pages and their data are written: data as scripts that set one variable, names as text."""

import json
import math
import os
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ..files import replacing

__all__ = ["STATIC", "cells", "copy_static", "number", "plain", "script", "write_page", "write_script"]

STATIC = Path(str(resources.files(__package__))) / "static"
"""Style, scripts and the libraries that pages use."""


def number(value: Any, digits: int = 5) -> float | None:
    """A number of so many significant digits; None where there is none."""
    if np.ma.is_masked(value) or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def plain(value: Any) -> Any:
    """A cell of a table as JSON has it: text, truth, whole number, number, or None."""
    if np.ma.is_masked(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return number(value)
    return str(value)


def cells(column: Any, digits: int = 5) -> list[Any]:
    """All cells of a column as `plain` has them, numbers with so many digits; several values of one row are words."""
    if np.ndim(column) > 1:
        return [", ".join("-" if one is None else str(one) for one in cells(row, digits)) for row in column]
    missing = np.ma.getmaskarray(column)
    return [
        None if gone else number(cell, digits) if isinstance(cell, float) else plain(cell)
        for cell, gone in zip(np.ma.getdata(column).tolist(), missing, strict=True)
    ]


def script(name: str, value: Any) -> str:
    """A script that sets ``clumpscope.{name}``; whatever text is in the value, it is data and nothing else.

    Everything beyond ASCII, and the characters with a meaning in HTML, are written as escapes.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"(window.clumpscope = window.clumpscope || {{}}).{name} = {text};\n"


def write_script(path: str | os.PathLike, **values: Any) -> None:
    """Write scripts of several values into one file."""
    with replacing(path) as temporary:
        temporary.write_text("".join(script(name, value) for name, value in values.items()), encoding="ascii")


def write_page(path: str | os.PathLike, template: str, values: Mapping[str, Any]) -> None:
    """Write a page of a template; values are escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(STATIC.parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template(template).render(values)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def copy_static(folder: str | os.PathLike) -> None:
    """Copy style, scripts and libraries with their licences, in place of what a former version left."""
    with replacing(folder) as temporary:
        shutil.copytree(STATIC, temporary)
        if Path(folder).exists():
            shutil.rmtree(folder)
