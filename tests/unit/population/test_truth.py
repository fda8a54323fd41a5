"""The comparison with the truth, on catalogues whose errors are put in by hand."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.flags import bit
from clumpscope.population.truth import compare_with_truth, summarise_truth

PSF = Table({"filter": ["F150W"], "fwhm_arcsec": [0.058]})


def make_truth(n=40, galaxy="G01"):
    rng = np.random.default_rng(1)
    return Table(
        {
            "id": [f"t{k}" for k in range(n)],
            "galaxy": [galaxy] * n,
            "ra": 3.5 + np.arange(n) * 0.5 / 3600,
            "dec": np.full(n, -30.0),
            "filter_ref": ["F150W"] * n,
            "snr_ref": np.full(n, 30.0),
            "sigma_x_px": np.full(n, 1.0),
            "sigma_y_px": np.full(n, 0.5),
            "pixel_scale_arcsec": np.full(n, 0.02),
            "r_eff_pc": rng.uniform(20, 200, n),
            "mu": rng.uniform(2, 9, n),
            "log_mass": rng.uniform(6, 8, n),
            "log_age_mw_yr": rng.uniform(6.5, 8.5, n),
            "flux_F150W_njy": rng.uniform(5, 50, n),
        }
    )


def make_measured(truth, flux=1.0, size=1.0, mu=1.0, mass=0.0):
    return Table(
        {
            "id": [f"m{k}" for k in range(len(truth))],
            "galaxy": truth["galaxy"],
            "ra": truth["ra"],
            "dec": truth["dec"] + 0.01 / 3600,
            "flux_F150W_njy": truth["flux_F150W_njy"] * flux,
            "r_eff_pc": truth["r_eff_pc"] * size,
            "r_eff_limit": np.zeros(len(truth), bool),
            "mu": truth["mu"] * mu,
            "log_mass_p50": truth["log_mass"] + mass,
            "log_age_mw_yr_p50": truth["log_age_mw_yr"],
            "flags": np.zeros(len(truth), int),
        }
    )


def numbers(summary):
    return {row["quantity"]: (row["value"], row["met"]) for row in summary}


def test_errors_put_in_are_the_errors_found():
    truth = make_truth()
    scatter = 0.2 * np.random.default_rng(2).normal(size=len(truth))
    measured = make_measured(truth, flux=1.1, size=0.9, mu=1.01, mass=0.05 + scatter)
    found = numbers(summarise_truth(compare_with_truth(measured, truth, PSF), len(measured)))
    assert found["n_true"][0] == 40
    assert found["detected_fraction"][0] == 1.0
    assert found["flux_ratio"][0] == pytest.approx(1.1)
    assert found["flux_ratio"][1] == "false"
    assert found["size_ratio"][0] == pytest.approx(0.9)
    assert found["size_ratio"][1] == "true"
    assert found["mu_ratio"] == (pytest.approx(1.01), "true")
    assert found["log_mass_offset"][0] == pytest.approx(0.05 + np.median(scatter))
    assert found["log_mass_scatter"][0] == pytest.approx(0.2, abs=0.06)
    assert found["n_spurious"][0] == 0


def test_why_clumps_are_missing():
    truth = make_truth(6)
    truth["snr_ref"] = [30.0, 30.0, 3.0, 40.0, 15.0, 20.0]
    truth["galaxy"][5] = "R01"
    truth["ra"][4] = truth["ra"][3] + 0.05 / 3600  # within the width of its image of a brighter one
    measured = make_measured(truth)[[0, 3]]
    galaxies = Table({"id": ["G01"], "ra": [3.5], "dec": [-30.0], "radius_arcsec": [2.5]})
    status = list(compare_with_truth(measured, truth, PSF, galaxies)["status"])
    assert status == ["detected", "missed", "low S/N", "detected", "blended", "galaxy not measured"]
    galaxies["radius_arcsec"] = 0.2
    assert compare_with_truth(measured, truth, PSF, galaxies)["status"][1] == "outside the galaxy's radius"
    found = numbers(summarise_truth(compare_with_truth(measured, truth, PSF), len(measured)))
    # Of four bright clumps in measured galaxies two are found, one is blended, one is missed.
    assert found["detected_fraction"][0] == pytest.approx(2 / 4)
    assert found["explained_fraction"] == (pytest.approx(3 / 4), "false")


def test_a_match_is_near_and_mutual():
    truth = make_truth(2)
    measured = make_measured(truth)
    measured["dec"][0] += 0.1 / 3600  # more than a FWHM away
    extra = measured[1:].copy()
    extra["id"], extra["dec"] = "m2", extra["dec"] + 0.02 / 3600
    from astropy.table import vstack

    comparison = compare_with_truth(vstack([measured, extra]), truth, PSF)
    assert list(comparison["match"]) == ["", "m1"]
    assert comparison["distance_arcsec"][1] == pytest.approx(0.01, rel=1e-3)
    assert numbers(summarise_truth(comparison, 3))["n_spurious"][0] == 2


def test_excluded_rows_do_not_count_for_masses_and_limits_not_for_sizes():
    truth = make_truth(10)
    measured = make_measured(truth)
    measured["log_mass_p50"][:5] += 3.0
    measured["flags"][:5] = bit("not_converged")
    measured["r_eff_pc"][5:] *= 4
    measured["r_eff_limit"][5:] = True
    found = numbers(summarise_truth(compare_with_truth(measured, truth, PSF), 10))
    assert found["log_mass_offset"][0] == pytest.approx(0.0, abs=1e-12)
    assert found["size_ratio"][0] == pytest.approx(1.0)


def test_reddening_already_corrected_is_taken_off_the_truth():
    truth = make_truth(5)
    measured = make_measured(truth, flux=10**0.04)
    comparison = compare_with_truth(measured, truth, PSF, reddening_mag={"F150W": 0.1})
    assert np.allclose(comparison["measured_flux_njy"], comparison["true_flux_njy"])


def test_empty_catalogue_and_missing_column():
    truth = make_truth(3)
    empty = make_measured(truth)[:0]
    assert set(compare_with_truth(empty, truth, PSF)["status"]) == {"galaxy not measured"}
    with pytest.raises(InputError, match="snr_ref"):
        compare_with_truth(empty, truth["id", "galaxy", "ra", "dec", "filter_ref"], PSF)


def test_figure_shows_every_clump():
    from clumpscope.figures.registry import draw_figure
    from matplotlib.collections import PathCollection

    truth = make_truth(12)
    measured = make_measured(truth)[:9]
    comparison = compare_with_truth(measured, truth, PSF)
    products = {"truth": comparison, "truth_summary": summarise_truth(comparison, 9)}
    figure, data = draw_figure("truth_recovery", products)
    assert len(data) == 12
    drawn = [
        sum(len(points.get_offsets()) for points in axes.collections if isinstance(points, PathCollection))
        for axes in figure.axes[:5]
    ]  # error bars are collections, too
    assert drawn == [9] * 5
    counted = sum(patch.get_height() for patch in figure.axes[5].patches if hasattr(patch, "get_height"))
    assert counted == 12
