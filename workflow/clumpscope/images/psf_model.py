"""Circular profiles of point-spread functions: C25's analytic one (section 3.5), and sums of Gaussians."""

from dataclasses import dataclass

import numpy as np
import scipy

__all__ = ["AnalyticPSF", "MultiGaussianPSF", "fit_analytic", "fit_multi_gaussian"]

_N_GAUSSIANS = 24  # widths offered to the fit, which keeps about a quarter of them


@dataclass(frozen=True)
class AnalyticPSF:
    """A circular profile fitted to a kernel; radii in pixels, amplitudes in the kernel's unit.

    Attributes
    ----------
    moffat, gaussian, power : float
        Amplitudes at the centre, none negative.
    alpha_px, beta : float
        The Moffat term is ``(1 + (r / alpha)^2)^-beta``.
    sigma_px : float
        The Gaussian term is ``exp(-r^2 / 2 sigma^2)``.
    r_power_px : float
        The power law is ``(1 + (r / r_power)^2)^-2``: r^-4 far out, finite at the centre.
    residual_rms, residual_max : float
        Of kernel minus model inside the fitted radius, over the kernel's peak.
    """

    moffat: float
    gaussian: float
    power: float
    alpha_px: float
    beta: float
    sigma_px: float
    r_power_px: float
    residual_rms: float
    residual_max: float

    def __call__(self, radius_px: np.ndarray) -> np.ndarray:
        """Value of the profile at radii [px]."""
        terms = _terms(np.asarray(radius_px), self.alpha_px, self.beta, self.sigma_px, self.r_power_px)
        return terms @ [self.moffat, self.gaussian, self.power]

    @property
    def fwhm_px(self) -> float:
        """Full width at half maximum [px]."""
        half = self(np.array(0.0)) / 2
        return 2.0 * scipy.optimize.brentq(lambda radius: float(self(np.array(radius)) - half), 0.0, 1e3)


def _terms(radius, alpha, beta, sigma, r_power):
    squared = radius**2
    return np.stack(
        [
            (1.0 + squared / alpha**2) ** -beta,
            np.exp(-squared / (2.0 * sigma**2)),
            (1.0 + squared / r_power**2) ** -2.0,
        ],
        axis=-1,
    )


def fit_analytic(kernel: np.ndarray, radius_px: float, oversampling: float = 1.0) -> AnalyticPSF:
    """Least-squares fit of the analytic profile to a kernel.

    Parameters
    ----------
    kernel : (n, n) array
        Odd n, source on the middle pixel. It contains the pixel, and so does the fitted profile:
        its values at pixel centres are to be used as they are.
    radius_px : float
        Pixels farther out are not fitted (C25: 0.4 arcsec).
    oversampling : float
        Samples of the kernel a pixel side.

    Returns
    -------
    AnalyticPSF

    Notes
    -----
    The amplitudes are linear: for every trial shape they are solved exactly, none negative, and
    only the four shape parameters are searched (variable projection).
    """
    half = kernel.shape[0] // 2
    rows, columns = np.indices(kernel.shape) - half
    radius = np.hypot(rows, columns) / oversampling
    inside = radius <= radius_px
    # On the distinct radii, weighted by how many pixels share each: the same optimum, eight times faster.
    squared = rows[inside] ** 2 + columns[inside] ** 2
    distinct, index, count = np.unique(squared, return_inverse=True, return_counts=True)
    mean = np.bincount(index, kernel[inside]) / count
    radii, weight = np.sqrt(distinct) / oversampling, np.sqrt(count)

    def amplitudes(log_shape):
        terms = _terms(radii, *np.exp(log_shape))
        return scipy.optimize.nnls(terms * weight[:, None], mean * weight)[0], terms

    def residual(log_shape):
        amplitude, terms = amplitudes(log_shape)
        return (terms @ amplitude - mean) * weight / mean[0]

    low, high = np.log([0.3, 0.8, 0.3, 0.3]), np.log([20.0, 8.0, 10.0, 40.0])
    starts = [(1.5, 1.5, 1.0, 4.0), (2.5, 3.0, 1.5, 6.0), (1.2, 2.0, 2.5, 10.0)]
    fits = [scipy.optimize.least_squares(residual, np.log(start), bounds=(low, high)) for start in starts]
    best = min(fits, key=lambda fit: fit.cost)
    amplitude, _ = amplitudes(best.x)
    alpha, beta, sigma, r_power = np.exp(best.x)
    model = _terms(radius[inside], alpha, beta, sigma, r_power) @ amplitude
    difference = (kernel[inside] - model) / kernel[half, half]
    return AnalyticPSF(
        *map(float, [*amplitude, alpha, beta, sigma, r_power, np.sqrt(np.mean(difference**2)), np.abs(difference).max()])
    )  # fmt: skip


@dataclass(frozen=True)
class MultiGaussianPSF:
    """A sum of concentric circular Gaussians, whose convolution with a clump has a closed form (Cappellari 2002).

    Attributes
    ----------
    flux : (n,) array
        Of each Gaussian, none negative, in the kernel's unit.
    sigma_px : (n,) array
        Standard deviations [px].
    residual_rms, residual_max : float
        Of kernel minus model inside the fitted radius, over the kernel's peak.
    """

    flux: np.ndarray
    sigma_px: np.ndarray
    residual_rms: float
    residual_max: float

    def __call__(self, radius_px: np.ndarray) -> np.ndarray:
        """Value of the profile at radii [px]."""
        return self.convolved(np.asarray(radius_px, dtype=float), 0.0)

    def convolved(
        self, dx: np.ndarray, dy: np.ndarray, covariance: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ) -> np.ndarray:
        """Image of a Gaussian clump of unit flux behind the PSF.

        Parameters
        ----------
        dx, dy : arrays
            Pixel centres from the clump [px].
        covariance : (float, float, float)
            S_xx, S_yy, S_xy of the clump [px^2]; zeros for a point source.
        """
        dx, dy = np.asarray(dx, dtype=float)[..., None], np.asarray(dy, dtype=float)[..., None]
        xx, yy, xy = covariance[0] + self.sigma_px**2, covariance[1] + self.sigma_px**2, covariance[2]
        area = xx * yy - xy**2
        squared = (yy * dx**2 + xx * dy**2 - 2.0 * xy * dx * dy) / area
        return (self.flux / (2.0 * np.pi * np.sqrt(area)) * np.exp(-0.5 * squared)).sum(axis=-1)


def fit_multi_gaussian(kernel: np.ndarray, radius_px: float, oversampling: float = 1.0) -> MultiGaussianPSF:
    """Expand a kernel in Gaussians: non-negative least squares over a fixed ladder of widths.

    Parameters
    ----------
    kernel : (n, n) array
        Odd n, source on the middle pixel. It contains the pixel, and so do the Gaussians.
    radius_px : float
        Pixels farther out are not fitted.
    oversampling : float
        Samples of the kernel a pixel side.

    Returns
    -------
    MultiGaussianPSF
    """
    half = kernel.shape[0] // 2
    rows, columns = (np.indices(kernel.shape) - half) / oversampling
    inside = np.hypot(rows, columns) <= radius_px
    sigma = np.geomspace(0.4, 1.5 * radius_px, _N_GAUSSIANS)
    squared = (rows[inside] ** 2 + columns[inside] ** 2)[:, None]
    terms = np.exp(-0.5 * squared / sigma**2) / (2.0 * np.pi * sigma**2)
    flux = scipy.optimize.nnls(terms, kernel[inside])[0]
    difference = (kernel[inside] - terms @ flux) / kernel[half, half]
    kept = flux > 0
    return MultiGaussianPSF(
        flux[kept], sigma[kept], float(np.sqrt(np.mean(difference**2))), float(np.abs(difference).max())
    )
