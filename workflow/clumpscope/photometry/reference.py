"""The readable reference: the same model fitted with lmfit, every parameter free, no linear algebra.

It is slow and kept for one purpose: `fit_clumps(..., method="lmfit")` shows what the fast solver must find.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import lmfit
import numpy as np
from scipy.ndimage import fourier_shift
from scipy.signal import fftconvolve

from .boxes import Box
from .compiled import background_at
from .model import SpectralPSF, covariance_of
from .uncertainty import Fitted

if TYPE_CHECKING:
    from .evidence import Rules
    from .host import Background

__all__ = ["fit_group", "image_of"]

_OVERSAMPLING = 5


def image_of(
    kernel: np.ndarray, x: float, y: float, covariance: np.ndarray, rows: np.ndarray, columns: np.ndarray,
    oversampling: int = 1,
) -> np.ndarray:  # fmt: skip
    """Unit-flux image of one clump: the kernel, resampled finely, convolved with a sampled Gaussian, then picked.

    Parameters
    ----------
    kernel : (n, n) array
        PSF, containing the pixel, of `oversampling` samples a pixel side; of one, it is resampled.
    x, y : float
        Position [px].
    covariance : (3,) array
        S_xx, S_yy, S_xy [px^2].
    rows, columns : int arrays
        Pixels wanted.
    """
    step, fine, resampled = oversampling, kernel.shape[0], kernel
    if oversampling == 1:
        # Band-limited resampling: zero padding of the spectrum.
        step, fine = _OVERSAMPLING, kernel.shape[0] * _OVERSAMPLING
        spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(kernel)))
        padded = np.pad(spectrum, (fine - kernel.shape[0]) // 2)
        resampled = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(padded)).real) * _OVERSAMPLING**2
    offset = (np.arange(fine) - fine // 2) / step
    if covariance[0] + covariance[1] > 1e-8:
        matrix = np.array([[covariance[0], covariance[2]], [covariance[2], covariance[1]]])
        # Axes narrower than the fine grid are drawn as wide as it: sampling them would lose their flux.
        values, vectors = np.linalg.eigh(matrix)
        inverse = (vectors / np.maximum(values, (0.5 / step) ** 2)) @ vectors.T
        dx, dy = np.meshgrid(offset, offset)
        gaussian = np.exp(
            -0.5 * (inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2)
        )
        resampled = fftconvolve(resampled, gaussian / gaussian.sum(), mode="same")
    base_x, base_y = round(x), round(y)
    shift = ((y - base_y) * step, (x - base_x) * step)
    moved = np.fft.ifft2(fourier_shift(np.fft.fft2(resampled), shift)).real
    first, half = fine // 2 % step, fine // 2 // step
    picked = moved[first::step, first::step]
    result = np.zeros((rows.size, columns.size))
    r, c = rows - base_y + half, columns - base_x + half
    inside_r, inside_c = (r >= 0) & (r <= 2 * half), (c >= 0) & (c <= 2 * half)
    result[np.ix_(inside_r, inside_c)] = picked[np.ix_(r[inside_r], c[inside_c])]
    return result


def fit_group(
    spectral: SpectralPSF, box: Box, data: np.ndarray, start: np.ndarray, theta: np.ndarray, reach: int, rules: "Rules",
    free_shape: bool, moments_covariance: np.ndarray, background: "Background",
) -> tuple[np.ndarray, Callable[[], Fitted]]:  # fmt: skip
    """Fit the clumps of one group; arguments and result as `clumpscope.photometry.evidence.fit_group` has them.

    Every clump with a free shape is an ellipse here: nothing is decided, noise is white, and given shapes are exact.
    """
    n = len(start)
    (ny, nx), (row, column) = box.weight.shape, box.corner
    rows, columns = np.arange(row, row + ny), np.arange(column, column + nx)
    good = box.weight > 0
    level, peak = float(np.median(data[good])), float(data[good].max())
    max_sigma = min(max(ny, nx), 2 * reach) / 2
    parameters = lmfit.Parameters()
    terms, ridge = background.terms, background.ridge
    for t in range(len(terms)):
        parameters.add(f"b{t}", value=level if t == 0 else 0.0)
    for k in range(n):
        for axis, name in enumerate("xy"):
            middle = start[k, axis]
            parameters.add(
                f"{name}{k}", theta[k, axis], min=middle - rules.max_shift_px, max=middle + rules.max_shift_px
            )
        parameters.add(f"flux{k}", value=(peak - level) / spectral.kernel.max())
        if free_shape:
            parameters.add(f"major{k}", value=1.0, min=0.0, max=max_sigma)
            parameters.add(f"q{k}", value=0.8, min=0.0, max=1.0)
            parameters.add(f"theta{k}", value=0.3, min=-np.pi, max=np.pi)

    def source(values: dict[str, float], k: int) -> np.ndarray:
        covariance = theta[k, 2:]
        if free_shape:
            major = values[f"major{k}"]
            covariance = covariance_of(major, major * values[f"q{k}"], np.rad2deg(values[f"theta{k}"]))
        return np.array([values[f"x{k}"], values[f"y{k}"], *covariance])

    def residual(parameters: lmfit.Parameters) -> np.ndarray:
        values = parameters.valuesdict()
        factors = np.array([values[f"b{t}"] for t in range(len(terms))])
        model = np.tensordot(factors, terms, 1)
        for k in range(n):
            x, y, *covariance = source(values, k)
            image = image_of(spectral.kernel, x, y, covariance, rows, columns, round(spectral.oversampling))
            model = model + values[f"flux{k}"] * image
        # Factors of the host's modes are measured, as it were, to be zero.
        return np.concatenate([((data - model) * box.weight)[good], np.sqrt(ridge) * factors])

    results = [lmfit.minimize(residual, parameters, scale_covar=False)]
    if free_shape:
        # An ellipse that begins across the true one may stay there.
        for k in range(n):
            parameters[f"theta{k}"].value += np.pi / 2
        results.append(lmfit.minimize(residual, parameters, scale_covar=False))
    result = min(results, key=lambda result: result.chisqr)
    values = result.params.valuesdict()
    fitted = np.array([source(values, k) for k in range(n)])
    factors = np.array([values[f"b{t}"] for t in range(len(terms))])
    level = background_at(fitted, box.corner, terms) @ factors
    chi2 = float(result.chisqr - np.sum(ridge * factors**2))

    def errors(name: str, factor: float = 1.0) -> np.ndarray:
        found = [
            result.params[f"{name}{k}"].stderr if f"{name}{k}" in result.params else None for k in range(n)
        ]
        return np.array([np.nan if value is None else factor * value for value in found])

    named = {"flux": errors("flux"), "x": errors("x"), "y": errors("y"), "sigma_x_px": errors("major"),
             "theta_deg": errors("theta", np.rad2deg(1.0))}  # fmt: skip
    flux = np.array([values[f"flux{k}"] for k in range(n)])
    unknown = np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan)
    rest = Fitted(fitted, flux, level, named, np.zeros((n, 3, 3)), np.zeros((n, 3)), unknown, np.ones(n, dtype=bool), np.full(n, np.nan), max_sigma,
                  chi2, good.sum() - 3.0 - n * (6 if free_shape else 3), np.zeros((n, ny, nx)), bool(result.success))  # fmt: skip
    return fitted, lambda: rest
