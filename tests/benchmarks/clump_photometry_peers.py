"""The clump fit of `clump_photometry.py` as users of other packages would write it.

Each function takes (image, error, kernel, x, y, shape, groups): arrays, starting positions, a table of fixed
sigma_x_px, sigma_y_px, theta_deg or None, and the number of the tile on which a clump lies (clumps of one tile are
fitted together); each gives fluxes and their errors, NaN where the package gives none.
"""

import warnings

import numpy as np
from astropy.table import Table
from clumpscope.photometry.model import covariance_of

__all__ = ["PEERS", "Missing"]

_SIDE = 64


class Missing(Exception):
    """A package that is not installed."""


def photutils_psf(image, error, kernel, x, y, shape, groups) -> tuple[np.ndarray, np.ndarray]:
    """PSFPhotometry with an elliptical Gaussian times PSF model and a plane, derivatives by differences.

    Pairs are fitted one at a time: its grouped fits (3.0) cannot read the results of models with such parameters.
    """
    from astropy.modeling import Fittable2DModel, Parameter
    from photutils.psf import PSFPhotometry

    half = min(kernel.shape[0] // 2, 22)
    middle = kernel.shape[0] // 2
    padded = np.zeros((_SIDE, _SIDE))
    padded[: 2 * half + 1, : 2 * half + 1] = kernel[
        middle - half : middle + half + 1, middle - half : middle + half + 1
    ]
    transform = np.fft.fft2(np.roll(padded, (-half, -half), axis=(0, 1)))
    wave = 2 * np.pi * np.fft.fftfreq(_SIDE)

    class Clump(Fittable2DModel):
        flux, x_0, y_0 = Parameter(default=1.0), Parameter(default=0.0), Parameter(default=0.0)
        sigma_x, sigma_y = Parameter(default=1.0, bounds=(0, 9)), Parameter(default=0.8, bounds=(0, 9))
        theta = Parameter(default=0.3)
        level = Parameter(default=0.0)
        slope_x, slope_y = Parameter(default=0.0), Parameter(default=0.0)

        @staticmethod
        def evaluate(x, y, flux, x_0, y_0, sigma_x, sigma_y, theta, level, slope_x, slope_y):
            flux, x_0, y_0, sigma_x, sigma_y, theta = (
                float(np.squeeze(value)) for value in (flux, x_0, y_0, sigma_x, sigma_y, theta)
            )
            xx, yy, xy = covariance_of(sigma_x, sigma_y, np.rad2deg(theta))
            base_x, base_y = round(x_0), round(y_0)
            v, u = wave[None, :], wave[:, None]
            blur = np.exp(
                -0.5 * (xx * v**2 + yy * u**2 + 2 * xy * u * v)
                - 1j * (u * (y_0 - base_y) + v * (x_0 - base_x))
            )
            drawn = np.fft.ifft2(transform * blur).real
            column, row = np.asarray(x, int) - base_x, np.asarray(y, int) - base_y
            return (
                flux * drawn[row % _SIDE, column % _SIDE] + level + slope_x * (x - x_0) + slope_y * (y - y_0)
            )

    flux, flux_err = np.full((2, len(x)), np.nan)
    for k in range(len(x)):
        model = Clump()
        if shape is not None:  # starting values of fixed parameters are taken from the model alone
            model.sigma_x, model.sigma_y = shape["sigma_x_px"][k], shape["sigma_y_px"][k]
            model.theta = np.deg2rad(shape["theta_deg"][k])
            model.sigma_x.fixed = model.sigma_y.fixed = model.theta.fixed = True
        photometry = PSFPhotometry(model, (9, 9), xy_bounds=2.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = photometry(
                image, error=error, init_params=Table({"x_0": [x[k]], "y_0": [y[k]], "flux": [0.8]})
            )
        flux[k], flux_err[k] = fitted["flux_fit"][0], fitted["flux_err"][0]
    return flux, flux_err


def lenstronomy(image, error, kernel, x, y, shape, groups) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian ellipses and a constant, sampled 3x finer than the pixels; amplitudes solved, the rest by scipy."""
    try:
        from lenstronomy.Data.imaging_data import ImageData
        from lenstronomy.Data.psf import PSF
        from lenstronomy.ImSim.image_linear_solve import ImageLinearFit
        from lenstronomy.LensModel.lens_model import LensModel
        from lenstronomy.LightModel.light_model import LightModel
    except ImportError:
        raise Missing("lenstronomy is not installed here") from None
    from scipy.optimize import least_squares

    middle, half = kernel.shape[0] // 2, 12
    cropped = kernel[middle - half : middle + half + 1, middle - half : middle + half + 1]
    psf = PSF(psf_type="PIXEL", kernel_point_source=cropped / cropped.sum())
    flux, flux_err = np.full((2, len(x)), np.nan)
    for tile in np.unique(groups):
        members = np.flatnonzero(groups == tile)
        box = 9 if members.size == 1 else 17
        column, row = (round(float(np.mean(value[members]))) for value in (x, y))
        part = np.s_[max(row - box // 2, 0) : row + box // 2 + 1, column - box // 2 : column + box // 2 + 1]
        data = ImageData(image_data=image[part], noise_map=error[part], ra_at_xy_0=part[1].start,
                         dec_at_xy_0=part[0].start, transform_pix2angle=np.eye(2))  # fmt: skip
        light = LightModel(["GAUSSIAN_ELLIPSE"] * members.size + ["UNIFORM"])
        solver = ImageLinearFit(data, psf, LensModel([]), None, light, None,
                                kwargs_numerics={"supersampling_factor": 3})  # fmt: skip

        def keywords(values, members=members):
            rows = []
            for index, k in enumerate(members):
                if shape is None:
                    x_k, y_k, width, e1, e2 = values[5 * index : 5 * index + 5]
                else:
                    x_k, y_k = values[2 * index : 2 * index + 2]
                    # Narrower Gaussians would fall between the samples.
                    a, b = max(shape["sigma_x_px"][k], 0.2), max(shape["sigma_y_px"][k], 0.2)
                    angle = np.deg2rad(shape["theta_deg"][k])
                    width = np.sqrt(a * b)
                    e1, e2 = (a - b) / (a + b) * np.cos(2 * angle), (a - b) / (a + b) * np.sin(2 * angle)
                rows.append(
                    {
                        "amp": 1.0,
                        "sigma": max(width, 1e-3),
                        "e1": e1,
                        "e2": e2,
                        "center_x": x_k,
                        "center_y": y_k,
                    }
                )
            return [*rows, {"amp": 1.0}]

        def solve(values, solver=solver, keywords=keywords):
            return solver.image_linear_solve(kwargs_lens_light=keywords(values), inv_bool=True)

        def residual(values, solver=solver, solve=solve):
            return solver.reduced_residuals(solve(values)[0]).ravel()

        start, low, high = [], [], []
        for k in members:
            free = [1.0, 0.05, 0.05] if shape is None else []
            start += [x[k], y[k], *free]
            low += [x[k] - 2, y[k] - 2, *([0.01, -0.7, -0.7] if free else [])]
            high += [x[k] + 2, y[k] + 2, *([6.0, 0.7, 0.7] if free else [])]
        found = least_squares(residual, start, bounds=(low, high), x_scale=0.3)
        amplitudes = np.array(solve(found.x)[3])[: members.size]
        # Errors as a user would get them: the full Jacobian, amplitudes included, by differences.
        basis = solver.linear_response_matrix(None, None, keywords(found.x), None)
        matrix = np.vstack([np.asarray(basis) / error[part].ravel(), found.jac.T])
        try:
            covariance = np.linalg.inv(matrix @ matrix.T)
            variance = np.diag(covariance)[: members.size]
            flux_err[members] = np.sqrt(np.where(variance > 0, variance, np.nan))
        except np.linalg.LinAlgError:
            pass
        flux[members] = amplitudes
    return flux, flux_err


PEERS = {"photutils": photutils_psf, "lenstronomy": lenstronomy}
