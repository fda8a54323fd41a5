"""The text of Lenstool's parameter files: sections, reference position, cosmology."""

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...cosmology import COSMOLOGY
from ...errors import InputError

if TYPE_CHECKING:
    from astropy.cosmology import FLRW

__all__ = [
    "Section",
    "changed_cosmology",
    "cosmology_of",
    "n_potentials",
    "number_of",
    "position",
    "read_sections",
    "reference_of",
]

# Newer versions speak English.
_KEYWORDS = {
    "profile": "profil", "ellipticity": "ellipticite", "exposant": "alpha", "exponent": "alpha",
    "scale_radius": "core_radius", "scale_radius_kpc": "core_radius_kpc", "re": "core_radius",
    "re_kpc": "core_radius_kpc", "virial_radius": "cut_radius", "r200": "cut_radius",
    "virial_radius_kpc": "cut_radius_kpc", "r200_kpc": "cut_radius_kpc", "virial_mass": "masse", "m200": "masse",
    "mass": "masse", "concentration": "beta", "c": "beta", "sigma_e": "v_disp", "z_lens": "zlens",
    "omega": "omegaM", "lambda": "omegaX", "w0": "wX", "nlens": "nlentille",
}  # fmt: skip
# Lenstool knows a section by its first letters, and skips lines that open none (init_grille.c): old versions wrote
# their results there, without a '#'.
_SECTION = re.compile(
    r"(?P<potentiel>potent)|(?P<cosmologie>cosmolog)|(?P<grille>grille|grid)|potfile|limit|runmode|image|source$|cline$"
    r"|cosmolimit|grande|champ$|observ|cleanlens|shapemodel|shapelimit|multis|dynfile|vfield"
)
# Keys of a potential that are read.
_POTENTIAL_KEYS = (
    "profil", "x_centre", "y_centre", "x_centre_wcs", "y_centre_wcs", "ellipticite", "ellip_pot", "gamma", "kappa", "angle_pos",
    "core_radius", "core_radius_kpc", "cut_radius", "cut_radius_kpc", "v_disp", "masse", "beta", "alpha", "mag", "zlens",
)  # fmt: skip
# Words that open a section, or end the file, and are no key of any section.
_NO_KEY = re.compile(r"potent\w\w|potfile|cosmolog|limit$|runmode|fini")


@dataclass(frozen=True)
class Section:
    """A block of a parameter file.

    Attributes
    ----------
    keyword, name : str
        First word of its first line, and the others.
    lines : dict of str to list of str
        The words of every line by the first, in Lenstool's older spelling.
    where : str
        The file, for messages.
    """

    keyword: str
    name: str
    where: str
    lines: dict[str, list[str]] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        return key in self.lines

    @property
    def place(self) -> str:
        """The file and section, for messages."""
        return f"{self.where}, {self.keyword} {self.name}".rstrip()

    def number(self, key: str, default: float | None = None, word: int = 0) -> float:
        """Number after `key`, the first or another word; `default` where the key is missing."""
        if key not in self.lines:
            if default is None:
                raise InputError(self.place, f"keys {', '.join(self.lines)}", f"a key {key!r}")
            return default
        words = self.lines[key]
        try:
            value = number_of(words[word])
        except (IndexError, ValueError):
            raise InputError(self.place, f"{key} {' '.join(words)}", f"a number after {key}") from None
        if not np.isfinite(value):
            raise InputError(self.place, f"{key} {' '.join(words)}", f"a finite number after {key}")
        return value

    def prior(self, key: str) -> float | None:
        """Value of an optimised key, ``flag value [other]``, or of a plain one; None where it is missing."""
        return self.number(key, word=min(1, len(self.lines[key]) - 1)) if key in self.lines else None


def _check_key(word: str, key: str, place: str) -> None:
    """Refuse a key of a potential that is no other than a misspelt one; Lenstool writes many that are not needed."""
    near = difflib.get_close_matches(key, _POTENTIAL_KEYS, n=1, cutoff=0.85)
    if near and key not in _POTENTIAL_KEYS:
        raise InputError(
            place,
            f"the unknown key {word!r}",
            f"{near[0]!r}",
            "Correct it: a key that is not known is not read.",
        )


def number_of(word: str) -> float:
    """Number of a word, also of one with Fortran's exponent D."""
    return float(word.replace("D", "e").replace("d", "e"))


def read_sections(path: Path) -> list[Section]:
    """Read the sections of a parameter file.

    Raises
    ------
    InputError
        Missing file, one that does not close with ``fini`` (``finish``), or a section that does not with ``end``.
    """
    if not path.is_file():
        raise InputError(str(path), "no such file", "a Lenstool parameter file", "Correct the path.")
    sections: list[Section] = []
    current: Section | None = None
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        first = _KEYWORDS.get(words[0], words[0])
        if current is not None and _NO_KEY.match(first):
            raise InputError(current.place, f"'{' '.join(words)}' inside the section", "a line 'end' before it",
                             "A part of the file is missing: get it again.")  # fmt: skip
        if current is None and first.startswith("fini"):
            return sections
        if first == "end":
            current = None  # also where nothing is open: Lenstool itself writes such lines
        elif current is None:
            if match := _SECTION.match(first):
                current = Section(match.lastgroup or first, " ".join(words[1:]), str(path))
                sections.append(current)
        else:
            if current.keyword == "potentiel":
                _check_key(words[0], first, current.place)
            if current.keyword == "potentiel" and first in current:
                raise InputError(
                    current.place, f"the key {words[0]!r} twice", "each key once", "Take one of them out."
                )
            current.lines[first] = words[1:]
    last = f"{sections[-1].keyword} {sections[-1].name}".strip() if sections else "nothing"
    raise InputError(str(path), f"no closing line after the last section, {last}", "a file that closes with 'fini'",
                     "The file is truncated: get it again (or add the line, if nothing else is missing).")  # fmt: skip


def reference_of(sections: list[Section], where: str) -> tuple[float, float]:
    """RA and Dec [deg] of the model's origin."""
    runmode = next((s for s in sections if s.keyword == "runmode" and "reference" in s), None)
    if runmode is None:
        raise InputError(where, "no reference position", "'reference 3 RA DEC' in the section runmode")
    return position(runmode.lines["reference"], runmode.place)


def position(words: list[str], place: str) -> tuple[float, float]:
    """RA and Dec [deg] of the words after ``reference``: 3 and degrees, or 1 and sexagesimal hours and degrees."""
    expected = "3 and degrees, or 1 and sexagesimal hours and degrees"
    try:
        kind, ra, dec = int(words[0]), *words[1:3]
        if kind == 3:
            return float(ra), float(dec)
        if kind == 1:
            return 15.0 * _from_sexagesimal(ra), _from_sexagesimal(dec)
    except ValueError:
        raise InputError(place, f"reference {' '.join(words)}", expected) from None
    raise InputError(place, f"reference of kind {kind}", expected)


def _from_sexagesimal(word: str) -> float:
    parts = [float(part) for part in word.lstrip("+-").split(":")]
    if len(parts) != 3 or not all(0.0 <= part < 60.0 for part in parts[1:]):
        raise ValueError(word)
    value = parts[0] + parts[1] / 60.0 + parts[2] / 3600.0
    return -value if word.startswith("-") else value


def cosmology_of(sections: list[Section]) -> "FLRW":
    """The cosmology a model was made with; that of the workflow where the file does not say."""
    section = next((s for s in sections if s.keyword == "cosmologie"), None)
    if section is None:
        return COSMOLOGY
    if section.number("model", 1) != 1:
        raise InputError(section.place, f"model {section.number('model'):g}", "model 1 (CPL dark energy)")
    h0, matter = section.number("H0", 50.0), section.number("omegaM", 1.0)
    dark = section.number("omegaX", 1.0 - matter)
    w0, wa = section.number("wX", -1.0), section.number("wa", 0.0)
    if (h0, matter, dark, w0, wa) == (70.0, 0.3, 0.7, -1.0, 0.0):
        return COSMOLOGY
    from astropy.cosmology import (  # half a second of imports, which other cosmologies need alone
        LambdaCDM,
        w0waCDM,
    )

    if (w0, wa) == (-1.0, 0.0):
        return LambdaCDM(H0=h0, Om0=matter, Ode0=dark)
    return w0waCDM(H0=h0, Om0=matter, Ode0=dark, w0=w0, wa=wa)


def changed_cosmology(cosmology: "FLRW", values: dict[str, float]) -> "FLRW":
    """The cosmology with other omegaM, omegaX, wX or wa; a flat one stays flat where omegaX is not among them."""
    from astropy.cosmology import w0waCDM

    matter = values.get("omegaM", cosmology.Om0)
    flat = abs(1.0 - cosmology.Om0 - cosmology.Ode0) < 1e-3
    dark = values.get("omegaX", 1.0 - matter if flat else cosmology.Ode0)
    w0, wa = values.get("wX", getattr(cosmology, "w0", -1.0)), values.get("wa", getattr(cosmology, "wa", 0.0))
    return w0waCDM(H0=cosmology.H0, Om0=matter, Ode0=dark, w0=w0, wa=wa)


def n_potentials(sections: list[Section]) -> int | None:
    """How many potentials the model counts, at most; Lenstool leaves out those of a potfile beyond (None: all count)."""
    numbers = [s.number("nlentille") for s in sections if s.keyword == "grille" and "nlentille" in s]
    return int(numbers[0]) if numbers and numbers[0] > 0 else None
