"""Real NIRCam cutouts and published lens models through the workflow."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from workflow_run import snakemake, write_config

ELGORDO = ("F090W", "F115W", "F150W", "F200W", "F277W", "F356W", "F410M", "F444W")
RING = {"F115W": 0.03, "F150W": 0.03, "F277W": 0.06, "F444W": 0.06}
CENTRE = (150.1, 2.2)


def elgordo(data, folder):
    """Eight filters, one scale, no error maps, PSFEx models; the configuration gives the unit."""
    images = data / "real/images/elgordo_arc"
    stem = "elgordo-grizli-v7.0-{}-clear_drc_sci"
    (folder / "elgordo.csv").write_text("id,ra,dec,z,radius_arcsec\narc,15.73217514,-49.25247177,4.33,1.8\n")
    return {
        "images": {
            name: {
                "sci": str(images / f"final_matched_{stem.format(name.lower())}.fits"),
                "psf": str(images / "PSF_model" / f"{stem.format(name.lower())}_psf.npy"),
                "unit": "10 nJy",
            }
            for name in ELGORDO
        },
        "galaxies": "elgordo.csv",
    }


def ring(data, folder):
    """Four filters, two scales, noise maps, no WCS and no unit: the configuration gives both."""
    images = data / "real/images/cosmos_web_ring"
    (folder / "ring.csv").write_text(f"id,ra,dec,z,radius_arcsec\nring,{CENTRE[0]},{CENTRE[1]},5.1043,2.0\n")
    return {
        "images": {
            name: {
                "sci": str(images / name / "data.fits"),
                "err": str(images / name / "noise_map.fits"),
                "psf": str(images / name / "psf.fits"),
                "unit": "MJy/sr",
                "pixel_scale": scale,
                "reference": list(CENTRE),
            }
            for name, scale in RING.items()
        },
        "galaxies": "ring.csv",
    }


@pytest.fixture(scope="module")
def pixels(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pixels")
    config = {
        "fields": {"elgordo": elgordo(shared_data, folder), "ring": ring(shared_data, folder)},
        "selection": {"min_clumps": 1},
        "sed": {"sfh": ["exp_10Myr"], "reference_sfh": "exp_10Myr", "nested": False, "draws": 500},
    }
    targets = [f"results/{field}/catalogue.ecsv" for field in config["fields"]]
    snakemake(folder, write_config(folder, config), *targets)
    return folder


@pytest.mark.parametrize("field", ["elgordo", "ring"])
def test_real_cutouts_reach_the_catalogue(pixels, field):
    catalogue = Table.read(pixels / f"results/{field}/catalogue.ecsv")
    assert len(catalogue) >= 3
    measured = catalogue[np.isfinite(catalogue["log_mass_p50"])]
    assert len(measured) >= 3
    assert ((measured["log_mass_p50"] > 4) & (measured["log_mass_p50"] < 13)).all()
    filters = ELGORDO if field == "elgordo" else RING
    assert all(f"flux_{name}_njy" in catalogue.colnames for name in filters)
    # Every fitted flux has an error bar.
    for name in filters:
        flux, error = (np.asarray(catalogue[f"flux_{name}{kind}_njy"], float) for kind in ("", "_err"))
        assert (np.isfinite(flux) == np.isfinite(error)).all() and (error[np.isfinite(error)] > 0).all()


@pytest.mark.parametrize("field", ["elgordo", "ring"])
def test_clump_models_leave_less_than_the_data_held(pixels, field):
    """In the reference filter the residual inside the brightest clump's core is far below the clump's peak."""
    from astropy.io import fits

    catalogue = Table.read(pixels / f"results/{field}/catalogue.ecsv")
    galaxy, name = str(catalogue["galaxy"][0]), str(catalogue["filter_ref"][0])
    best = catalogue[np.nanargmax(catalogue["snr"])]
    with fits.open(pixels / f"results/{field}/galaxies/{galaxy}/residuals.fits") as hdus:
        data, model = hdus[f"DATA_{name}"].data, hdus[f"MODEL_{name}"].data
        from astropy.wcs import WCS

        x, y = WCS(hdus[f"DATA_{name}"].header).world_to_pixel_values(best["ra"], best["dec"])
    core = np.s_[round(float(y)) - 1 : round(float(y)) + 2, round(float(x)) - 1 : round(float(x)) + 2]
    ring_of_sky = np.nanmedian(data[max(round(float(y)) - 6, 0) : round(float(y)) + 7,
                                    max(round(float(x)) - 6, 0) : round(float(x)) + 7])  # fmt: skip
    height = data[core].max() - ring_of_sky
    assert np.abs(data[core] - model[core] - ring_of_sky).max() < 0.5 * height


def positions(data, model):
    if model == "sparkler":
        lines = (data / "real/catalogues/sparkler_positions.txt").read_text().splitlines()
        words = [line.split() for line in lines if line.strip()]
        places = SkyCoord([w[0] for w in words], [w[1] for w in words], unit=("hourangle", "deg"))
        return places.ra.deg, places.dec.deg
    lines = (data / "real/lens/abell2744_cats/img_mul_constraints.cat").read_text().splitlines()
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    words = [w for w in words if w[0].split(".")[0] == "1"]
    return [float(w[1]) for w in words], [float(w[2]) for w in words]


@pytest.fixture(scope="module")
def lensed(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lenses")
    fields = {}
    for name, model, samples, z in (
        ("sparkler", "smacs0723_mahler2022/ICLv1", "bayes.dat", 1.378),
        ("abell2744", "abell2744_cats", "bayestot.dat", 1.688),
    ):
        ra, dec = positions(shared_data, name)
        # The lens stage reads positions; the fluxes only make the table a photometry table.
        rows = [f"p{i},{a:.7f},{d:.7f},10,1" for i, (a, d) in enumerate(zip(ra, dec, strict=True))]
        (folder / f"{name}.csv").write_text("\n".join(["id,ra,dec,F150W_njy,F150W_err_njy", *rows]) + "\n")
        lens = shared_data / "real/lens" / model
        fields[name] = {
            "photometry": f"{name}.csv",
            "redshift": z,
            "lens": {"kind": "lenstool", "model": str(lens / "best.par"), "samples": str(lens / samples)},
        }
    targets = [f"results/{name}/galaxies/{name}/magnification.fits" for name in fields]
    snakemake(folder, write_config(folder, {"fields": fields}), *targets)
    return folder


@pytest.mark.parametrize(("field", "low", "high"), [("sparkler", 8.0, 16.0), ("abell2744", 2.0, 100.0)])
def test_published_models_magnify_with_errors(lensed, field, low, high):
    table = Table.read(lensed / f"results/{field}/galaxies/{field}/magnification.fits")
    mu = np.asarray(table["mu"])
    assert ((mu > low) & (mu < high)).all()
    assert table["mu_samples"].shape[1] == 100
    assert (np.asarray(table["mu_err_lo"]) + np.asarray(table["mu_err_hi"]) > 0).all()
