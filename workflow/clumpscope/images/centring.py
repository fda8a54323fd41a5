"""Sub-pixel centres and shifts of point-source images."""

import numpy as np
import scipy

__all__ = ["centred_square", "core_centroid", "finer", "pixels_of", "shifted", "stretched", "with_pixel"]

# Zeros around an image, so that what leaves on one side does not come back on the other.
_PADDING_PX = 8


def core_centroid(
    image: np.ndarray, x: float, y: float, sigma_px: float = 1.5, max_move_px: float = 3.0
) -> tuple[float, float]:
    """Centroid under a Gaussian window that follows it (SExtractor's XWIN_IMAGE, YWIN_IMAGE).

    Parameters
    ----------
    image : (ny, nx) array
        Background-subtracted; non-finite pixels count as zero.
    x, y : float
        Where to start.
    sigma_px : float
        Standard deviation of the window, about that of the source's core.
    max_move_px : float
        Farther from the start it has left the source.

    Returns
    -------
    x, y : float
        NaN for both when the window holds no positive flux or the centre runs away.
    """
    values = np.where(np.isfinite(image), image, 0.0)
    rows, columns = np.indices(values.shape)
    x_now, y_now = float(x), float(y)
    for _ in range(200):
        window = values * np.exp(-((columns - x_now) ** 2 + (rows - y_now) ** 2) / (2.0 * sigma_px**2))
        total = window.sum()
        if not total > 0:
            return np.nan, np.nan
        # A Gaussian seen through an equal Gaussian window moves half way: hence the factor 2.
        step_x = 2.0 * (window * (columns - x_now)).sum() / total
        step_y = 2.0 * (window * (rows - y_now)).sum() / total
        x_now, y_now = x_now + step_x, y_now + step_y
        if np.hypot(x_now - x, y_now - y) > max_move_px:
            return np.nan, np.nan
        if np.hypot(step_x, step_y) < 1e-6:
            break
    return x_now, y_now


def shifted(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Image moved by (dx, dy) pixels, zero outside, interpolated in Fourier space.

    Parameters
    ----------
    image : (ny, nx) array
        Finite everywhere.
    dx, dy : float
        A source at (x, y) comes to (x + dx, y + dy).

    Notes
    -----
    Exact for images sampled at twice the diffraction cutoff or finer, such as NIRCam mosaics of 0.02 (short)
    and 0.04 arcsec (long wavelengths); for coarser ones, better than splines too.
    """
    shape = [scipy.fft.next_fast_len(size + 2 * _PADDING_PX, real=True) for size in image.shape]
    wave_y = scipy.fft.fftfreq(shape[0])[:, None]
    wave_x = scipy.fft.rfftfreq(shape[1])[None, :]
    phase = np.exp(-2j * np.pi * (wave_x * dx + wave_y * dy))
    return scipy.fft.irfft2(scipy.fft.rfft2(image, shape) * phase, shape)[: image.shape[0], : image.shape[1]]


def centred_square(image: np.ndarray, x: float, y: float, half_size: int | None = None) -> np.ndarray:
    """Odd-sized square with the source at (x, y) on its middle pixel.

    Parameters
    ----------
    image : (ny, nx) array
        Finite everywhere.
    x, y : float
        Centroid as of `core_centroid`.
    half_size : int, optional
        The square has ``2 half_size + 1`` pixels a side; default the largest that fits.

    Returns
    -------
    (n, n) array
        Interpolated once, whatever the shift.
    """
    column, row = round(x), round(y)
    fitting = min(column, row, image.shape[1] - 1 - column, image.shape[0] - 1 - row)
    half = fitting if half_size is None else min(half_size, fitting)
    moved = shifted(image, column - x, row - y)
    return moved[row - half : row + half + 1, column - half : column + half + 1].copy()


def finer(image: np.ndarray, n: int) -> np.ndarray:
    """Image on a grid of `n` samples a pixel side, interpolated in Fourier space.

    Parameters
    ----------
    image : (m, m) array
        Odd m; finite everywhere.
    n : int

    Returns
    -------
    (n (m - 1) + 1, n (m - 1) + 1) array
        Its samples lie between the centres of the outermost pixels; the middle stays in the middle.
    """
    padded = np.pad(image, _PADDING_PX)
    size = padded.shape[0]
    before = (n - 1) * size // 2 - ((n - 1) * size // 2 + size // 2 - n * size // 2)
    room = np.zeros((n * size, n * size), dtype=complex)
    room[before : before + size, before : before + size] = scipy.fft.fftshift(scipy.fft.fft2(padded))
    fine = scipy.fft.ifft2(scipy.fft.ifftshift(room)).real * n**2
    first, side = n * _PADDING_PX, n * (image.shape[0] - 1) + 1
    return fine[first : first + side, first : first + side]


def with_pixel(image: np.ndarray, oversampling: float) -> np.ndarray:
    """Every sample replaced by the value of a pixel that sits there, `oversampling` samples wide.

    Parameters
    ----------
    image : (ny, nx) array
        Surface brightness; finite everywhere.
    oversampling : float
        Samples a pixel side.
    """
    shape = [
        scipy.fft.next_fast_len(size + 2 * int(np.ceil(oversampling)), real=True) for size in image.shape
    ]
    wave_y, wave_x = scipy.fft.fftfreq(shape[0])[:, None], scipy.fft.rfftfreq(shape[1])[None, :]
    pixel = np.sinc(wave_y * oversampling) * np.sinc(wave_x * oversampling)
    return scipy.fft.irfft2(scipy.fft.rfft2(image, shape) * pixel, shape)[: image.shape[0], : image.shape[1]]


def pixels_of(fine: np.ndarray, oversampling: float, dx: float = 0.0, dy: float = 0.0) -> np.ndarray:
    """Values of whole pixels of an oversampled kernel.

    Parameters
    ----------
    fine : (m, m) array
        Odd m, source on the middle sample, every sample the value of a pixel that sits there.
    oversampling : float
        Samples a pixel side.
    dx, dy : float
        Position of the source from the middle of the middle pixel [px].

    Returns
    -------
    (n, n) array
        Odd n; what `fine` holds of it.
    """
    middle = fine.shape[0] // 2
    half = int(middle / oversampling + 1e-9)
    return _sampled(fine, *(oversampling * (np.arange(-half, half + 1) - d) for d in (dy, dx)))


def stretched(image: np.ndarray, factor: float) -> np.ndarray:
    """Image of the same size, `factor` times as wide about its middle, interpolated in Fourier space; zero outside.

    Parameters
    ----------
    image : (n, n) array
        Odd n; finite everywhere.
    factor : float
    """
    half = image.shape[0] // 2
    # What is asked for beyond an edge must not come from the other side.
    beyond = max(int(np.ceil(half / factor)) - half, 0)
    places = np.arange(-half, half + 1) / factor
    return _sampled(np.pad(image, _PADDING_PX + beyond), places, places)


def _sampled(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values of an odd square at places from its middle sample, interpolated in Fourier space."""
    wave = scipy.fft.fftfreq(image.shape[0])
    sides = [np.exp(2j * np.pi * np.outer(places, wave)) for places in (rows, columns)]
    return (sides[0] @ scipy.fft.fft2(scipy.fft.ifftshift(image)) @ sides[1].T).real / image.size
