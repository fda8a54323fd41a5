"""The mock lens as Lenstool writes a model: best.par and bayes.dat."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..files import replacing
from .lens import DPIE, Z_LENS, Lens, Shear

__all__ = ["lens_posterior", "write_lens"]

_N_SAMPLES = 200
_DIGITS = 6
_SAMPLE_COLUMNS = {
    "x_arcsec": "x (arcsec)",
    "y_arcsec": "y (arcsec)",
    "ellipticity": "emass",
    "angle_deg": "theta (deg)",
    "core_arcsec": "rc (arcsec)",
    "v_disp_kms": "sigma (km/s)",
    "cut_arcsec": "rcut (arcsec)",
    "gamma": "gamma",
}
# Posterior widths of what Lenstool would have optimised; lengths are for the 40 arcsec field.
_HALO_WIDTHS = {
    "x_arcsec": 0.12,
    "y_arcsec": 0.12,
    "ellipticity": 0.015,
    "angle_deg": 1.5,
    "core_arcsec": 0.12,
}
_HALO_DISPERSION, _CORE_TO_DISPERSION = 0.004, 0.08  # relative; a larger core needs a larger dispersion
_GALAXY_WIDTHS = {"v_disp_kms": 0.03, "cut_arcsec": 0.08}  # relative
_SHEAR_WIDTHS = {"gamma": 0.004, "angle_deg": 3.0}


def lens_posterior(best: Lens, rng: np.random.Generator, scale: float) -> list[Lens]:
    """Samples about a best model as an honest posterior would scatter, a larger core going with a larger dispersion.

    Parameters
    ----------
    best : Lens
    rng : numpy.random.Generator
    scale : float
        Size of the field over 40 arcsec.

    Returns
    -------
    list of Lens
        With the digits of the file of samples, so that one of them can be the truth.
    """
    draws = [_draw(potential, rng, scale) for potential in best.potentials]
    return [
        Lens(
            tuple(
                replace(
                    potential, **{key: round(float(values[number]), _DIGITS) for key, values in drawn.items()}
                )
                for potential, drawn in zip(best.potentials, draws, strict=True)
            )
        )
        for number in range(_N_SAMPLES)
    ]


def write_lens(
    folder: Path,
    best: Lens,
    posterior: Sequence[Lens],
    rng: np.random.Generator,
    reference: tuple[float, float],
) -> None:
    """Write best.par and bayes.dat.

    Parameters
    ----------
    folder : pathlib.Path
    best : Lens
    posterior : sequence of Lens
        Of `lens_posterior`.
    rng : numpy.random.Generator
        Of the samples' chi-squared.
    reference : (float, float)
        RA and Dec [deg] of the field's centre.
    """
    with replacing(folder / "best.par") as path:
        path.write_text(_parameter_file(best, reference))
    free = [(k, key) for k, potential in enumerate(best.potentials) for key in _widths(potential)]
    columns = [f"#{best.potentials[k].name} : {_SAMPLE_COLUMNS[key]}" for k, key in free]
    chi2 = rng.chisquare(len(columns), len(posterior))
    lines = ["#Nsample", "#ln(Lhood)", *columns, "#Chi2"]
    for number, lens in enumerate(posterior):
        row = [getattr(lens.potentials[k], key) for k, key in free]
        cells = [
            f"{1 + number // 10}",
            f"{-chi2[number] / 2:.6f}",
            *(f"{value:.{_DIGITS}f}" for value in row),
        ]
        lines.append(" ".join([*cells, f"{chi2[number]:.6f}"]))
    with replacing(folder / "bayes.dat") as path:
        path.write_text("\n".join(lines) + "\n")


def _widths(potential: DPIE | Shear) -> list[str]:
    """Free parameters of a potential, in the order in which Lenstool lists them."""
    if isinstance(potential, Shear):
        return list(_SHEAR_WIDTHS)
    return list(_GALAXY_WIDTHS) if np.isfinite(potential.mag) else [*_HALO_WIDTHS, "v_disp_kms"]


def _draw(potential: DPIE | Shear, rng: np.random.Generator, scale: float) -> dict[str, np.ndarray]:
    """Samples of a potential's free parameters."""
    deviation = {key: rng.normal(size=_N_SAMPLES) for key in _SAMPLE_COLUMNS}
    if isinstance(potential, Shear):
        return {key: getattr(potential, key) + width * deviation[key] for key, width in _SHEAR_WIDTHS.items()}
    if np.isfinite(potential.mag):
        return {
            key: getattr(potential, key) * (1 + width * deviation[key])
            for key, width in _GALAXY_WIDTHS.items()
        }
    lengths = ("x_arcsec", "y_arcsec", "core_arcsec")
    samples = {
        key: getattr(potential, key) + width * (scale if key in lengths else 1.0) * deviation[key]
        for key, width in _HALO_WIDTHS.items()
    }
    relative_core = samples["core_arcsec"] / potential.core_arcsec - 1
    relative = _HALO_DISPERSION * deviation["v_disp_kms"] + _CORE_TO_DISPERSION * relative_core
    return {**samples, "v_disp_kms": potential.v_disp_kms * (1 + relative)}


def _parameter_file(lens: Lens, reference: tuple[float, float]) -> str:
    lines = [
        "#Mock cluster of Clumpscope",
        "runmode",
        f"\treference     3 {reference[0]:.6f} {reference[1]:.6f}",
        "\tend",
        "grille",
        "\tnombre      128",
        "\tpolaire     0",
        f"\tnlentille   {len(lens.potentials)}",
        "\tend",
    ]
    for potential in lens.potentials:
        lines.append(f"potentiel {potential.name}")
        if isinstance(potential, Shear):
            keys = {"profil": 14, "gamma": potential.gamma, "angle_pos": potential.angle_deg}
        else:
            keys = {
                "profil": 81,
                "x_centre": potential.x_arcsec,
                "y_centre": potential.y_arcsec,
                "ellipticite": potential.ellipticity,
                "angle_pos": potential.angle_deg,
                "core_radius": potential.core_arcsec,
                "cut_radius": potential.cut_arcsec,
                "v_disp": potential.v_disp_kms,
            }
            if np.isfinite(potential.mag):
                keys["mag"] = potential.mag
        # More digits than Lenstool's own six, so that reading the file back loses nothing that matters.
        lines += [
            f"\t{key:<12}{value if key == 'profil' else format(value, '.9f')}" for key, value in keys.items()
        ]
        lines += [f"\tz_lens      {Z_LENS:.4f}", "\tend"]
    lines += ["cosmologie", "\tmodel       1", "\tH0          70.0", "\tomegaM      0.3", "\tomegaX      0.7"]
    lines += ["\tomegaK      0.0", "\twX          -1.0", "\tend", "fini"]
    return "\n".join(lines) + "\n"
