"""Radial measures of a centred point-source image: encircled energy, profile, FWHM."""

import numpy as np
import scipy

__all__ = ["encircled_sums", "fwhm_px", "radial_profile"]


def encircled_sums(image: np.ndarray, radii_px: np.ndarray, x: float | None = None, y: float | None = None):
    """Sum the pixels inside circles, those on the rim by their exact overlap.

    Parameters
    ----------
    image : (ny, nx) array
        Finite everywhere.
    radii_px : (n,) array
        Radii [px].
    x, y : float, optional
        Centre; default the middle of the array.

    Returns
    -------
    (n,) array
    """
    from photutils.geometry import circular_overlap_grid  # photutils takes 0.5 s to import

    height, width = image.shape
    x = (width - 1) / 2 if x is None else x
    y = (height - 1) / 2 if y is None else y
    edges = (-0.5 - x, width - 0.5 - x, -0.5 - y, height - 0.5 - y)
    return np.array(
        [
            float((image * circular_overlap_grid(*edges, width, height, radius, 1, 1)).sum())
            for radius in np.atleast_1d(radii_px)
        ]
    )


def radial_profile(image: np.ndarray, radii_px: np.ndarray, n_angles: int = 64) -> np.ndarray:
    """Azimuthal mean of the spline through the pixels, around the middle pixel.

    Parameters
    ----------
    image : (n, n) array
        Odd n, source on the middle pixel.
    radii_px : (m,) array
        Radii [px].
    n_angles : int
        Number of azimuths averaged.

    Returns
    -------
    (m,) array
    """
    centre = (image.shape[0] - 1) / 2
    angle = 2.0 * np.pi * np.arange(n_angles) / n_angles
    radius = np.atleast_1d(radii_px)[:, None]
    where = [centre + radius * np.sin(angle), centre + radius * np.cos(angle)]
    return scipy.ndimage.map_coordinates(image, where, order=5, mode="nearest").mean(axis=1)


def fwhm_px(image: np.ndarray) -> float:
    """Full width at half maximum of the azimuthal mean profile [px].

    Parameters
    ----------
    image : (n, n) array
        Odd n, source on the middle pixel.

    Returns
    -------
    float
        NaN when the profile never falls to half of its centre.
    """
    middle = image.shape[0] // 2
    # Far outside of the core there is nothing to be learned, and oversampled kernels are large.
    half = min(middle, 8 + 3 * int(np.sqrt(np.count_nonzero(image > image[middle, middle] / 2))))
    image = image[middle - half : middle + half + 1, middle - half : middle + half + 1]
    radii = np.arange(0.0, (image.shape[0] - 1) / 2 + 0.01, 0.1)
    profile = radial_profile(image, radii)
    if not profile[0] > 0 or not (profile < profile[0] / 2).any():
        return float("nan")
    half = profile[0] / 2
    # Finer and finer around where it falls below half of its centre, in the end linearly.
    for _ in range(3):
        first = int(np.argmax(profile < half))
        radii = np.linspace(radii[first - 1], radii[first], 33)
        profile = radial_profile(image, radii)
    first = int(np.argmax(profile < half))
    (inside, outside), (above, below) = radii[first - 1 : first + 1], profile[first - 1 : first + 1]
    return 2.0 * float(inside + (above - half) / (above - below) * (outside - inside))
