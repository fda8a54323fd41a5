"""Lenstool's potfiles: cluster galaxies whose potentials follow their luminosities."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import InputError
from .parameter_file import Section, number_of, position
from .parameters import check_profile

__all__ = ["Member", "ScalingRelation", "members_of", "scaling_relation"]

Array = np.ndarray
# id, x, y, a, b, theta, magnitude, luminosity
_N_WORDS = 8


@dataclass(frozen=True)
class ScalingRelation:
    """A potfile's scaling relation (Jullo et al. 2007; Eliasdottir et al. 2007, equation 26).

    Attributes
    ----------
    profile : int
        Lenstool's number of the members' profile.
    z_lens : float
        Redshift of the members.
    mag0 : float
        Magnitude of a galaxy that has the values below.
    v_disp, cut_radius, core_radius : float
        [km/s], [arcsec], [arcsec].
    sigma_slope, cut_slope : float
        The velocity dispersion grows with luminosity to the power 1 / sigma_slope, the cut to 2 / cut_slope.
    filein : (int, str)
        Format and name of the catalogue of members.
    place : str
        The file and section, for messages.
    """

    profile: int
    z_lens: float
    mag0: float
    v_disp: float
    cut_radius: float
    core_radius: float
    sigma_slope: float
    cut_slope: float
    filein: tuple[int, str]
    place: str

    def sigma_factor(self, mag: Array, slope: float | None = None) -> Array:
        """v_disp of a galaxy of this magnitude over that of a galaxy of `mag0`."""
        return 10.0 ** (0.4 * (self.mag0 - mag) / (slope or self.sigma_slope))

    def cut_factor(self, mag: Array, slope: float | None = None) -> Array:
        """cut_radius of a galaxy of this magnitude over that of a galaxy of `mag0`."""
        return 10.0 ** (0.8 * (self.mag0 - mag) / (slope or self.cut_slope))

    def core_factor(self, mag: Array) -> Array:
        """core_radius of a galaxy of this magnitude over that of a galaxy of `mag0`."""
        return 10.0 ** (0.2 * (self.mag0 - mag))


@dataclass(frozen=True)
class Member:
    """One galaxy of a potfile's catalogue: its name and its parameters, as those of a potential."""

    name: str
    values: dict[str, float]


def scaling_relation(section: Section, arcsec_per_kpc: float) -> ScalingRelation:
    """Scaling relation of a section ``potfile`` that is not switched off (``filein 0``)."""
    words = section.lines["filein"]
    try:
        kind, name = int(words[0]), " ".join(words[1:])
    except ValueError:
        raise InputError(section.place, f"filein {' '.join(words)}", "filein 1 (or 3) and a file") from None
    if kind not in (1, 3):
        raise InputError(section.place, f"a catalogue of format {kind}",
                         "format 1 or 3: id, x, y, a, b, theta, magnitude, luminosity")  # fmt: skip

    def radius(key: str) -> float | None:
        # As in Lenstool, here the arcseconds count where both are given.
        # A core is a plain number: Lenstool does not optimise it.
        read = section.number if key == "core" else section.prior
        arcsec, kpc = (read(name) if name in section else None for name in (key, f"{key}kpc"))
        return arcsec if arcsec is not None or kpc is None else kpc * arcsec_per_kpc

    v_disp, cut, core = section.prior("sigma"), radius("cut"), radius("core")
    if v_disp is None or cut is None:
        raise InputError(section.place, f"keys {', '.join(section.lines)}", "sigma, and cut or cutkpc")
    return ScalingRelation(
        check_profile(section.number("type", 81), section.place), section.number("zlens"),
        section.number("mag0", 17.0), v_disp, cut, core or 0.0,
        section.prior("vdslope") or 4.0, section.prior("slope") or 4.0, (kind, name), section.place,
    )  # fmt: skip


def members_of(relation: ScalingRelation, folder: Path, reference: tuple[float, float]) -> list[Member]:
    """The galaxies of a potfile.

    Parameters
    ----------
    relation : ScalingRelation
    folder : pathlib.Path
        Of the parameter file, beside which the catalogue lies.
    reference : (float, float)
        RA and Dec [deg] of the model's origin.

    Notes
    -----
    As in Lenstool (set_potfile.c): positions are arcseconds from the position that a line ``#REFERENCE 3 RA DEC`` gives.
    Without it, or with ``#REFERENCE 0``, format 1 means arcseconds from the model's reference and format 3 degrees. Lines
    of fewer than eight words are left out, and a galaxy of magnitude 0 has no mass.
    """
    kind, name = relation.filein
    # Models are delivered in other folders than they were made in.
    path = next((p for p in (folder / name, folder / Path(name).name) if p.is_file()), None)
    if path is None:
        raise InputError(relation.place, f"the galaxy catalogue {name!r}, where no file is",
                         "the catalogue beside the parameter file",
                         "Use best.par, which lists every galaxy, or get the catalogue.")  # fmt: skip
    origin = None if kind == 3 else reference
    members = []
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        place = f"{path}, line {number}"
        if line.startswith("#REFERENCE"):
            words = line.split()[1:]
            origin = position(words, place) if words[:1] != ["0"] else (None if kind == 3 else reference)
        words = line.split("#")[0].split()
        if len(words) < _N_WORDS:
            if words and number == len(lines) and not text.endswith(("\n", "\r")):
                raise InputError(place, line.strip(), "eight words and the end of the line",
                                 "The file is truncated: get it again.")  # fmt: skip
            continue
        try:
            x, y, a, b, theta, mag = (number_of(word) for word in words[1:7])
        except ValueError:
            raise InputError(place, line.strip(), "id, x, y, a, b, theta, magnitude, luminosity") from None
        if a <= 0.0 or b < 0.0:
            raise InputError(place, f"axes {a:g} and {b:g}", "positive axes")
        if origin is None:
            x, y = _offsets(x, y, reference)
        elif origin != reference:
            cos = np.cos(np.deg2rad(origin[1]))
            x, y = _offsets(origin[0] - x / 3600.0 / cos, origin[1] + y / 3600.0, reference)
        members.append(Member(words[0], {
            "x_centre": x, "y_centre": y, "ellipticite": (a**2 - b**2) / (a**2 + b**2), "angle_pos": theta, "mag": mag,
            "v_disp": float(relation.v_disp * relation.sigma_factor(mag)) if mag else 0.0,
            "cut_radius": float(relation.cut_radius * relation.cut_factor(mag)),
            "core_radius": float(relation.core_radius * relation.core_factor(mag)),
        }))  # fmt: skip
    if not members:
        raise InputError(str(path), "no galaxy", "lines of id, x, y, a, b, theta, magnitude, luminosity")
    return members


def _offsets(ra: float, dec: float, reference: tuple[float, float]) -> tuple[float, float]:
    delta = (ra - reference[0] + 180.0) % 360.0 - 180.0
    return -delta * np.cos(np.deg2rad(reference[1])) * 3600.0, (dec - reference[1]) * 3600.0
