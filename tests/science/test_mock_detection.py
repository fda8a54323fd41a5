"""The injected clumps of a whole mock field are found by the detection, or their absence is explained."""

import pytest
from astropy.table import Table, vstack
from clumpscope import mock
from clumpscope.images.depth import measure_depth
from clumpscope.images.detection import detect_clumps
from clumpscope.images.mosaic import cut_galaxy, open_mosaic
from clumpscope.images.psf_built import build_psf
from clumpscope.population.truth import compare_with_truth, summarise_truth


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mock_cluster")
    truth = mock.make_field(folder, filters=["F150W", "F200W", "F277W"])
    return folder, truth


def test_clumps_are_found_or_explained(field):
    folder, truth = field
    galaxies = Table.read(folder / "galaxies.ecsv")
    known = Table.read(folder / "truth/galaxies.ecsv")
    reference = {row["id"]: row["filter_ref"] for row in known if row["fate"] == "selected"}
    measured, ready = [], {}
    for galaxy in galaxies[[name in reference for name in galaxies["id"]]]:
        name = reference[galaxy["id"]]
        if name not in ready:
            mosaic = open_mosaic(
                **{kind: folder / f"images/{name}_{kind}.fits" for kind in ("sci", "wht", "exp")}, name=name
            )
            psf = build_psf(mosaic, Table.read(folder / "stars.ecsv"))
            ready[name] = mosaic, psf, measure_depth(mosaic, psf)
        mosaic, psf, depth = ready[name]
        place = galaxy["id"], galaxy["ra"], galaxy["dec"], galaxy["radius_arcsec"]
        cutout = cut_galaxy({name: mosaic}, *place, name)[name]
        noise = {"rho": depth.rho, "error_scale": depth.error_scale}
        measured.append(detect_clumps(cutout, *place, psf.fwhm_arcsec, **noise).table)
    measured = vstack(measured, metadata_conflicts="silent")
    comparison = compare_with_truth(measured, truth, Table.read(folder / "truth/psf.ecsv"), galaxies)
    found = {row["quantity"]: row["value"] for row in summarise_truth(comparison, len(measured))}
    print(found)
    assert found["n_true"] >= 40
    assert found["explained_fraction"] >= 0.9
    assert found["n_spurious"] <= 0.1 * len(measured)


def test_field_is_what_was_asked_for(field):
    folder, truth = field
    galaxies = Table.read(folder / "truth/galaxies.ecsv")
    measured = galaxies[galaxies["fate"] == "selected"]
    assert len(measured) >= 10
    for low, high in ((0.7, 1.5), (1.5, 2.5), (2.5, 3.5), (3.5, 5.5)):
        assert ((measured["z"] > low) & (measured["z"] < high)).sum() >= 2
    systems, counts = zip(
        *((s, (measured["system"] == s).sum()) for s in set(measured["system"])), strict=True
    )
    assert sorted(counts)[-1] >= 2 and len(systems) < len(measured)
    assert set(galaxies["fate"]) >= {
        "selected",
        "redshift",
        "photometric redshift",
        "magnification",
        "clumps",
    }
    chosen = truth[[galaxy in set(measured["id"]) for galaxy in truth["galaxy"]]]
    assert len(chosen) >= 50
    assert (chosen["snr_ref"] > 10).mean() > 0.6
    assert set(chosen["profile"]) == {"gaussian", "exponential", "plummer"}
    assert chosen["r_eff_pc"].min() < 25 and chosen["r_eff_pc"].max() > 150
    distance = [
        min(
            ((row["x"] - other["x"]) ** 2 + (row["y"] - other["y"]) ** 2) ** 0.5
            for other in chosen
            if other["id"] != row["id"]
        )
        for row in chosen
    ]
    assert sum(d < 4 for d in distance) >= 8
