"""The readable reference: the same model fitted with lmfit, every parameter free, no linear algebra.

It is slow and kept for one purpose: `fit_clumps(..., method="lmfit")` shows what the fast solver must find.
"""

import lmfit
import numpy as np
from scipy.ndimage import fourier_shift
from scipy.signal import fftconvolve

from ..flags import bit
from .model import shape_of

__all__ = ["fit_group", "image_of"]

_OVERSAMPLING = 5


def image_of(
    kernel: np.ndarray, x: float, y: float, covariance: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Unit-flux image of one clump: the kernel, resampled finely, convolved with a sampled Gaussian, then picked.

    Parameters
    ----------
    kernel : (n, n) array
        PSF, containing the pixel.
    x, y : float
        Position [px].
    covariance : (3,) array
        S_xx, S_yy, S_xy [px^2].
    rows, columns : int arrays
        Pixels wanted.
    """
    half = kernel.shape[0] // 2
    side = 2 * half + 1
    fine = side * _OVERSAMPLING
    # Band-limited resampling: zero padding of the spectrum.
    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(kernel)))
    pad = (fine - side) // 2
    padded = np.pad(spectrum, pad)
    resampled = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(padded)).real) * _OVERSAMPLING**2
    offset = (np.arange(fine) - fine // 2) / _OVERSAMPLING
    if covariance[0] + covariance[1] > 1e-8:
        matrix = np.array([[covariance[0], covariance[2]], [covariance[2], covariance[1]]])
        # Axes narrower than the fine grid are drawn as wide as it: sampling them would lose their flux.
        values, vectors = np.linalg.eigh(matrix)
        inverse = (vectors / np.maximum(values, (0.5 / _OVERSAMPLING) ** 2)) @ vectors.T
        dx, dy = np.meshgrid(offset, offset)
        gaussian = np.exp(
            -0.5 * (inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2)
        )
        resampled = fftconvolve(resampled, gaussian / gaussian.sum(), mode="same")
    base_x, base_y = round(x), round(y)
    shift = ((y - base_y) * _OVERSAMPLING, (x - base_x) * _OVERSAMPLING)
    moved = np.fft.ifft2(fourier_shift(np.fft.fft2(resampled), shift)).real
    picked = moved[_OVERSAMPLING // 2 :: _OVERSAMPLING, _OVERSAMPLING // 2 :: _OVERSAMPLING]
    result = np.zeros((rows.size, columns.size))
    r, c = rows - base_y + half, columns - base_x + half
    inside_r, inside_c = (r >= 0) & (r < side), (c >= 0) & (c < side)
    result[np.ix_(inside_r, inside_c)] = picked[np.ix_(r[inside_r], c[inside_c])]
    return result


def fit_group(image, error, kernel, group, size, shapes, max_shift) -> None:
    """Fit the clumps of one group in place; arguments as the fast solver of `fit` has them."""
    half = size // 2
    x, y = np.array([c.start for c in group]).T
    rows = np.arange(max(round(y.min()) - half, 0), min(round(y.max()) + half, image.shape[0] - 1) + 1)
    columns = np.arange(max(round(x.min()) - half, 0), min(round(x.max()) + half, image.shape[1] - 1) + 1)
    data, sigma = image[np.ix_(rows, columns)], error[np.ix_(rows, columns)]
    good = np.isfinite(sigma)
    if good.sum() < 6 * len(group) + 5:
        for clump in group:
            clump.flags |= bit("few_pixels")
        return
    parameters = lmfit.Parameters()
    level, peak = float(np.median(data[good])), float(data[good].max())
    for name, value in (("b0", level), ("bx", 0.0), ("by", 0.0)):
        parameters.add(name, value=value)
    for k, clump in enumerate(group):
        parameters.add(f"x{k}", value=clump.x, min=clump.start[0] - max_shift, max=clump.start[0] + max_shift)
        parameters.add(f"y{k}", value=clump.y, min=clump.start[1] - max_shift, max=clump.start[1] + max_shift)
        parameters.add(f"flux{k}", value=(peak - level) / kernel.max())
        if shapes is None:
            parameters.add(f"major{k}", value=1.0, min=0.0, max=size / 2)
            parameters.add(f"q{k}", value=0.8, min=0.0, max=1.0)
            parameters.add(f"theta{k}", value=0.3, min=-np.pi, max=np.pi)

    def covariance(values, k):
        if shapes is not None:
            return shapes[k]
        a, b = values[f"major{k}"] ** 2, (values[f"major{k}"] * values[f"q{k}"]) ** 2
        cos, sin = np.cos(values[f"theta{k}"]), np.sin(values[f"theta{k}"])
        return np.array([a * cos**2 + b * sin**2, a * sin**2 + b * cos**2, (a - b) * sin * cos])

    def residual(parameters):
        values = parameters.valuesdict()
        model = (
            values["b0"]
            + values["bx"] * (columns - columns.mean())
            + values["by"] * (rows - rows.mean())[:, None]
        )
        for k in range(len(group)):
            source = image_of(kernel, values[f"x{k}"], values[f"y{k}"], covariance(values, k), rows, columns)
            model = model + values[f"flux{k}"] * source
        return ((data - model) / sigma)[good]

    result = lmfit.minimize(residual, parameters)
    values = result.params.valuesdict()
    for k, clump in enumerate(group):
        clump.x, clump.y, clump.flux = values[f"x{k}"], values[f"y{k}"], values[f"flux{k}"]
        clump.background, clump.chi2, clump.converged = (
            values["b0"],
            float(result.chisqr),
            bool(result.success),
        )
        clump.covariance = covariance(values, k)
        clump.errors = {
            key: result.params[f"{name}{k}"].stderr or np.nan
            for key, name in (("flux", "flux"), ("x", "x"), ("y", "y"))
        }
        if shapes is None and shape_of(clump.covariance)[0] < 1e-3:
            clump.covariance = np.zeros(3)
