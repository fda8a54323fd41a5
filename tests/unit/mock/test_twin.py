"""A small twin: its truth lens, its PSF, its redshifts, and its truth in the catalogue's words."""

import re

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from clumpscope import config, mock
from clumpscope.filters import filter_names
from clumpscope.lensing.files.lenstool import read_lenstool
from clumpscope.mock.field import REFERENCE
from clumpscope.mock.galaxies import wishes
from clumpscope.mock.optics import PIXEL_SCALE_ARCSEC, PSFWidths, make_psf
from clumpscope.mock.redshifts import draw_known_redshifts
from clumpscope.mock.scene import design_scene
from clumpscope.mock.settings import Settings
from clumpscope.mock.sources import Galaxy
from clumpscope.sed import PhotometryModel
from unit.population.synthetic_population import make_field as population_fields

TWIN = {
    "size_arcsec": 30.0,
    "n_galaxies": 5,
    "n_clumps": 20,
    "n_stars": 2,
    "lens_truth": "sample",
    "critical_share": 0.3,
    "mu_max": 100,
    "crowded_share": 0.2,
    "profiles": {"gaussian": 0.4, "plummer": 0.3, "eff": 0.3},
    "psf_variation": 0.18,
    "photometric_share": 0.4,
    "population": {},
}
FILTERS = ["F150W", "F277W"]
# What describes a measurement, and nothing that is true of a clump.
MEASURED_ALONE = {"snr", "chi2", "n_bands", "n_bands_snr3", "rhat", "n_effective", "sampler", "flags", "flag_names",
                  "r_eff_limit"}  # fmt: skip


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin")
    mock.make_field(folder, seed=11, filters=FILTERS, **TWIN)
    return folder


@pytest.fixture(scope="module")
def truth(field):
    return Table.read(field / "truth/clumps.ecsv")


def test_true_lens_is_one_of_the_samples_and_not_the_best(field, truth):
    model = read_lenstool(field / "lens/best.par", samples=field / "lens/bayes.dat")
    bright = truth[(truth["mu"] > 1.5) & (truth["mu"] < 20)]

    def misfit(sample):
        mu = [abs(model.magnification(r["ra"], r["dec"], r["z"], sample=sample)[0]) for r in bright]
        return np.abs(np.log(mu / bright["mu_point"])).max()

    misfits = np.array([misfit(k) for k in range(model.n_samples)])
    assert (misfits < 1e-3).sum() == 1
    assert misfit(None) > 5e-3
    # The best model is the middle of the posterior: most samples are not much farther from the truth than it is.
    assert np.median(misfits) < 4 * misfit(None) + 0.2


def test_default_truth_is_the_best_model():
    scene = design_scene(1, ["F150W"], Settings(size_arcsec=16.0, n_galaxies=1, n_clumps=2, n_stars=1))
    assert scene.lens is scene.best


def test_schema_and_settings_have_the_same_defaults():
    keys = config._schema()["$defs"]
    given = Settings(n_galaxies=13)
    for key, spec in keys["mock"]["properties"].items():
        if "default" in spec:
            assert getattr(given, key) == spec["default"], key
    recipe = Settings.read({"population": {}}).population
    assert {key: spec["default"] for key, spec in keys["mock_population"]["properties"].items()} == vars(
        recipe
    )
    assert (given.size_arcsec, given.n_clumps, given.n_stars) == (40.0, 66, 14)
    whole = Settings(n_galaxies=480)
    assert whole.n_clumps > 2000 and whole.size_arcsec == 170


def test_truth_has_every_quantity_of_the_catalogue(truth):
    """Each column of a catalogue is in the truth under its own name, without a percentile's or an error's ending."""
    ending = re.compile(r"(_err_lo|_err_hi|_err|_common|_p16|_p50|_p84)(?=_njy$|$)")
    assert ending.sub("", "flux_F150W_err_njy") == "flux_F150W_njy"
    known = set(truth.colnames) | MEASURED_ALONE
    filters = {f"flux_{name}_njy": f"flux_{FILTERS[0]}_njy" for name in filter_names()}
    asked = {ending.sub("", name) for name in population_fields(20).catalogue().colnames}
    missing = {name for name in asked if filters.get(name, name) not in known}
    assert not missing
    extra = {"profile", "separation_arcsec", "z_type", *(f"host_snr_{name}" for name in FILTERS)}
    assert extra <= set(truth.colnames)
    numbers = [name for name in truth.colnames if truth[name].dtype.kind == "f"]
    assert all(np.isfinite(truth[name]).all() for name in numbers)
    assert len(set(truth["id"])) == len(truth)


def test_derived_quantities_are_those_of_the_sed_engine(truth):
    model = PhotometryModel("bc03", ["F150W"], 0.3, "exp_free")  # all its ages are allowed
    own = Table({name: truth[name] for name in model.parameters})
    derived = model.derived(np.array([list(row) for row in own], dtype=float))
    # The engine interpolates; the truth integrates.
    for name, error in (("log_mass", 2e-3), ("m_v_ab", 5e-3), ("log_age_mw_yr", 2e-3)):
        assert np.allclose(derived[name], truth[name], atol=error), name
    forming = truth["log_sfr10"] > -3
    assert np.allclose(derived["log_sfr10"][forming], truth["log_sfr10"][forming], atol=2e-3)
    assert np.allclose(derived["ml_v"] / truth["ml_v"], 1.0, atol=0.03)


def test_magnification_reaches_the_critical_lines_and_no_farther(truth):
    assert 8 < truth["mu"].max() < 110


def test_separations_are_the_nearest_neighbours(truth):
    row = truth[len(truth) // 2]
    others = truth[truth["id"] != row["id"]]
    cos = np.cos(np.deg2rad(row["dec"]))
    distance = 3600 * np.hypot((others["ra"] - row["ra"]) * cos, others["dec"] - row["dec"])
    assert row["separation_arcsec"] <= distance.min() + 1e-4
    close = truth[truth["separation_arcsec"] < 0.1]
    assert len(close) >= 2


def test_stars_are_wider_where_the_psf_is():
    widths = PSFWidths(40.0, 0.18)
    places = np.linspace(-20, 20, 41)
    factor = widths.width(places[None, :], places[:, None])
    assert factor.max() - factor.min() == pytest.approx(0.18, abs=1e-6)
    assert np.abs(np.diff(factor, axis=0)).max() < 0.02 and np.abs(np.diff(factor, axis=1)).max() < 0.01
    psf = make_psf("F200W", 1)
    nodes = widths.at_nodes(psf)

    def width_of(image):
        # Of the core: the radius that holds a third of the light.
        half = image.shape[0] // 2
        rows, columns_ = np.indices(image.shape) - half
        order = np.argsort(np.hypot(rows, columns_), axis=None)
        light = np.cumsum(image.ravel()[order])
        return np.hypot(rows, columns_).ravel()[order][np.searchsorted(light, light[-1] / 3)]

    # Whole samples: 3 % of the radius.
    assert width_of(nodes[2]) / width_of(nodes[0]) == pytest.approx(1.09 / 0.91, abs=0.05)
    assert sum(widths.weights(7.0, -3.0)) == pytest.approx(1.0, abs=1e-6)
    assert all(image.sum() == pytest.approx(1.0) for image in nodes)


def test_photometric_redshifts_scatter_as_they_say():
    settings = Settings(photometric_share=0.5, photometric_error=0.03, outlier_share=0.1)
    galaxies = [Galaxy(f"G{k}", 2.0, 0, 0, 0.1, 1, 0, (), 2) for k in range(4000)]
    known = draw_known_redshifts(np.random.default_rng(), galaxies, settings)
    photometric = [k for k in known if k.error > 0]
    assert len(photometric) == 2000
    pulls = np.array([(k.z - 2.0) / 0.09 for k in photometric if not k.outlier])
    outliers = [k for k in photometric if k.outlier]
    assert len(outliers) == 200
    assert all(abs(k.z - 2.0) > 5 * 0.09 for k in outliers)
    # Four standard errors of 1800 normal deviates.
    assert pulls.std() == pytest.approx(1.0, abs=0.07) and abs(pulls.mean()) < 0.1
    assert all(k.error == pytest.approx(0.03 * (1 + k.z)) for k in photometric)


def test_shares_of_galaxies_are_as_asked():
    settings = Settings(n_galaxies=60, multiple_share=0.15, critical_share=0.15)
    kinds = [wish.kind for wish in wishes(np.random.default_rng(), None, [5] * 60, settings)]
    # The second galaxy is multiple in every field, in turn or not.
    assert 9 <= kinds.count("multiple") <= 10 and kinds.count("critical") in (8, 9)


def test_relations_are_written(field, truth):
    relations = yaml.safe_load((field / "truth/population.yaml").read_text())
    assert relations["drawn"]["mass_slope"] == -2.0
    galaxies = Table.read(field / "truth/galaxies.ecsv")
    for row in galaxies:
        own = {c["clump"]: c["log_mass"] for c in truth[truth["galaxy"] == row["id"]]}
        assert np.log10(sum(10**m for m in own.values())) <= row["log_mass_clumps"] + 1e-6
        assert row["log_f_cl"] == pytest.approx(row["log_mass_clumps"] - row["log_mass"])
    assert relations["realised"]["n_galaxies"] == 5


def test_light_under_the_clumps_is_what_the_image_shows(field, truth):
    """Where a host is bright, the pixel beside the clump is as bright as the truth says of the smooth light."""
    header = fits.getheader(field / "images/F277W_sci.fits")
    assert header["FILTER"] == "F277W"
    data = fits.getdata(field / "images/F277W_sci.fits")
    weight = fits.getdata(field / "images/F277W_wht.fits")
    from astropy.wcs import WCS

    x, y = np.round(WCS(header).world_to_pixel_values(truth["ra"], truth["dec"])).astype(int)
    snr = (data * np.sqrt(weight))[y, x]
    # Clump and noise only add to it; 4 sigma of noise may take off.
    assert np.all(
        (snr > truth["host_snr_F277W"] - 4 * np.sqrt(1 + truth["host_snr_F277W"])) | (weight[y, x] == 0)
    )
    assert PIXEL_SCALE_ARCSEC["lw"] == 0.04 and REFERENCE[1] < 0
