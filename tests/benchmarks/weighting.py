"""What weighting a fit's pixels by the inverse of their noise's covariance would win over weighting by their errors.

For clumps in 9x9 boxes: scatter of the flux with the weights of `clumpscope.photometry` (errors of single pixels) over that of
generalised least squares, from the linearised fit, behind the mock's PSFs in its drizzled noise; what a PSF whose FWHM
is 3 per cent wrong does to either; and, where the real El Gordo backgrounds are given, the scatter of forced fluxes of point sources at random places.

    python tests/benchmarks/weighting.py [--data folder_of_shared_test_data]
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from astropy.stats import biweight_scale

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from clumpscope.filters import get_filter  # noqa: E402
from clumpscope.gaussian import FWHM_OF_SIGMA  # noqa: E402
from clumpscope.images.depth import measure_depth  # noqa: E402
from clumpscope.images.mosaic import open_mosaic  # noqa: E402
from clumpscope.images.profiles import fwhm_px  # noqa: E402
from clumpscope.images.psf_given import load_psf  # noqa: E402
from clumpscope.mock.noise import correlation  # noqa: E402
from clumpscope.mock.optics import OVERSAMPLING, make_psf  # noqa: E402
from clumpscope.photometry.model import SpectralPSF, covariance_of  # noqa: E402

BOX = 9
FREE = {"forced": 1, "placed": 3, "free": 6}
PSF_ERROR = 0.03


def covariance_matrix(rho):
    """Covariance (81, 81) of the box's pixels."""
    half = rho.shape[0] // 2
    y, x = (axis.ravel() for axis in np.indices((BOX, BOX)))
    dy, dx = np.subtract.outer(y, y), np.subtract.outer(x, x)
    inside = (abs(dy) <= half) & (abs(dx) <= half)
    return np.where(inside, rho[np.clip(dy, -half, half) + half, np.clip(dx, -half, half) + half], 0.0)


def design(kernel, sigma, n_free):
    """Flux, plane, and the derivatives of a clump of unit flux, (81, n)."""
    pixels = np.arange(BOX) - BOX // 2
    images = SpectralPSF(kernel, BOX).images(
        0.0, 0.0, covariance_of(sigma, sigma, 0.0), pixels, pixels, n_free
    )
    rows, columns = np.indices((BOX, BOX)) - BOX // 2
    return (
        np.stack([images[0], np.ones((BOX, BOX)), rows, columns, *images[1:]]).reshape(4 + n_free - 1, -1).T
    )


def weights_of_flux(matrix, covariance=None):
    """Row of the estimator that gives the flux."""
    weighted = matrix if covariance is None else np.linalg.solve(covariance, matrix)
    return np.linalg.solve(matrix.T @ weighted, weighted.T)[0]


def compare(kernel, rho, sigma):
    """Scatter over that of generalised least squares, by what is free; bias of forced fluxes [%] for a broader PSF."""
    covariance, row = covariance_matrix(rho), []
    for n_free in FREE.values():
        matrix = design(kernel, sigma, n_free)
        plain, full = weights_of_flux(matrix), weights_of_flux(matrix, covariance)
        row.append(np.sqrt((plain @ covariance @ plain) / (full @ covariance @ full)))
    matrix = design(kernel, sigma, 1)
    extra = np.sqrt((1 + PSF_ERROR) ** 2 - 1) * fwhm_px(kernel) / FWHM_OF_SIGMA
    truth = design(kernel, np.hypot(sigma, extra), 1)[:, 0]
    bias = [100 * (w @ truth - 1) for w in (weights_of_flux(matrix), weights_of_flux(matrix, covariance))]
    return row, bias


def mock_kernel(name):
    fine = make_psf(name, seed=1)
    middle, step = fine.shape[0] // 2, OVERSAMPLING
    reach = middle // step
    kernel = fine[middle - reach * step :: step, middle - reach * step :: step][
        : 2 * reach + 1, : 2 * reach + 1
    ]
    return kernel * step**2


def show(label, sigma, row, bias):
    gains = "  ".join(f"{name} {value:.3f}" for name, value in zip(FREE, row, strict=True))
    print(f"{label:14s} sigma {sigma:g} px  {gains}  bias {bias[0]:+.1f} {bias[1]:+.1f} %")


def main(data):
    print(
        "scatter over that of generalised least squares; bias of forced fluxes for a PSF 3 % too narrow, plain and generalised"
    )
    for name in ("F115W", "F200W", "F277W", "F444W"):
        line = correlation(get_filter(name).channel)
        for sigma in (0.0, 1.0):
            show(f"mock {name}", sigma, *compare(mock_kernel(name), np.outer(line, line), sigma))
    if data is not None:
        folder = data / "real/images/elgordo_arc"
        for name in ("F090W", "F115W", "F150W", "F200W", "F277W", "F356W", "F410M", "F444W"):
            real_sky(folder, name)
    started = time.perf_counter()
    covariance = covariance_matrix(np.outer(line, line))
    for _ in range(200):
        np.linalg.cholesky(covariance)
    print(
        f"one factorisation of a box with its own errors: {(time.perf_counter() - started) / 200 * 1e3:.2f} ms"
    )


def real_sky(folder, name):
    """The same with the measured autocorrelation, and the scatter of fluxes at random places."""
    mosaic = open_mosaic(next((folder / "Background").glob(f"*{name.lower()}*")), pixel_scale=0.04, name=name)
    psf = load_psf(next((folder / "PSF_model").glob(f"*{name.lower()}*")), 0.04, name)
    rho = measure_depth(mosaic, psf).rho
    for sigma in (0.0, 1.0):
        show(f"El Gordo {name}", sigma, *compare(psf.kernel, rho, sigma))
    image = mosaic.read(*(slice(0, size) for size in mosaic.shape))[0]
    boxes = np.lib.stride_tricks.sliding_window_view(image, (BOX, BOX))[::3, ::3].reshape(-1, BOX * BOX)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    matrix, covariance = design(psf.kernel, 0.0, 1), covariance_matrix(rho)
    scatter = [biweight_scale(boxes @ weights_of_flux(matrix, c)) for c in (None, covariance)]
    print(f"    on the sky, forced point sources: {scatter[0] / scatter[1]:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the shared test data")
    main(parser.parse_args().data)
