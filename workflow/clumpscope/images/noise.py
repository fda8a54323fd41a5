"""The noise of drizzled mosaics: correlation between neighbouring pixels."""

import numpy as np
import scipy

__all__ = ["PairSums", "aperture_inflation", "make_positive", "pair_sums"]

_GRID = 64  # grid on which the power spectrum of a correlation kernel is looked at


class PairSums:
    """Sums over pixel pairs from which the autocorrelation of the noise comes; additive over blocks.

    Attributes
    ----------
    products, counts : (2 max_lag + 1, 2 max_lag + 1) arrays
        Sum of products, and number of pairs, by lag (dy, dx).
    """

    def __init__(self, max_lag: int) -> None:
        self.products, self.counts = np.zeros((2, 2 * max_lag + 1, 2 * max_lag + 1))

    def __iadd__(self, other: "PairSums") -> "PairSums":
        self.products += other.products
        self.counts += other.counts
        return self

    def correlation(self) -> np.ndarray:
        """Autocorrelation by lag, 1 in the middle, made positive definite."""
        middle = self.products.shape[0] // 2
        mean = self.products / np.maximum(self.counts, 1.0)
        if not mean[middle, middle] > 0:
            kernel = np.zeros_like(mean)
            kernel[middle, middle] = 1.0
            return kernel
        rho = mean / mean[middle, middle]
        return make_positive((rho + rho[::-1, ::-1]) / 2)


def pair_sums(values: np.ndarray, max_lag: int) -> PairSums:
    """Pair sums of one block.

    Parameters
    ----------
    values : (ny, nx) array
        Background-subtracted sky, over its errors where these vary; NaN where there is a source or no data.
    max_lag : int
        Largest lag along an axis [px].
    """
    good = np.isfinite(values)
    filled = np.where(good, values, 0.0)
    shape = [scipy.fft.next_fast_len(size + max_lag, real=True) for size in values.shape]
    sums = PairSums(max_lag)
    lags = np.arange(-max_lag, max_lag + 1)
    for plane, target in ((filled, sums.products), (good.astype(float), sums.counts)):
        power = np.abs(scipy.fft.rfft2(plane, shape)) ** 2
        target += scipy.fft.irfft2(power, shape)[np.ix_(lags, lags)]
    return sums


def make_positive(rho: np.ndarray, n_iterations: int = 100) -> np.ndarray:
    """Nearest useful correlation kernel of the same support with no negative power.

    Parameters
    ----------
    rho : (n, n) array
        Odd n, point-symmetric, 1 in the middle. Measured kernels, cut at a largest lag, often have
        slightly negative power at some wavelengths; a covariance matrix made of them is not one.
    n_iterations : int
        Alternating projections on non-negative power and on the support.

    Returns
    -------
    (n, n) array
        1 in the middle.
    """
    half = rho.shape[0] // 2
    lags = np.arange(-half, half + 1)
    support = np.ix_(lags, lags)
    kernel = rho.copy()
    grid = np.zeros((_GRID, _GRID))
    for _ in range(n_iterations):
        grid[:] = 0.0
        grid[support] = kernel
        power = scipy.fft.fft2(grid).real
        if power.min() >= 0:
            return kernel
        kernel = scipy.fft.ifft2(np.maximum(power, 0.0)).real[support]
        kernel = kernel / kernel[half, half]
    grid[:] = 0.0
    grid[support] = kernel
    # What negative power is left is lifted by a little white noise.
    lift = max(0.0, -scipy.fft.fft2(grid).real.min())
    kernel = kernel / (1.0 + lift)
    kernel[half, half] = 1.0
    return kernel


def aperture_inflation(weights: np.ndarray, rho: np.ndarray) -> float:
    """Scatter of a weighted sum of correlated pixels over that of white pixels.

    Parameters
    ----------
    weights : (ny, nx) array
        Such as the exact overlaps of a circle with the pixels.
    rho : (n, n) array
        Autocorrelation by lag.
    """
    smeared = scipy.ndimage.convolve(weights, rho, mode="constant")
    return float(np.sqrt((weights * smeared).sum() / (weights**2).sum()))
