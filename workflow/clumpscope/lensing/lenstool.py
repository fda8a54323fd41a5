"""Reading Lenstool's models: parameter files and posterior samples."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..cosmology import COSMOLOGY
from ..errors import InputError
from .parametric import LensModel
from .potentials import ANGLE, ELLIPTICITY, FIELDS, GAMMA, PROFILES, R_CORE, R_CUT, V_DISP, X, Y

__all__ = ["read_lenstool"]

# Names of profiles that Lenstool has and this reader has not, to say what is in the way.
_OTHER_PROFILES = {
    1: "singular isothermal sphere or ellipsoid", 7: "point mass", 9: "mass sheet", 12: "NFW", 13: "Sersic",
    15: "Einasto", 16: "Hernquist", 82: "PIEMD with shallower slope", 83: "EMD 3/2", 84: "EMD I0.5 + I1.5",
    85: "EMD I1", 86: "EMD I1 with cut", 87: "EMD I1 + I0.5", 88: "EMD I1 + I1.5", 89: "EMD I1 + I0.5",
}  # fmt: skip

_SAMPLE_FIELDS = {
    "x": X, "y": Y, "emass": ELLIPTICITY, "theta": ANGLE, "rc": R_CORE, "rcut": R_CUT, "sigma": V_DISP,
    "gamma": GAMMA,
}  # fmt: skip
_POTENTIAL_COLUMN = re.compile(r"^(?P<name>\S+)\s*:\s*(?P<what>\w+)")
_POTFILE_COLUMN = re.compile(r"^Pot(?P<number>\d+)\s+(?P<what>rcut|sigma)\b")
_IGNORED_COLUMNS = ("Nsample", "ln(Lhood)", "Chi2", "Redshift of", "omega", "w_X", "wX", "wa", "sigposArcsec")


@dataclass
class _Section:
    """A block of a parameter file: its keyword, name, and the words of every line by first word."""

    keyword: str
    name: str
    lines: dict[str, list[str]] = field(default_factory=dict)

    def number(self, *keys: str, default: float | None = None, where: str = "") -> float:
        """Last number of the first key that is there (Lenstool may put an optimisation flag before it)."""
        for key in keys:
            if key in self.lines:
                words = self.lines[key]
                try:
                    return float(words[0])
                except (IndexError, ValueError):
                    raise InputError(f"{where}, {self.keyword} {self.name}", f"{key} {' '.join(words)}",
                                     f"a number after {key}") from None  # fmt: skip
        if default is None:
            raise InputError(
                f"{where}, {self.keyword} {self.name}", f"keys {', '.join(self.lines)}", f"a key {keys[0]!r}"
            )
        return default


def _sections(path: Path) -> list[_Section]:
    if not path.is_file():
        raise InputError(str(path), "no such file", "a Lenstool parameter file")
    sections: list[_Section] = []
    current: _Section | None = None
    finished = False
    for line in path.read_text(errors="replace").splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "fini":
            finished = True
            break
        if words[0] == "end":
            current = None  # also where nothing is open: Lenstool itself writes such lines
        elif current is None:
            current = _Section(words[0], " ".join(words[1:]))
            sections.append(current)
        else:
            current.lines[words[0]] = words[1:]
    if not finished:
        last = f"{sections[-1].keyword} {sections[-1].name}".strip() if sections else "the first line"
        raise InputError(str(path), f"the last section {last} and no closing line", "a file that closes with 'fini'",
                         "The file is truncated: get it again.")  # fmt: skip
    return sections


def _arcsec_per_kpc(z_lens: float) -> float:
    return float(COSMOLOGY.arcsec_per_kpc_proper(z_lens).value)


def _row(section: _Section, where: str) -> tuple[int, np.ndarray, float, float]:
    """Profile number, row of numbers, redshift and magnitude of one potential."""
    profile = int(section.number("profil", "profile", where=where))
    if profile not in PROFILES:
        name = _OTHER_PROFILES.get(profile, "unknown")
        known = ", ".join(f"{number} ({p.name})" for number, p in PROFILES.items())
        raise InputError(
            f"{where}, potential {section.name}", f"profile {profile} ({name})", f"one of {known}"
        )
    z_lens = section.number("z_lens", where=where)
    scale = _arcsec_per_kpc(z_lens)

    def radius(kind: str) -> float:
        if f"{kind}_radius" in section.lines:
            return section.number(f"{kind}_radius", where=where)
        if f"{kind}_radius_kpc" in section.lines:
            return section.number(f"{kind}_radius_kpc", where=where) * scale
        return {"core": 0.0, "cut": np.inf}[kind]

    row = np.zeros(len(FIELDS))
    row[X], row[Y] = section.number("x_centre", default=0.0), section.number("y_centre", default=0.0)
    row[ELLIPTICITY] = section.number("ellipticite", "ellipticity", "ellip", default=0.0)
    row[ANGLE] = np.deg2rad(section.number("angle_pos", default=0.0))
    row[V_DISP] = section.number("v_disp", default=0.0)
    row[GAMMA] = section.number("gamma", default=0.0)
    if profile == 81:
        row[R_CORE], row[R_CUT] = radius("core"), radius("cut")
        if not 0.0 <= row[R_CORE] < row[R_CUT]:
            raise InputError(f"{where}, potential {section.name}",
                             f"core radius {row[R_CORE]:g} and cut radius {row[R_CUT]:g} arcsec",
                             "0 <= core < cut")  # fmt: skip
    elif profile == 8:
        row[R_CORE] = radius("core")
    return profile, row, z_lens, section.number("mag", default=np.nan)


@dataclass(frozen=True)
class _Scaling:
    """A potfile's scaling relation (Lenstool manual; Eliasdottir et al. 2007, equation 26)."""

    mag0: float
    sigma_slope: float
    cut_slope: float
    sigma: float
    cut_arcsec: float
    core_arcsec: float
    z_lens: float
    filein: str
    filein_frame: int

    def sigma_factor(self, mag: np.ndarray) -> np.ndarray:
        return 10.0 ** (0.4 * (self.mag0 - mag) / self.sigma_slope)

    def cut_factor(self, mag: np.ndarray) -> np.ndarray:
        return 10.0 ** (0.8 * (self.mag0 - mag) / self.cut_slope)


def _scaling(section: _Section, where: str) -> _Scaling:
    z_lens = section.number("zlens", "z_lens", where=where)
    scale = _arcsec_per_kpc(z_lens)

    def optimised(key: str) -> float | None:
        # "sigma 3 110.5 19.5": a flag (0 fixed, 1 range, 3 Gaussian), then the value.
        words = section.lines.get(key)
        return None if words is None else float(words[1] if len(words) > 1 else words[0])

    def radius(kind: str) -> float:
        arcsec, kpc = optimised(kind), optimised(f"{kind}kpc")
        return arcsec if kpc is None else kpc * scale

    core = radius("core")
    frame, filein = (section.lines.get("filein", ["0", ""]) + [""])[:2]
    return _Scaling(
        section.number("mag0", where=where), optimised("vdslope") or 4.0, optimised("slope") or 4.0,
        optimised("sigma"), radius("cut"), 0.0 if core is None else core, z_lens, filein, int(frame),
    )  # fmt: skip


def _potfile_members(scaling: _Scaling, path: Path, reference: tuple[float, float]) -> list[np.ndarray]:
    """Rows and magnitudes of a galaxy catalogue: id x y a b theta magnitude [luminosity]."""
    catalogue = path.parent / scaling.filein
    if not catalogue.is_file():
        raise InputError(f"{path}, potfile", f"the galaxy catalogue {scaling.filein!r}, where no file is",
                         "the catalogue beside the parameter file")  # fmt: skip
    members = []
    for number, line in enumerate(catalogue.read_text().splitlines(), start=1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            x, y, a, b, theta, mag = (float(word) for word in words[1:7])
        except ValueError:
            raise InputError(
                f"{catalogue}, line {number}", line.strip(), "id, x, y, a, b, theta, magnitude"
            ) from None
        if scaling.filein_frame == 3:
            x, y = _offsets(x, y, reference)
        row = np.zeros(len(FIELDS))
        row[X], row[Y], row[ANGLE] = x, y, np.deg2rad(theta)
        row[ELLIPTICITY] = (a**2 - b**2) / (a**2 + b**2)
        row[V_DISP] = scaling.sigma * scaling.sigma_factor(mag)
        row[R_CUT] = scaling.cut_arcsec * scaling.cut_factor(mag)
        row[R_CORE] = scaling.core_arcsec * 10.0 ** (0.2 * (scaling.mag0 - mag))
        members.append(np.append(row, mag))
    return members


def _offsets(ra: float, dec: float, reference: tuple[float, float]) -> tuple[float, float]:
    return (
        -(ra - reference[0]) * np.cos(np.deg2rad(reference[1])) * 3600.0,
        (dec - reference[1]) * 3600.0,
    )


def _scalings_beside(path: Path) -> list[_Scaling]:
    """Scaling relations of `path`, or, as a best.par has none, of the input file it came from."""
    for candidate in (path, *(path.parent / name for name in ("bestopt.par", "input.par"))):
        if candidate.is_file():
            found = [
                _scaling(s, str(candidate)) for s in _sections(candidate) if s.keyword.startswith("potfile")
            ]
            if found:
                return found
    return []


def read_lenstool(
    path: str | os.PathLike, samples: str | os.PathLike | None = None, z_lens: float | None = None
) -> LensModel:
    """Read a parametric lens model of Lenstool (Jullo et al. 2007).

    Parameters
    ----------
    path : path-like
        ``best.par``, ``bestopt.par`` or an input ``.par`` with its potfiles beside it.
    samples : path-like, optional
        Posterior samples, ``bayes.dat``; every parameter it names is applied to every realisation,
        those of a potfile through its scaling relation.
    z_lens : float, optional
        Redshift the lens must have; read from the model when missing.

    Raises
    ------
    InputError
        Missing or truncated file, unknown profile, several lens planes, samples of another model.
    """
    path = Path(path)
    where = str(path)
    sections = _sections(path)
    runmode = next((s for s in sections if s.keyword == "runmode" and "reference" in s.lines), None)
    if runmode is None or len(runmode.lines["reference"]) < 3:
        raise InputError(where, "no reference position", "'reference 3 RA DEC' in the section runmode")
    frame, *centre = runmode.lines["reference"]
    if int(frame) not in (1, 2, 3):
        raise InputError(where, f"reference of kind {frame}", "kind 3 (degrees)")
    reference = (float(centre[0]), float(centre[1]))

    # In an input file a potential's `limit` section repeats its name; potentials of a potfile follow the others.
    parsed = [(s.name, *_row(s, where)) for s in sections if s.keyword in ("potentiel", "potential")]
    profiles = [profile for _, profile, *_ in parsed]
    rows = [row for _, _, row, *_ in parsed]
    mags = [mag for *_, mag in parsed]
    redshifts = {z for _, _, _, z, _ in parsed}
    scalings = [_scaling(s, where) for s in sections if s.keyword.startswith("potfile")]
    for scaling in scalings:
        for member in _potfile_members(scaling, path, reference):
            profiles.append(81)
            rows.append(member[:-1])
            mags.append(member[-1])
        redshifts.add(scaling.z_lens)
    if not rows:
        raise InputError(where, "no potential", "at least one section 'potentiel'")
    if len(redshifts) > 1:
        raise InputError(where, f"lens planes at z = {', '.join(f'{z:g}' for z in sorted(redshifts))}",
                         "one lens plane", "Several lens planes are not supported.")  # fmt: skip
    z_model = redshifts.pop()
    if z_lens is not None and abs(z_lens - z_model) > 0.01:
        raise InputError("configuration key lens.z_lens", f"{z_lens:g}", f"{z_model:g}, as {where} says")
    model = LensModel(reference, z_model, np.array(profiles), np.array(rows))
    if samples is None:
        return model
    names = [name for name, *_ in parsed]
    realisations = _read_samples(
        Path(samples), names, np.array(profiles), np.array(rows), np.array(mags), _scalings_beside(path)
    )
    return model.with_samples(realisations)


def _member_groups(rows: np.ndarray, mags: np.ndarray, scalings: list[_Scaling]) -> list[np.ndarray]:
    """Which potentials each scaling relation made.

    A best.par lists members and individual galaxies alike. Members of one potfile share sigma* and r_cut* to the
    digits printed; an individual galaxy with a magnitude does not.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        stars = np.array(
            [
                [np.log(rows[:, V_DISP] / s.sigma_factor(mags)), np.log(rows[:, R_CUT] / s.cut_factor(mags))]
                for s in scalings
            ]
        )
    expected = np.log([[s.sigma, s.cut_arcsec] for s in scalings])
    # The relation's own values in the input file are near those of the best model, not equal to them.
    nearest = np.abs(stars - expected[:, :, None]).sum(axis=1).argmin(axis=0)
    groups = []
    for number in range(len(scalings)):
        candidates = np.flatnonzero(np.isfinite(mags) & (nearest == number))
        own = stars[number][:, candidates]
        shared = np.abs(own - np.median(own, axis=1, keepdims=True)) < 1e-3
        groups.append(candidates[shared.all(axis=0)])
    return groups


def _read_samples(
    path: Path,
    names: list[str],
    profiles: np.ndarray,
    rows: np.ndarray,
    mags: np.ndarray,
    scalings: list[_Scaling],
) -> np.ndarray:
    """Potentials of every realisation, shape (n_samples, n_potentials, len(FIELDS))."""
    where = str(path)
    if not path.is_file():
        raise InputError(where, "no such file", "posterior samples (bayes.dat)")
    lines = path.read_text().splitlines()
    columns = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    values = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    if not values:
        raise InputError(where, "no samples", "rows of numbers below the '#' lines")
    for number, words in enumerate(values, start=1):
        if len(words) != len(columns):
            # Older versions leave a half-written last row; anywhere else the file is broken.
            if number == len(values) and len(values) > 1:
                values = values[:-1]
                break
            raise InputError(
                f"{where}, sample {number}", f"{len(words)} numbers", f"{len(columns)}, one per '#' line"
            )
    table = np.array(values, dtype=float)
    result = np.repeat(rows[None], len(table), axis=0)
    optimised = {name for match in map(_POTENTIAL_COLUMN.match, columns) if match for name in [match["name"]]}
    members = np.where(np.isin(names, list(optimised)), np.nan, mags[: len(names)])
    members = np.concatenate([members, mags[len(names) :]])
    groups: list[np.ndarray] | None = None
    for column, values_of in zip(columns, table.T, strict=True):
        if match := _POTENTIAL_COLUMN.match(column):
            if match["name"] not in names or match["what"] not in _SAMPLE_FIELDS:
                raise InputError(f"{where}, column {column!r}", "a parameter the model has not",
                                 f"potentials {', '.join(names[:6])}, ...",
                                 "These samples belong to another model.")  # fmt: skip
            index = names.index(match["name"])
            which = _SAMPLE_FIELDS[match["what"]]
            result[:, index, which] = np.deg2rad(values_of) if which == ANGLE else values_of
        elif match := _POTFILE_COLUMN.match(column):
            if int(match["number"]) >= len(scalings):
                raise InputError(f"{where}, column {column!r}", f"{len(scalings)} potfile sections beside the model",
                                 "the scaling relation it belongs to",
                                 "Put the bestopt.par or input.par of the model beside it.")  # fmt: skip
            groups = _member_groups(rows, members, scalings) if groups is None else groups
            scaling, group = scalings[int(match["number"])], groups[int(match["number"])]
            sigma = match["what"] == "sigma"
            factor = scaling.sigma_factor(mags[group]) if sigma else scaling.cut_factor(mags[group])
            result[:, group, V_DISP if sigma else R_CUT] = values_of[:, None] * factor
        elif not column.startswith(_IGNORED_COLUMNS):
            raise InputError(
                f"{where}, column {column!r}", "an unknown parameter", "parameters of Lenstool's potentials"
            )
    return result
