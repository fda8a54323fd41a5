"""What the columns of Lenstool's posterior samples are called, and which parameter each stands for."""

import re
from typing import NamedTuple

from ...errors import InputError

__all__ = ["COSMOLOGY", "Column", "column_of"]

# By what bayes.dat calls them (getParName in bayesapp.c), in lower case; the keys of parameter files mean themselves.
_PARAMETERS = {
    "x": "x_centre", "y": "y_centre", "emass": "ellipticite", "epot": "ellip_pot", "theta": "angle_pos",
    "rc": "core_radius", "rs": "core_radius", "rcut": "cut_radius", "r200": "cut_radius", "sigma": "v_disp",
    "vdisp": "v_disp", "gamma": "gamma", "kappa": "kappa", "c": "beta", "m200": "masse",
}  # fmt: skip
_PARAMETERS.update({name: name for name in _PARAMETERS.values()})
_POTFILE_PARAMETERS = {
    "sigma": "sigma", "rcut": "rcut", "cut": "rcut", "sigma_slope": "sigma_slope", "vdslope": "sigma_slope",
    "rcut_slope": "rcut_slope", "slope": "rcut_slope",
}  # fmt: skip
COSMOLOGY = ("omegaM", "omegaX", "wX", "wa")
_UNITS = (None, "arcsec", "deg", "km/s", "Msol")
_NAME = r"(?P<what>\w+)\s*(\((?P<unit>[^)]*)\))?"
_POTENTIAL = re.compile(rf"(?P<owner>\S+?)\s*:\s*{_NAME}")
_POTFILE = re.compile(rf"pot(?P<owner>\d*)\s*[\s:]\s*{_NAME}", re.IGNORECASE)
# Columns that do not change the deflection: bookkeeping, redshifts of the constraints, noise.
_IGNORED = re.compile(r"nsample|ln\(|chi2|redshift|sigpos|sigell|x src|y src|src |evidence", re.IGNORECASE)


class Column(NamedTuple):
    """One column.

    Attributes
    ----------
    kind : str
        ``potential``, ``potfile`` or ``cosmology``; empty for one that does not change the deflection.
    owner : str
        Name of the potential, or number of the potfile.
    parameter : str
        As `parameters.values_of` names it for potentials; sigma, rcut, sigma_slope, rcut_slope for potfiles.
    """

    kind: str
    owner: str = ""
    parameter: str = ""


def column_of(name: str, place: str) -> Column:
    """The parameter that a column stands for.

    Raises
    ------
    InputError
        Unknown parameter, or one in another unit than Lenstool's.
    """
    if _IGNORED.match(name):
        return Column("")
    if name in COSMOLOGY:
        return Column("cosmology", "", name)
    for kind, pattern, known in (
        ("potfile", _POTFILE, _POTFILE_PARAMETERS),
        ("potential", _POTENTIAL, _PARAMETERS),
    ):
        if match := pattern.match(name):
            parameter = known.get(match["what"].lower())
            if parameter is None:
                raise InputError(place, f"an unknown parameter of a {kind}", f"one of {', '.join(known)}")
            if match["unit"] not in _UNITS:
                raise InputError(place, f"unit {match['unit']}", "Lenstool's arcsec, deg, km/s or Msol")
            return Column(kind, match["owner"] or "0", parameter)
    raise InputError(place, "an unknown parameter",
                     "parameters of potentials and potfiles, as 'O1 : x (arcsec)' or 'Pot0 sigma (km/s)', "
                     f"or {', '.join(COSMOLOGY)}")  # fmt: skip
