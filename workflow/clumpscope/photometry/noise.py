"""The correlation of the pixels' noise, as drizzling leaves it."""

from functools import lru_cache

import numpy as np

from ..errors import InputError
from .compiled import correlate

__all__ = ["Correlation"]

Array = np.ndarray
# Largest box whose pixels' correlations are kept as a matrix [px].
_LARGEST = 900


class Correlation:
    """Noise of unit variance with the same autocorrelation everywhere.

    Parameters
    ----------
    rho : (r, r) array
        Autocorrelation by lag, odd r, 1 in the middle; (1, 1) for white noise.
    """

    def __init__(self, rho: Array) -> None:
        self.rho = np.asarray(rho, dtype=float)
        self.white = self.rho.shape[0] == 1
        # A matrix a shape: few shapes of boxes occur.
        self.arrays = lru_cache(maxsize=16)(self._make_arrays)

    @classmethod
    def of(cls, rho: Array) -> "Correlation":
        """The one of this autocorrelation: the images of a filter share it, and what it keeps."""
        rho = np.ascontiguousarray(rho, dtype=float)
        square = rho.ndim == 2 and rho.shape[0] == rho.shape[1] and rho.shape[0] % 2 == 1
        half = rho.shape[0] // 2 if square else 0
        if not (
            square
            and np.isfinite(rho).all()
            and np.isclose(rho[half, half], 1.0)
            and np.allclose(rho, rho[::-1, ::-1])
        ):
            raise InputError(
                "rho", f"an array of shape {rho.shape}" + (f" with {rho[half, half]:.3g} in its middle" if square else ""),
                "the autocorrelation at all lags: an odd square, 1 in the middle, the same on either side of it",
                "Of a quadrant, mirror it: lags run from -r to r along both axes.",
            )  # fmt: skip
        return _made(rho.tobytes(), len(rho))

    def __call__(self, images: Array, shape: tuple[int, int]) -> Array:
        """Images (c, ny nx), flat, of boxes of this shape, correlated."""
        rho, matrix = self.arrays(shape)
        if self.white:
            return images
        return images @ matrix if matrix.size else correlate(images, *shape, rho)

    def _make_arrays(self, shape: tuple[int, int]) -> tuple[Array, Array]:
        """The autocorrelation; and the covariance (ny nx, ny nx) of a box's pixels, of no size where boxes are too large, or white."""
        if self.white or shape[0] * shape[1] > _LARGEST:
            return self.rho, np.empty((0, 0))
        rows, columns = (axis.ravel() for axis in np.indices(shape))
        down, right = rows[:, None] - rows, columns[:, None] - columns
        half = self.rho.shape[0] // 2
        near = (np.abs(down) <= half) & (np.abs(right) <= half)
        rho = self.rho[np.clip(down + half, 0, 2 * half), np.clip(right + half, 0, 2 * half)]
        return self.rho, np.where(near, rho, 0.0)


@lru_cache(maxsize=32)
def _made(rho: bytes, side: int) -> Correlation:
    return Correlation(np.frombuffer(rho).reshape(side, side))
