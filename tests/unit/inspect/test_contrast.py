"""Text of the pages against what is behind it: WCAG 2.1, success criterion 1.4.3 (4.5 to 1 for text)."""

import re

import numpy as np
from conftest import ROOT

STYLE = (ROOT / "workflow/clumpscope/inspect/static/style.css").read_text()
NAMES = dict(re.findall(r"--(\w+): (#\w+);", STYLE))
# Where text of a rule that sets its colour alone stands: the dark half of a galaxy's page, or the page.
DARK = (".images", ".tools", ".tile", ".pictures", ".strip", ".readout")


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    rgb = np.array([int(digits[k : k + 2], 16) for k in (0, 2, 4)]) / 255.0
    return float(
        np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    )


def contrast(first: str, second: str) -> float:
    low, high = sorted(map(luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


def texts():
    """Selector, colour and background of every rule that sets the colour of text."""
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", STYLE):
        selector = selector.strip()
        colour = re.search(r"(?<![-\w])color:\s*([^;}!]+)", body)
        if not colour or "disabled" in selector:
            continue
        behind = re.search(r"background(?:-color)?:\s*(#\w+|var\(--\w+\))", body)
        dark = any(word in selector for word in DARK)
        yield selector, colour[1].strip(), behind[1] if behind else "var(--night)" if dark else "var(--paper)"


def plain(colour: str) -> str | None:
    name = re.fullmatch(r"var\(--(\w+)\)", colour)
    colour = NAMES[name[1]] if name else colour
    return colour if colour.startswith("#") else None


def test_known_contrasts():
    assert contrast("#000", "#fff") == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_text_can_be_read():
    found = [(selector, plain(colour), plain(behind)) for selector, colour, behind in texts()]
    found = [row for row in found if row[1] and row[2]]
    assert len(found) >= 12
    assert [(s, c, b, round(contrast(c, b), 2)) for s, c, b in found if contrast(c, b) < 4.5] == []
