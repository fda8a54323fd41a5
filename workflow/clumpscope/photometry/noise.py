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
        self._matrix = lru_cache(maxsize=8)(self._make_matrix)

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
        if self.white:
            return images
        if shape[0] * shape[1] > _LARGEST:
            return correlate(images, *shape, self.rho)
        return images @ self._matrix(shape)

    def _make_matrix(self, shape: tuple[int, int]) -> Array:
        rows, columns = (axis.ravel() for axis in np.indices(shape))
        down, right = rows[:, None] - rows, columns[:, None] - columns
        half = self.rho.shape[0] // 2
        near = (np.abs(down) <= half) & (np.abs(right) <= half)
        return np.where(
            near, self.rho[np.clip(down + half, 0, 2 * half), np.clip(right + half, 0, 2 * half)], 0.0
        )


@lru_cache(maxsize=32)
def _made(rho: bytes, side: int) -> Correlation:
    return Correlation(np.frombuffer(rho).reshape(side, side))
