"""Population numbers beside those of the truth, of fields that were measured without errors, with an offset, and in part."""

import numpy as np
import pytest
from astropy.table import Table, vstack
from clumpscope.population.products import population_tables
from clumpscope.population.recovered import recovered_populations

PSF = Table({"filter": ["F150W"], "fwhm_arcsec": [0.06]})
SETTINGS = {"min_broad_bands": 4, "redshift_bins": (0.7, 1.5, 2.5, 3.5, 5.5)}
N, GRADIENT = 400, -0.12


def truths(rng):
    host = np.repeat(np.arange(40), N // 40)
    mass, distance = rng.uniform(8.5, 10.5, 40), rng.uniform(0.2, 6, N)
    z = rng.uniform(0.8, 5.0, 40)
    side = np.arange(N)
    clumps = Table({"id": [f"t{k}" for k in side], "galaxy": [f"G{k:02d}" for k in host], "z": z[host],
                    "ra": 10 + side % 20 * 5 / 3600, "dec": side // 20 * 5 / 3600, "filter_ref": ["F150W"] * N,
                    "distance_kpc": distance, "central": np.zeros(N, bool), "class": ["compact"] * N,
                    "r_eff_pc": 10 ** rng.uniform(1, 2, N), "mu": rng.uniform(2, 9, N),
                    "log_mass": mass[host] - 2.5 + GRADIENT * distance + rng.normal(0, 0.3, N),
                    "log_age_mw_yr": rng.uniform(6.5, 8.5, N), "log_sigma_mass": rng.normal(2.5 + 0.2 * z[host], 0.3)})  # fmt: skip
    galaxies = Table({"id": [f"G{k:02d}" for k in range(40)], "z": z, "fate": ["selected"] * 39 + ["too far"],
                      "log_mass": mass, "log_sfr100": mass - 9})  # fmt: skip
    return clumps, galaxies


def measure(truth, offset=0.0):
    table = truth[
        "id", "galaxy", "z", "ra", "dec", "distance_kpc", "central", "class", "r_eff_pc", "mu"
    ].copy()
    table["flags"], table["n_bands_snr3"], table["r_eff_limit"] = 0, 6, False
    for name in ("log_mass", "log_age_mw_yr", "log_sigma_mass"):
        for p in (16, 50, 84):
            table[f"{name}_p{p}"] = truth[name] + offset
    return table


def compare(measured, clumps, galaxies):
    hosts = Table(
        {
            "id": galaxies["id"],
            **{f"{n}_p{p}": galaxies[n] for n in ("log_mass", "log_sfr100") for p in (16, 50, 84)},
        }
    )
    given = Table({"id": galaxies["id"], "z": galaxies["z"], "mu": np.ones(40)})
    tables = population_tables(measured, hosts, given, **SETTINGS)
    return recovered_populations(measured, clumps, galaxies, PSF, tables, SETTINGS)


def test_a_perfect_measurement_is_its_truth():
    clumps, galaxies = truths(np.random.default_rng(1))
    found = compare(measure(clumps), clumps, galaxies)
    assert {"medians", "surface_density", "host_correlations", "gradient_slopes"} <= set(found["table"])
    np.testing.assert_allclose(found["value"], found["sample_truth"], rtol=1e-9)
    # All but one galaxy are in the field's truth: the samples differ by 10 of 400 clumps.
    slope = found[
        (found["quantity"] == "log_mass_fraction") & (found["number"] == "slope") & np.isinf(found["low"])
    ][0]
    assert (
        slope["field_truth"] == pytest.approx(GRADIENT, abs=4 * slope["err_hi"])
        and slope["n"] == N
        and slope["n_field"] == N - 10
    )


def test_offsets_and_losses_are_told_apart():
    clumps, galaxies = truths(np.random.default_rng(2))
    heavy = clumps[clumps["log_mass"] > np.median(clumps["log_mass"])]
    measured = measure(heavy, 0.2)
    found = compare(measured, clumps, galaxies)
    mass = found[(found["quantity"] == "log_mass_p50") & np.isinf(found["low"])][0]
    assert mass["value"] - mass["sample_truth"] == pytest.approx(0.2)
    seen = clumps["galaxy"] != "G39"
    assert mass["field_truth"] == pytest.approx(np.median(clumps["log_mass"][seen]))
    assert mass["value"] - mass["field_truth"] > 0.3
    # Half of the measured clumps again, under other names and nowhere near a true one, are no part of the sample's truth.
    stray = measured[::2].copy()
    stray["ra"] += 1.0
    stray["id"] = [f"s{k}" for k in range(len(stray))]
    again = compare(vstack([measured, stray]), clumps, galaxies)
    row = again[(again["quantity"] == "log_mass_p50") & np.isinf(again["low"])][0]
    assert row["n"] == len(measured) + len(stray) and row["sample_truth"] == mass["sample_truth"]
