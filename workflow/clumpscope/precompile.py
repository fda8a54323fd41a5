"""Machine code made ahead: `python -m clumpscope.precompile` runs every compiled function once, and numba keeps what it compiles.

Jobs that start together on a fresh checkout would each compile the same for half a minute. Where the library's folder is
not writable, the code goes to the user's cache folder (`NUMBA_CACHE_DIR` names another).
"""

import os
from concurrent.futures import ProcessPoolExecutor
from operator import call

import numpy as np

from .images.box_median import box_median
from .lensing.models.parametric import ParametricModel
from .photometry.boxes import Box
from .photometry.fit import fit_clumps, render_clumps
from .photometry.host import Host
from .photometry.noise import Correlation
from .sed import fit_posterior

__all__ = ["TASKS", "compile_all"]


def compile_all() -> None:
    """Fit a few clumps, magnify one, and draw posteriors, as the jobs do; each in a process of its own."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(call, TASKS))


def _photometry() -> None:
    rows, columns = np.indices((61, 61))
    kernel = np.exp(-0.5 * ((rows[:31, :31] - 15) ** 2 + (columns[:31, :31] - 15) ** 2) / 1.3**2)
    kernel /= kernel.sum()
    # Three clumps on a host that bends, two of them close; one alone on the sky.
    places = np.array([[20.0, 20.0], [23.0, 20.0], [24.0, 28.0], [50.0, 50.0]])
    image = 40.0 * np.exp(-np.hypot(rows - 20.0, columns - 20.0) / 6.0)
    for x, y in places:
        image += 30.0 * np.exp(-0.5 * ((columns - x) ** 2 / 4.0 + (rows - y) ** 2 / 2.0))
    image += np.random.default_rng(0).normal(0.0, 0.5, image.shape)
    x, y = places.T
    error, rho = np.full(image.shape, 0.5), np.zeros((5, 5))
    rho[1:4, 1:4], rho[2, 2] = 0.1, 1.0
    for noise in (None, rho):
        for model in ("point", "gaussian"):
            free = fit_clumps(image, error, kernel, x, y, model=model, rho=noise)
        fit_clumps(image, error, kernel, x, y, shape=free, rho=noise)
    render_clumps(free, kernel, image.shape)
    Correlation(rho)(image.reshape(1, -1), image.shape)


def _lensing() -> None:
    rows = np.array([[0.0, 0.0, 0.2, 0.5, 1.0, 100.0, 20.0]])
    model = ParametricModel(reference=(0.0, 0.0), z_lens=0.3, profiles=np.array([81]), rows=rows)
    place = np.array([0.001]), np.array([0.001])
    model.magnification(*place, 2.0)
    model.source_position(*place, 2.0)


def _sed() -> None:
    filters = ("F115W", "F150W", "F200W", "F277W", "F356W", "F444W")
    flux = np.array([3.0, 3.5, 4.0, 4.0, 4.2, 4.5])
    for sfh in ("exp_free", "ssp"):
        fit_posterior(flux, 0.1 * flux, filters, 2.0, sfh=sfh, common=0.03 * flux[:, None])


def _others() -> None:
    box_median(np.zeros((9, 9)), 5)
    kernel, correlation = np.full((3, 3), 1.0 / 9.0), Correlation(np.ones((1, 1)))
    light = np.exp(-np.hypot(*np.indices((15, 15))) / 6.0)
    box = Box(np.array([0, 0]), np.full(light.shape, 100.0), False)
    Host(kernel, 2.0, correlation, 1.0).background(box, light, np.zeros((0, *light.shape)))
    _sed()
    _lensing()


TASKS = _photometry, _others
"""What is run, side by side: together it calls every compiled function, and what one has compiled the other reads."""

if __name__ == "__main__":
    compile_all()
