"""From the parameters of Lenstool's potentials to the rows that the profiles work with."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ..models.potentials import (
    ANGLE,
    CORE,
    CUT,
    ELLIPTICITY,
    FIELDS,
    PROFILES,
    STRENGTH,
    X,
    Y,
    einstein_arcsec,
    flattening,
)
from .parameter_file import Section

if TYPE_CHECKING:
    from astropy.cosmology import FLRW

__all__ = ["check_profile", "potential_row", "sampled_values", "values_of"]

# Names of profiles that Lenstool has and this reader has not, to say what is in the way.
_OTHER_PROFILES = {
    -2: "truncated singular isothermal ellipsoid", 3: "power law with a core",
    4: "pseudo-elliptical potential", 5: "Hubble's modified law", 6: "power law of two exponents", 9: "mass sheet",
    10: "spline potential", 11: "1/r^4 mass", 13: "Sersic", 15: "Einasto", 16: "Hernquist", 17: "external maps",
    82: "PIEMD with a shallow centre", 83: "elliptical mass distribution I1.5", 84: "I0.5 and I1.5",
    85: "elliptical mass distribution I1", 86: "I1 with a cut", 87: "I1 and I0.5", 88: "I1 and I1.5",
    89: "I1 and I0.5 of a ratio", 121: "triaxial NFW",
}  # fmt: skip
# What defines an NFW halo: any two.
_NFW = ("beta", "masse", "core_radius", "cut_radius", "v_disp")
_G_MPC = 4.30091727e-9  # [Mpc (km / s)^2 / Msun]
_SPEED_OF_LIGHT_KM_S = 299792.458
_ARCSEC_PER_RADIAN = 180.0 * 3600.0 / np.pi

Array = np.ndarray
# Parameters of one potential: numbers, or arrays over realisations.
Values = Mapping[str, float | Array]


def check_profile(number: float, place: str) -> int:
    """The profile's number, if this library has it.

    Raises
    ------
    InputError
        Naming the profile.
    """
    if number not in PROFILES:
        known = ", ".join(f"{known} ({profile.name})" for known, profile in PROFILES.items())
        name = _OTHER_PROFILES.get(int(number), "unknown")
        raise InputError(place, f"profile {number:g} ({name})", f"one of {known}",
                         "A model with other profiles can be given as maps (lens kind: maps).")  # fmt: skip
    return int(number)


def values_of(section: Section, reference: tuple[float, float], arcsec_per_kpc: float) -> dict[str, float]:
    """Parameters of a section ``potentiel``, lengths in arcseconds; keys that are missing are left out.

    Where a radius is given both ways the arcseconds count: no distance enters them.
    """
    values = {}
    for key in ("x_centre", "y_centre", "ellipticite", "ellip_pot", "gamma", "kappa", "angle_pos", "v_disp", "masse",
                "beta", "alpha", "mag"):  # fmt: skip
        if key in section:
            values[key] = section.number(key)
    if "x_centre_wcs" in section:
        cos = np.cos(np.deg2rad(reference[1]))
        values["x_centre"] = -(section.number("x_centre_wcs") - reference[0]) * cos * 3600.0
        values["y_centre"] = (section.number("y_centre_wcs") - reference[1]) * 3600.0
    for key in ("core_radius", "cut_radius"):
        if section.number(key, 0.0) != 0.0:
            values[key] = section.number(key)
        elif f"{key}_kpc" in section:
            values[key] = section.number(f"{key}_kpc") * arcsec_per_kpc
    return values


def sampled_values(profile: int, best: Values, sampled: Values, place: str) -> Values:
    """The best model's parameters with the sampled ones in their place.

    A best.par lists all that Lenstool knows of an NFW halo. What follows from the sampled parameters is left out; where
    one alone is sampled, r_200 is the other if it is listed, as Lenstool writes it only where it was given.
    """
    free = [key for key in _NFW if key in sampled]
    if profile != 12 or not free:
        return {**best, **sampled}
    others = [key for key in _NFW if best.get(key) and key not in sampled]
    if len(free) == 1:
        others = ["core_radius"] if free == ["v_disp"] else [k for k in others if k == "cut_radius"] or others
        if len(others) > 1:
            raise InputError(place, f"samples of {free[0]} alone, while the model gives {', '.join(others)}",
                             "only the one of them that was kept", "Use the input .par in place of best.par.")  # fmt: skip
    fixed = [key for key in best if key not in _NFW] + (others if len(free) == 1 else [])
    return {**{key: best[key] for key in fixed if key in best}, **sampled}


def potential_row(profile: int, values: Values, z_lens: float, cosmology: "FLRW", place: str) -> Array:
    """Row of one potential.

    Parameters
    ----------
    profile : int
        Lenstool's number.
    values : mapping
        Its parameters as `values_of` names them; numbers, or (n,) arrays for n realisations.
    z_lens, cosmology
        Of the model.
    place : str
        The file and section, for messages.

    Returns
    -------
    (..., n_fields) array
        Columns as `potentials.FIELDS`.
    """
    strength = {7: "masse", 12: None, 14: None}.get(profile, "v_disp")
    if strength and strength not in values:
        raise InputError(place, f"keys {', '.join(values) or 'none'}", f"a key {strength!r}")
    shape = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
    row = np.zeros((*shape, len(FIELDS)))
    row[..., X], row[..., Y] = values.get("x_centre", 0.0), values.get("y_centre", 0.0)
    row[..., ANGLE] = np.deg2rad(values.get("angle_pos", 0.0))
    row[..., CORE], row[..., CUT] = values.get("core_radius", 0.0), np.inf
    mass_ellipticity, potential_ellipticity, speed = (
        np.asarray(values.get(key, 0.0), dtype=float) for key in ("ellipticite", "ellip_pot", "v_disp")
    )
    by_potential = (mass_ellipticity == 0.0) & (potential_ellipticity != 0.0)
    if profile in (-1, 8, 81):
        if np.any(np.abs(mass_ellipticity) >= 1.0):
            raise InputError(place, f"ellipticity {np.max(np.abs(mass_ellipticity)):g}", "less than 1")
        row[..., ELLIPTICITY] = np.where(by_potential, potential_ellipticity, flattening(mass_ellipticity))
        # A negative ellipticity is a positive one turned by a right angle.
        row[..., ANGLE] += np.where(row[..., ELLIPTICITY] < 0.0, np.pi / 2.0, 0.0)
        row[..., ELLIPTICITY] = np.abs(row[..., ELLIPTICITY])
        row[..., STRENGTH] = einstein_arcsec(speed, 6.0)
        if profile == -1:
            # Its convergence is 4 pi (v_disp / c)^2 / 2 / sqrt((1 - e) x^2 + (1 + e) y^2), e the mass's ellipticity.
            own = np.abs(np.where(by_potential, 3.0 * potential_ellipticity, mass_ellipticity))
            row[..., CORE], row[..., ELLIPTICITY] = 0.0, flattening(own)
            row[..., STRENGTH] = einstein_arcsec(speed, 4.0) / np.sqrt(1.0 + own) / (1.0 - flattening(own))
        if profile == 81:
            row[..., CUT] = values.get("cut_radius", np.inf)
            core, cut = row[..., CORE], row[..., CUT]
            # A core beyond the cut is the same profile with the two exchanged; only equal ones are none.
            if not np.all((core >= 0.0) & (cut > 0.0) & (core != cut)):
                bad = np.argmin((core >= 0.0) & (cut > 0.0) & (core != cut))
                raise InputError(place, f"core radius {core.flat[bad]:g} and cut radius {cut.flat[bad]:g} arcsec",
                                 "core >= 0, cut > 0, and the two not equal")  # fmt: skip
    elif profile in (0, 1):
        own = np.where(by_potential, potential_ellipticity, mass_ellipticity / 3.0)
        row[..., ELLIPTICITY] = profile * own  # 0 is the round one
        row[..., STRENGTH] = einstein_arcsec(speed, 4.0)
    elif profile == 7:
        distance_mpc = cosmology.angular_diameter_distance(z_lens).to("Mpc").value
        mass = 1e12 * np.asarray(values.get("masse", 0.0), dtype=float)
        row[..., STRENGTH] = (
            4.0 * _G_MPC * mass / _SPEED_OF_LIGHT_KM_S**2 / distance_mpc * _ARCSEC_PER_RADIAN**2
        )
    elif profile == 12:
        row[..., ELLIPTICITY] = np.where(by_potential, 3.0 * potential_ellipticity, mass_ellipticity)
        row[..., CORE], v_disp = _nfw_scale(values, z_lens, cosmology, place)
        row[..., STRENGTH] = einstein_arcsec(v_disp, 6.0)
    elif profile == 14:
        # Lenstool takes the shear under either name.
        row[..., STRENGTH] = values.get("gamma", mass_ellipticity)
        row[..., ELLIPTICITY] = values.get("kappa", 0.0)
    return row


def _nfw_scale(values: Values, z_lens: float, cosmology: "FLRW", place: str) -> tuple[Array, Array]:
    """Scale radius [arcsec] and scale velocity [km/s] of an NFW halo.

    The velocity is Lenstool's: v^2 = 8/3 G r_s^2 rho_s. It follows from two of the concentration c_200, the scale radius
    and the mass M_200 (or radius r_200), in Lenstool's order of precedence (set_dynamics), or is given.
    """
    if np.any(np.isin(values.get("alpha", 0.0), (0.0, 1.0), invert=True)):
        raise InputError(
            place, f"NFW of inner slope alpha {values['alpha']}", "alpha 0 or 1 (the standard NFW)"
        )
    concentration, mass, scale, r200 = (
        np.asarray(values.get(key, 0.0), dtype=float)
        for key in ("beta", "masse", "core_radius", "cut_radius")
    )
    mpc_per_arcsec = cosmology.angular_diameter_distance(z_lens).to("Mpc").value / _ARCSEC_PER_RADIAN
    critical = 3.0 * cosmology.H(z_lens).value ** 2 / (8.0 * np.pi * _G_MPC)  # [Msun / Mpc^3]
    if np.any(mass):
        r200 = np.cbrt(3.0 * mass / (800.0 * np.pi * critical)) / mpc_per_arcsec
    if np.any(concentration):
        scale = r200 / concentration if np.any(r200) else scale
    elif np.any(r200) and np.all(scale > 0.0):
        concentration = r200 / scale
    elif np.all(scale > 0.0) and "v_disp" in values:
        return scale, np.asarray(values["v_disp"], dtype=float)
    else:
        raise InputError(place, f"NFW given by {', '.join(values)}",
                         "two of concentration, scale_radius, and m200 or r200; or scale_radius and v_disp")  # fmt: skip
    density = critical * 200.0 / 3.0 * concentration**3
    density = density / (np.log1p(concentration) - concentration / (1.0 + concentration))
    return scale, np.sqrt(8.0 / 3.0 * _G_MPC * density) * scale * mpc_per_arcsec
