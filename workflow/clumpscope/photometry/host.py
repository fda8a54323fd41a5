"""The background of a fit: a plane, and on hosts what bends, as a Gaussian process seen through the PSF.

Exponential discs at random places have the power spectrum (1 + k^2 h^2)^-3 (a Matern process of order 2), and the PSF
passes its transfer function of it. In a small box this is a few modes, whose factors are parameters of the fit with a
Gaussian prior. Its width, the one number that is not known, is that of the largest evidence in the box: where nothing
bends it is zero, and the modes are not there. A lens draws discs out into arcs, and discs have arms: where shapes of clumps
are given, processes that are long in one direction and thin across it compete with the round one by their evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from ..images.box_median import box_median
from .boxes import Box
from .compiled import host_evidences
from .noise import Correlation

__all__ = ["Background", "Host", "bright_surroundings", "plane", "rise_towards", "running_median"]

Array = np.ndarray
# Scales of the discs [FWHM of the PSF]: round ones, and arcs and arms, long along one of so many directions.
_SCALE_FWHM = 2.0
_LONG_FWHM, _THIN_FWHM, _DIRECTIONS = 4.0, 1.0, 6
# Standard deviation of the broadest clump on a host, which is as long as these discs' scale [FWHM of the PSF].
_BROADEST_FWHM = 1.0
# Period of the images in which covariances are computed [px].
_PERIOD = 128
# Modes are computed of every so many rows and columns, and interpolated with the covariance: no PSF lets more through.
_STRIDE = 2
# Modes fainter than this, in standard deviations of the noise, summed in squares over the box, are left out; and the most there are.
_FAINT, _MOST = 0.1, 40
# Directions of arcs are told apart by so many of their strongest modes; so many of the best are then asked in full.
_TELLING, _ASKED = 12, 2
# Widths of the prior that are tried [standard deviations of a pixel].
_WIDTHS = 0.25 * 2.0 ** np.arange(0.0, 12.5, 0.5)
# The prior over its best width: the light under a clump bends as its surroundings do within a factor, and a narrow prior
# pulls it to the plane.
_WIDER = np.sqrt(2.0)
# Rise of the log evidence over that of the plane alone, which is no noise.
_RISE = 1.0
# Edges of a ring about a clump, and of the next one [FWHM of the PSF].
_RINGS = 0.8, 1.25, 1.7


@dataclass(frozen=True)
class Background:
    """Terms of a background, linear in their factors.

    Attributes
    ----------
    terms : (t, ny, nx) array
        The plane (1, and slopes along x and y per side of the box); modes of the host, scaled so that their factors have
        unit variance.
    ridge : (t,) array
        Penalty of the squares of the factors in chi-squared; 0 for the plane.
    width : float
        Of the host's prior [standard deviations of a pixel]; 0 without a host.
    broadest_px : float
        Standard deviation beyond which light is the host's, not a clump's.
    process : int
        Which of the host's processes it is.
    """

    terms: Array
    ridge: Array
    width: float = 0.0
    broadest_px: float = np.inf
    process: int = 0


@lru_cache
def plane(shape: tuple[int, int]) -> Background:
    """Of a box of this shape, without a host."""
    along_y, along_x = (
        (index - 0.5 * (side - 1)) / side for index, side in zip(np.indices(shape), shape, strict=True)
    )
    return Background(np.array([np.ones(shape), along_x, along_y]), np.zeros(3))


class Host:
    """Smooth light behind one PSF.

    Parameters
    ----------
    kernel : (n, n) array
        PSF on pixels, odd n.
    fwhm : float
        Of it [px].
    correlation : Correlation
        Of the noise.
    error_scale : float
        True scatter of the pixels over their errors.
    """

    def __init__(self, kernel: Array, fwhm: float, correlation: Correlation, error_scale: float) -> None:
        self._correlation, self._error_scale = correlation, error_scale
        wave = 2.0 * np.pi * np.fft.fftfreq(_PERIOD)
        self.broadest_px = _BROADEST_FWHM * fwhm
        transfer = np.fft.fft2(kernel, (_PERIOD, _PERIOD))

        def spectrum(long: float, thin: float, angle: float) -> Array:
            along = np.cos(angle) * wave + np.sin(angle) * wave[:, None]
            across = np.cos(angle) * wave[:, None] - np.sin(angle) * wave
            return (1.0 + fwhm**2 * ((long * along) ** 2 + (thin * across) ** 2)) ** -3.0

        angles = np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
        spectra = [spectrum(_SCALE_FWHM, _SCALE_FWHM, 0.0)]
        spectra += [spectrum(_LONG_FWHM, _THIN_FWHM, angle) for angle in angles]
        # Of unit variance before the PSF.
        self._covariances = [np.fft.ifft2(np.abs(transfer) ** 2 * one / one.mean()).real for one in spectra]
        self._modes, self._seen = lru_cache(self._make_modes), lru_cache(self._make_seen)
        self._disc = lru_cache(lambda process: np.fft.ifft2(np.sqrt(spectra[process]) * transfer).real)
        self._middle = kernel.shape[0] // 2

    def _make_modes(self, shape: tuple[int, int], process: int = 0) -> Array:
        """Modes (k, ny, nx) of a process without a plane, the strongest first, for a width of 1."""
        ny, nx = shape
        rows, columns = (axis.ravel() for axis in np.indices(shape))
        some = (rows % _STRIDE == 0) & (columns % _STRIDE == 0)

        def covariance(a: Array, b: Array) -> Array:
            return self._covariances[process][
                (rows[a, None] - rows[b]) % _PERIOD, (columns[a, None] - columns[b]) % _PERIOD
            ]

        values, vectors = scipy.linalg.eigh(covariance(some, some))
        kept = values > 1e-9 * values[-1]
        modes = covariance(np.ones(some.size, dtype=bool), some) @ (vectors[:, kept] / np.sqrt(values[kept]))
        flat = np.linalg.qr(plane(shape).terms.reshape(3, -1).T)[0]
        modes -= flat @ (flat.T @ modes)
        # Main axes by their few products: in a quarter of the time of a decomposition of all pixels.
        power, axes = scipy.linalg.eigh(modes.T @ modes)
        strongest = np.argsort(-power, kind="stable")[:_MOST]
        strongest = strongest[power[strongest] > 1e-8 * power.max()]
        return np.ascontiguousarray((modes @ axes[:, strongest]).T).reshape(-1, ny, nx)

    def background(self, box: Box, image: Array, sources: Array, arcs: bool = True) -> Background:
        """Plane and host of a box, as strong as the data ask for.

        Parameters
        ----------
        box : Box
        image : (ny, nx) array
            Its data.
        sources : (s, ny, nx) array
            Images of its clumps, and their derivatives: what they can explain says nothing about the host.
        arcs : bool
            Whether arcs are asked for, too: beside a clump whose shape is free they would be taken for it.

        Returns
        -------
        Background
            The plane alone where the host has no evidence.
        """
        shape, weight = box.weight.shape, box.weight.ravel()
        flat = plane(shape)
        known = np.concatenate([sources, flat.terms]).reshape(-1, weight.size) * weight
        basis = np.ascontiguousarray(np.linalg.qr(known.T)[0].T)
        data = image.ravel() * weight

        def evidence(processes: Sequence[int], quick: float | None = None) -> tuple[Array, Array, Array]:
            return self._evidence(processes, weight, basis, data, shape, quick)

        best = 0  # the round process
        (rise,), (width,), (smooth,) = evidence([best])
        if rise < _RISE:
            return flat
        if arcs:
            rough = evidence(range(1, len(self._covariances)), smooth)[0]
            likely = sorted(1 + np.argsort(-rough, kind="stable")[:_ASKED])
            rises, widths, smooths = evidence(likely)
            first = int(rises.argmax())
            # The directions of an arc share its prior probability.
            if rises[first] - np.log(_DIRECTIONS) > rise:
                best, width, smooth = likely[first], widths[first], smooths[first]
        modes = self._modes(shape, best)
        width *= _WIDER
        strong = np.sum((modes.reshape(len(modes), -1) * weight) ** 2, axis=1) * width**2 > _FAINT
        ridge = np.concatenate([flat.ridge, np.full(strong.sum(), smooth)])
        return Background(
            np.concatenate([flat.terms, width * modes[strong]]), ridge, width, self.broadest_px, best
        )

    def _make_seen(
        self, shape: tuple[int, int], processes: tuple[int, ...], n_modes: int
    ) -> tuple[Array, Array]:
        """Modes of unit length (p, m, pixels) of some processes, the strongest first, and their lengths (p, m)."""
        kept = [self._modes(shape, process)[:n_modes].reshape(-1, np.prod(shape)) for process in processes]
        modes = np.zeros((len(kept), max(map(len, kept)), np.prod(shape)))
        for own, some in zip(modes, kept, strict=True):
            own[: len(some)] = some
        strength = np.sqrt(np.sum(modes**2, axis=-1))
        return modes / np.where(strength > 0.0, strength, 1.0)[..., None], strength

    def _evidence(
        self,
        processes: Sequence[int],
        weight: Array,
        basis: Array,
        data: Array,
        shape: tuple[int, int],
        smooth: float | None = None,
    ) -> tuple[Array, Array, Array]:
        """Rise of the log evidence over the plane's, the width that has it, and the variance of the noise's smooth part, of processes.

        Quicker where that variance, `smooth`, is taken for all of the noise's.
        """
        modes, strength = self._seen(shape, tuple(processes), _MOST if smooth is None else _TELLING)
        evidence, smooths = host_evidences(
            modes, strength, weight, basis, data, smooth or 0.0, self._error_scale**2,
            *shape, *self._correlation.arrays(shape), _WIDTHS,
        )  # fmt: skip
        best = evidence.argmax(axis=1)
        return evidence[np.arange(len(best)), best], _WIDTHS[best], smooths

    def hidden(
        self, box: Box, image: Array, sources: Array, theta: Array, response: Array, process: int = 0
    ) -> Array:
        """Light of a host's centre that fluxes contain, if it were where the clump is.

        An exponential disc centred on each clump in turn, as bright as the light around it has room for.

        Parameters
        ----------
        box, image, sources
            As in `background`.
        theta : (n, 5) array
            Clumps.
        response : (n, ny, nx) array
            What light in a pixel adds to their fluxes.
        process : int
            Of the background that was fitted: the disc is as long and thin as that.

        Returns
        -------
        (n,) array
            Not below zero.
        """
        (ny, nx), weight, hidden = box.weight.shape, box.weight.ravel(), np.zeros(len(theta))
        known = np.concatenate([sources, plane((ny, nx)).terms]).reshape(-1, weight.size) * weight
        basis = np.linalg.qr(known.T)[0]
        for k, (x, y) in enumerate(theta[:, :2]):
            rows, columns = (box.corner - np.rint([y, x]).astype(int) + self._middle)[:, None]
            disc = self._disc(process)[
                np.ix_((rows + np.arange(ny)) % _PERIOD, (columns + np.arange(nx)) % _PERIOD)
            ]
            seen = disc.ravel() * weight
            seen -= basis @ (basis.T @ seen)
            strength = (seen @ (image.ravel() * weight)) / (seen @ seen)
            hidden[k] = max(strength * np.sum(response[k] * disc), 0.0)
        return hidden


def bright_surroundings(significance: Array, side: int) -> Array:
    """Share of the pixels brighter than one standard deviation on a square frame around every pixel, (ny, nx).

    Parameters
    ----------
    significance : (ny, nx) array
        Image over its noise; 0 where there is no good pixel.
    side : int
        Odd side of the frame [px], which is a quarter of it wide.
    """
    bright = (significance > 1.0).astype(np.float32)
    inner = 2 * (side // 4) + 1
    # Whole numbers of pixels: rounding must not decide on which side of a limit a share is.
    within, near = (
        np.rint(scipy.ndimage.uniform_filter(bright, width, mode="nearest") * width**2)
        for width in (side, inner)
    )
    return (within - near) / (side**2 - inner**2)


def rise_towards(left: Array, good: Array, x: Array, y: Array, fwhm: float) -> Array:
    """Light by which an image is brighter beside a place than farther out, over an area of pi FWHM^2.

    Parameters
    ----------
    left : (ny, nx) array
        Image without its clumps.
    good : (ny, nx) bool array
        Good pixels.
    x, y : (n,) arrays
        Places [px].
    fwhm : float
        Of the PSF [px].

    Returns
    -------
    (n,) array
        The ring from 0.8 to 1.25 FWHM over that from 1.25 to 1.7 FWHM, beside a slope through both, times pi FWHM^2; 0
        where the near one is the fainter, or too few pixels are good.
    """
    rise, reach = np.zeros(len(x)), int(np.ceil(_RINGS[-1] * fwhm)) + 1
    for k, (row, column) in enumerate(np.rint(np.column_stack([y, x])).astype(int)):
        low, first = max(row - reach, 0), max(column - reach, 0)
        part = np.s_[low : row + reach + 1, first : column + reach + 1]
        dy, dx = np.indices(left[part].shape) + np.reshape([low - y[k], first - x[k]], (2, 1, 1))
        ring = np.digitize(np.hypot(dx, dy) / fwhm, _RINGS)
        used = good[part] & ((ring == 1) | (ring == 2))
        if used.any():
            terms = np.stack([ring[used] == 1, np.ones(used.sum()), dx[used], dy[used]], axis=1)
            found, _, rank, _ = np.linalg.lstsq(terms, left[part][used], rcond=None)
            rise[k] = np.pi * fwhm**2 * max(found[0], 0.0) if rank == terms.shape[1] else 0.0
    return rise


def running_median(image: Array, side: int) -> Array:
    """Median of an image, in boxes of odd `side`, everywhere; pixels that are NaN take their nearest good neighbour's value."""
    good = np.isfinite(image)
    if not good.any():
        return np.zeros(image.shape)
    nearest = scipy.ndimage.distance_transform_edt(~good, return_distances=False, return_indices=True)
    return box_median(image[tuple(nearest)], side)
