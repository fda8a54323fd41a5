"""Completeness from injected clumps predicts how many of a mock field's own, true clumps are detected."""

import numpy as np
import pytest
from astropy.table import Table, vstack
from clumpscope import mock
from clumpscope.images.cutouts import galaxy_pixels
from clumpscope.images.depth import measure_depth
from clumpscope.images.mosaic import cut_galaxy, open_mosaic
from clumpscope.images.psf_built import build_psf
from clumpscope.injection.completeness import found_by, logistic_of
from clumpscope.injection.inject import inject
from clumpscope.injection.recovery import recovery_table
from clumpscope.injection.target import Target
from clumpscope.population.truth import compare_with_truth

FILTERS = ("F150W", "F200W")


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("injected_mock")
    truth = mock.make_field(folder, filters=list(FILTERS), size_arcsec=30, n_galaxies=6, n_clumps=45)
    galaxies = Table.read(folder / "galaxies.ecsv")
    known = Table.read(folder / "truth/galaxies.ecsv")
    chosen = {row["id"]: row["filter_ref"] for row in known if row["fate"] == "selected"}
    ready = {}
    for name in set(chosen.values()):
        mosaic = open_mosaic(
            **{kind: folder / f"images/{name}_{kind}.fits" for kind in ("sci", "wht", "exp")}, name=name
        )
        psf = build_psf(mosaic, Table.read(folder / "stars.ecsv"))
        ready[name] = mosaic, psf, measure_depth(mosaic, psf)
    measured, injected = [], []
    for row in galaxies[[galaxy in chosen for galaxy in galaxies["id"]]]:
        name = chosen[row["id"]]
        mosaic, psf, depth = ready[name]
        place = row["id"], row["ra"], row["dec"], row["radius_arcsec"]
        cutouts = cut_galaxy({name: mosaic}, *place, name)
        target = Target(*place, name, cutouts, {name: psf}, {name: depth}, galaxy_pixels(cutouts[name], row))
        measured.append(target.detect())
        injected.append(inject(target, measured[-1], 24, seed=4))
    stacked = [vstack(tables, metadata_conflicts="silent") for tables in (measured, injected)]
    comparison = compare_with_truth(stacked[0], truth, Table.read(folder / "truth/psf.ecsv"), galaxies)
    return folder, truth, comparison, stacked[1]


def test_predicted_and_true_detections_agree(field):
    folder, truth, comparison, injected = field
    psf = {row["filter"]: row for row in Table.read(folder / "truth/psf.ecsv")}
    # Clumps of measured galaxies, inside their radius, that no brighter one hides.
    judged = np.isin(comparison["status"], ["detected", "low S/N", "missed"])
    detected = np.asarray(comparison["status"] == "detected")[judged]
    own = truth[judged]
    depth = {}
    for name in FILTERS:
        rows = injected[injected["filter_ref"] == name]
        if len(rows):
            depth[name] = float(np.median(rows["true_flux_njy"] / rows["depth_ratio"]))
    sigma = np.sqrt(own["sigma_x_px"] * own["sigma_y_px"]) * own["pixel_scale_arcsec"]
    ratio, width = np.array(
        [
            (row[f"flux_{row['filter_ref']}_njy"] / depth[row["filter_ref"]],
             np.hypot(1.0, s * 2.3548 / psf[row["filter_ref"]]["fwhm_arcsec"]))
            for row, s in zip(own, sigma, strict=True)
        ]
    ).T  # fmt: skip
    host = np.full(len(own), np.median(injected["host_over_noise"]))
    logistic = logistic_of(injected, found_by(injected)["detected"])
    chance = logistic.probability(np.column_stack([np.log10(ratio), np.log10(width), np.log10(1 + host)]))
    scatter = np.sqrt(np.sum(chance * (1 - chance)))
    print(detected.sum(), chance.sum(), scatter, len(own))
    assert len(own) >= 25 and detected.sum() < len(own)
    # One more for the error of the logistic and the clumps' profiles, which are not Gaussian.
    assert abs(detected.sum() - chance.sum()) < 3 * scatter + 1


def test_bright_injected_clumps_are_measured_without_bias(field):
    injected = field[3]
    rows = recovery_table(injected)
    bright = rows[(rows["filter"] == "reference") & np.isnan(rows["sigma_px"])][-1]
    assert bright["n"] > 20 and abs(bright["flux_ratio"] - 1) < 0.03
    assert bright["catastrophic"] < 0.04
