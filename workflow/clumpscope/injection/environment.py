"""What is around a clump: nuclei, critical lines, other clumps, a host; and places where one of these is near."""

import numpy as np

__all__ = ["ENVIRONMENTS", "HARD_PLACES", "environments", "hard_places", "nucleus"]

Array = np.ndarray
ENVIRONMENTS = ("nucleus", "critical", "crowded", "host", "open")
"""Of a clump, the first that applies."""
HARD_PLACES = ENVIRONMENTS[:3]
"""Where clumps are put on purpose."""
# Within this many FWHM of the PSF of the brightest diffuse light, and of another clump.
_NUCLEUS_FWHM, _CROWDED_FWHM = 1.5, 3.0
# Magnification above which a critical line is near.
_CRITICAL_MU = 20.0
# Diffuse light over the noise of a pixel above which there is a host, and at its brightest place a nucleus.
_HOST, _NUCLEUS = 1.0, 3.0


def nucleus(host_over_noise: Array, member: Array) -> Array:
    """Place (x, y) of a galaxy's brightest diffuse light [px]; NaN where that is hardly above the noise."""
    light = np.where(member, host_over_noise, 0.0)
    row, column = np.unravel_index(light.argmax(), light.shape)
    return np.array([column, row], float) if light[row, column] > _NUCLEUS else np.full(2, np.nan)


def environments(
    separation_px: Array, nucleus_px: Array, mu: Array, host_over_noise: Array, fwhm_px: float
) -> Array:
    """Environment of clumps, one of `ENVIRONMENTS`.

    Parameters
    ----------
    separation_px, nucleus_px : (n,) arrays
        Distance to the nearest other clump and to the nucleus [px]; NaN where there is none.
    mu : (n,) array
        Magnification; NaN where it is not known.
    host_over_noise : (n,) array
        Diffuse light over the scatter of sky pixels.
    fwhm_px : float
        Of the PSF.
    """
    applies = [
        nucleus_px <= _NUCLEUS_FWHM * fwhm_px,
        np.abs(mu) >= _CRITICAL_MU,
        separation_px <= _CROWDED_FWHM * fwhm_px,
        host_over_noise >= _HOST,
    ]
    return np.select(applies, ENVIRONMENTS[:-1], ENVIRONMENTS[-1])


def hard_places(
    shape: tuple[int, int], taken: Array, centre: Array, mu: Array | None, fwhm_px: float
) -> dict[str, Array]:
    """Pixels on which clumps are put on purpose.

    Parameters
    ----------
    shape : (int, int)
        Of the image.
    taken : (m, 2) array
        x, y of the clumps that are there [px].
    centre : (2,) array
        Of `nucleus`.
    mu : (ny, nx) array, optional
        Magnification.
    fwhm_px : float

    Returns
    -------
    dict of str to (ny, nx) bool array
        By `HARD_PLACES`.
    """
    rows, columns = np.indices(shape)
    near = np.zeros(shape, dtype=bool)
    for x, y in taken:
        near |= np.hypot(columns - x, rows - y) <= _CROWDED_FWHM * fwhm_px
    return {
        "nucleus": np.hypot(columns - centre[0], rows - centre[1]) <= _NUCLEUS_FWHM * fwhm_px,
        "critical": np.zeros(shape, dtype=bool) if mu is None else np.abs(mu) >= _CRITICAL_MU,
        "crowded": near,
    }
