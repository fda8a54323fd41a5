"""Clumps injected into the real sky around the El Gordo arc: found, and measured with honest errors."""

import numpy as np
import pytest
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf import load_psf
from clumpscope.injection.completeness import completeness_limits, completeness_table
from clumpscope.injection.inject import inject
from clumpscope.injection.recovery import recovery_table
from clumpscope.injection.target import background_target

FILTERS = ("F200W", "F277W")


@pytest.fixture(scope="module")
def injected(shared_data):
    folder = shared_data / "real/images/elgordo_arc"
    mosaics, psfs = {}, {}
    for name in FILTERS:
        (image,) = folder.glob(f"Background/*{name.lower()}*")
        (psf,) = folder.glob(f"PSF_model/*{name.lower()}*")
        mosaics[name] = open_mosaic(image, pixel_scale=0.04, name=name)
        psfs[name] = load_psf(psf, mosaics[name].pixel_scale_arcsec, name)
    target = background_target(mosaics, psfs, FILTERS[0], seed=1)
    return inject(target, target.detect(), 240, seed=1)


def test_bright_clumps_are_complete_and_faint_ones_are_not(injected):
    cells = completeness_table(injected, min_broad_bands=2)
    every = cells[
        (cells["criterion"] == "detected") & np.isnan(cells["sigma_px"])
        & np.isinf(cells["host_low"]) & np.isinf(cells["host_high"])
    ]  # fmt: skip
    bright = every[every["depth_ratio_low"] > 3]
    assert bright["n_found"].sum() >= 0.98 * bright["n"].sum() and bright["n"].sum() > 80
    assert every["completeness"][0] < 0.5
    assert np.abs(every["model"] - every["completeness"]).max() < 0.15
    limits = completeness_limits(injected, 2)
    point, wide = (
        limits[(limits["criterion"] == "detected") & (limits["sigma_px"] == sigma) & np.isinf(limits["host_high"])]
        for sigma in (0.0, 2.0)
    )  # fmt: skip
    # The threshold is on smoothed pixels: a point source is half complete near 3 to 5 sigma, a wide clump later.
    depth = float(np.median(injected["true_flux_njy"] / injected["depth_ratio"]))
    assert 0.4 < point["flux_50_njy"][0] / depth < 1.1
    # Behind a PSF of 4 px, 2 px wider peaks are 2.3 times lower; each limit is known to 10 per cent.
    assert wide["flux_50_njy"][0] > 1.6 * point["flux_50_njy"][0]


def test_fluxes_are_unbiased_and_their_errors_honest(injected):
    rows = recovery_table(injected)
    bright = rows[
        (rows["filter"] == "reference") & np.isnan(rows["sigma_px"]) & (rows["depth_ratio_low"] > 2.5)
    ]
    assert len(bright) == 2 and bright["n"].min() > 50
    assert np.abs(bright["flux_ratio"] - 1).max() < 0.03
    assert bright["catastrophic"].max() < 0.04
    whole = rows[rows["filter"] == "F200W"][0]
    assert abs(whole["flux_ratio"] - 1) < 0.03 and whole["catastrophic"] < 0.02
    # Errors are of the noise; sources too faint to be found add to it, most for bright point sources.
    assert 0.8 < whole["pull_width"] < 1.4
    # Forced at the shape of the other filter, the deeper image is unbiased too.
    assert abs(rows[rows["filter"] == "F277W"][0]["flux_ratio"] - 1) < 0.03
