"""The fast solver against the readable one."""

import numpy as np
import pytest
from astropy.table import Table
from clump_scenes import Field, draw_clump, draw_psf
from clumpscope.photometry import fit_clumps

KERNEL = draw_psf(31)


def test_same_optimum_as_lmfit():
    field = Field(2, 60, 1.6, 0.9, seed=2)
    args = (field.image, field.error, KERNEL, field.start_x, field.start_y)
    fast = fit_clumps(*args)
    slow = fit_clumps(*args, method="lmfit")
    # Two ways to draw the same model differ by a thousandth or so; the noise of the flux is ten times that.
    assert fast["flux"] == pytest.approx(slow["flux"], rel=5e-3)
    assert fast["chi2"] == pytest.approx(slow["chi2"], rel=2e-3)
    for name, tolerance in (("x", 5e-3), ("y", 5e-3), ("sigma_x_px", 0.03), ("sigma_y_px", 0.03)):
        assert fast[name] == pytest.approx(slow[name], abs=tolerance)
    assert fast["flux_err"] == pytest.approx(slow["flux_err"], rel=0.1)
    # Of two solvers of one problem, the fast one must not end higher.
    assert (fast["chi2"] <= slow["chi2"] + 0.1).all()


def test_same_forced_flux_as_lmfit_for_a_pair():
    rng = np.random.default_rng(3)
    image = draw_clump((31, 31), 14.2, 15.1, 1.0, 0.5, 20.0) + 2.0 * draw_clump((31, 31), 17.3, 15.6)
    image += rng.normal(0.1, 1e-3, image.shape)
    shape = Table({"sigma_x_px": [1.0, 0.0], "sigma_y_px": [0.5, 0.0], "theta_deg": [20.0, 0.0]})
    args = (image, np.full(image.shape, 1e-3), KERNEL, [14.0, 17.5], [15.0, 15.5])
    fast, slow = fit_clumps(*args, shape=shape), fit_clumps(*args, shape=shape, method="lmfit")
    assert fast["flux"] == pytest.approx([1.0, 2.0], rel=0.02)
    assert fast["flux"] == pytest.approx(slow["flux"], rel=5e-3)
    assert fast["background"] == pytest.approx(slow["background"], abs=1e-3)
