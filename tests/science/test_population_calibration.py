"""Are the catalogue's intervals what they say? Many clumps with known truth, measured with known errors."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.cosmology import pc_per_arcsec
from clumpscope.gaussian import HALF_LIGHT_OF_SIGMA
from clumpscope.population.catalogue import assemble
from clumpscope.population.mass_function import power_law

N = 3000
Z, SCALE, FIT_ERROR, SIZE_ERROR = 2.0, 0.02, 0.2, 0.12
MU_SCATTER = 0.25  # of ln mu


@pytest.fixture(scope="module")
def measured():
    """Truth and catalogue: every measurement drawn from the distribution that its errors claim."""
    rng = np.random.default_rng(17)
    mu = np.exp(rng.normal(1.8, 0.5, N))
    mass, radius = rng.uniform(5.5, 8, N), 10 ** rng.uniform(1.6, 2.6, N)
    # The lens model errs by a factor; its samples scatter about what it says by as much.
    model_mu = mu * np.exp(rng.normal(0, MU_SCATTER, N))
    samples = model_mu[:, None] * np.exp(rng.normal(0, MU_SCATTER, (N, 100)))
    sigma = radius * np.sqrt(mu) / HALF_LIGHT_OF_SIGMA / pc_per_arcsec(Z) / SCALE
    # Both axes scatter independently, so the area's error is that of their product.
    axes = sigma[:, None] * np.exp(rng.normal(0, SIZE_ERROR, (N, 2)))
    fitted = mass + np.log10(mu) + rng.normal(0, FIT_ERROR, N)
    ids = np.array([f"c{k}" for k in range(N)])
    photometry = Table(
        {"id": ids, "galaxy": np.full(N, "G"), "ra": np.zeros(N), "dec": np.zeros(N), "x": np.zeros(N), "y": np.zeros(N),
         "filter_ref": np.full(N, "F150W"), "pixel_scale_arcsec": np.full(N, SCALE), "snr": np.full(N, 30.0),
         "sigma_x_px": axes[:, 0], "sigma_x_px_err": SIZE_ERROR * axes[:, 0], "sigma_y_px": axes[:, 1],
         "sigma_y_px_err": SIZE_ERROR * axes[:, 1], "theta_deg": np.zeros(N), "theta_deg_err": np.zeros(N),
         "flags": np.zeros(N, dtype=int)}
    )  # fmt: skip
    magnification = Table({"id": ids, "flags": np.zeros(N, dtype=int)})
    for name, power in (("mu", 1.0), ("mu_t", 0.5), ("mu_r", 0.5)):
        magnification[name] = model_mu**power
        magnification[f"{name}_samples"] = samples**power
        for side in ("lo", "hi"):
            magnification[f"{name}_err_{side}"] = MU_SCATTER * power * model_mu**power
    sed = Table({"id": ids, "flags": np.zeros(N, dtype=int)})
    for name in ("log_mass", "log_sfr10"):
        for p, deviate in ((16, -0.994458), (50, 0.0), (84, 0.994458)):
            sed[f"{name}_p{p}"] = fitted + deviate * FIT_ERROR
    galaxies = Table({"id": ["G"], "system": ["G"], "z": [Z]})
    psf = Table({"filter": ["F150W"], "fwhm_arcsec": [0.058]})
    catalogue = assemble(galaxies, [photometry], [magnification], sed, {}, psf=psf, sizes_by="paper")
    return {"mass": mass, "radius": radius, "sigma": mass - np.log10(2 * np.pi * radius**2)}, catalogue


def coverage(truth, low, high):
    return float(np.mean((truth > np.asarray(low)) & (truth < np.asarray(high))))


# 3000 clumps know a share of 68 % to 0.9 %; a hundred lens samples and a thousand draws add a little.
def test_masses_lie_in_their_intervals(measured):
    truth, table = measured
    assert coverage(truth["mass"], table["log_mass_p16"], table["log_mass_p84"]) == pytest.approx(
        0.68, abs=0.03
    )
    offset = np.asarray(table["log_mass_p50"]) - truth["mass"]
    assert abs(np.median(offset)) < 4 * np.std(offset) / np.sqrt(N)


def test_sizes_lie_in_their_intervals(measured):
    truth, table = measured
    radius = np.asarray(table["r_eff_pc"])
    inside = coverage(truth["radius"], radius - table["r_eff_pc_err_lo"], radius + table["r_eff_pc_err_hi"])
    assert inside == pytest.approx(0.68, abs=0.03)


def test_densities_lie_in_their_intervals_without_the_lens(measured):
    truth, table = measured
    assert coverage(
        truth["sigma"], table["log_sigma_mass_p16"], table["log_sigma_mass_p84"]
    ) == pytest.approx(0.68, abs=0.03)
    # The lens model's 0.11 dex would widen these; densities do not contain it.
    width = 0.5 * np.median(table["log_sigma_mass_p84"] - table["log_sigma_mass_p16"])
    area = np.sqrt(2) * SIZE_ERROR / np.log(10)
    assert width == pytest.approx(0.994458 * np.hypot(FIT_ERROR, area), rel=0.03)


def test_the_slope_survives_incompleteness_below_the_limit_and_magnification():
    # A field sees clumps whose flux M mu exceeds a limit: whole above the limit of the least magnified ones.
    rng = np.random.default_rng(23)
    mass = 4.0 + rng.exponential(1 / np.log(10), 400_000)
    mu = np.exp(rng.uniform(np.log(2), np.log(20), mass.size))
    seen = mass + np.log10(mu) > 6.8
    limit = 6.8 - np.log10(2)
    found, too_low = power_law(mass[seen], limit), power_law(mass[seen], limit - 0.7)
    assert found.n > 500 and found.slope == pytest.approx(-1.0, abs=3 * found.slope_err)
    assert too_low.slope > -1.0 + 5 * too_low.slope_err
