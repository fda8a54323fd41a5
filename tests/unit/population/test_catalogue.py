import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.flags import bit, has
from clumpscope.lensing.clumps.systematic import compare_models
from clumpscope.population.catalogue import assemble, duplicate_images
from clumpscope.tables import read_table, write_table
from scipy.special import ndtri
from unit.population.synthetic_population import MU_ERROR, make_field

CONTRACT = (
    "id", "galaxy", "system", "ra", "dec", "x", "y", "z", "filter_ref", "sigma_x_px", "sigma_y_px",
    "theta_deg", "flux_F090W_njy", "flux_F090W_err_njy", "flux_F444W_njy", "mu", "mu_err_lo", "mu_err_hi",
    "mu_t", "mu_t_err_lo", "mu_t_err_hi", "mu_r", "r_eff_pc", "r_eff_pc_err_lo", "r_eff_pc_err_hi",
    "r_eff_limit", "class", "distance_kpc", "central", "flags", "log_mass_p16", "log_mass_p50",
    "log_mass_p84", "log_mass_formed_p50", "log_age_mw_yr_p50", "log_sfr10_p50", "a_v_p50",
    "log_z_zsun_p50", "log_u_p50", "log_tau_yr_p50", "log_sigma_mass_p16", "log_sigma_mass_p50",
    "log_sigma_sfr_p50", "m_v_ab", "chi2", "n_bands", "rhat",
)  # fmt: skip


@pytest.fixture(scope="module")
def field():
    return make_field(20)


@pytest.fixture(scope="module")
def catalogue(field):
    return field.catalogue()


def put_together(field, photometry=None, magnification=None, sed=None, samples=None, psf=True, **options):
    """The catalogue of a field with some of its tables replaced."""
    return assemble(
        field.galaxies,
        [field.photometry if photometry is None else photometry],
        [field.magnification if magnification is None else magnification],
        field.sed["exp_free"] if sed is None else sed,
        {} if samples is None else samples,
        psf=field.psf if psf else None,
        **{"sizes_by": "paper", **options},
    )


def exact_samples(field, quantiles):
    """Magnification whose samples are `quantiles` (of log10) about the best value."""
    magnification = field.magnification.copy()
    for name, power in (("mu", 1.0), ("mu_t", 0.7)):
        magnification[f"{name}_samples"] = np.asarray(magnification[name])[:, None] * 10 ** (
            power * quantiles
        )
    return magnification


def test_columns_come_in_the_order_of_the_contract(catalogue):
    places = [catalogue.colnames.index(name) for name in CONTRACT]
    assert places == sorted(places)


def test_intrinsic_values_are_the_observed_ones_over_mu(field):
    table = put_together(field, magnification=exact_samples(field, np.zeros(1)))
    sed, mu = field.sed["exp_free"], np.asarray(table["mu"])
    # A thousand draws know a median to 1.25 sigma / sqrt(1000); five times that over all clumps.
    step = 5 * 1.25 * 0.15 / np.sqrt(1000)
    np.testing.assert_allclose(table["log_mass_p50"], sed["log_mass_p50"] - np.log10(mu), atol=step)
    np.testing.assert_allclose(table["log_sfr10_p50"], sed["log_sfr10_p50"] - np.log10(mu), atol=step)
    np.testing.assert_allclose(table["m_v_ab"], sed["m_v_ab_p50"] + 2.5 * np.log10(mu), atol=step)
    np.testing.assert_array_equal(table["log_age_mw_yr_p50"], sed["log_age_mw_yr_p50"])
    np.testing.assert_array_equal(table["flux_F200W_njy"], field.photometry["flux_F200W_njy"])


def test_errors_of_lognormal_mu_add_in_quadrature(field):
    # Mass: normal in the log with 0.15 dex; mu: lognormal with MU_ERROR dex; known answer: quadrature.
    table = put_together(
        field, magnification=exact_samples(field, MU_ERROR * ndtri((np.arange(200) + 0.5) / 200))
    )
    for name in ("log_mass", "log_mass_formed", "log_sfr10"):
        low, middle, high = (np.asarray(table[f"{name}_p{p}"]) for p in (16, 50, 84))
        expected = np.hypot(0.15, MU_ERROR * 0.99446)
        for width in (high - middle, middle - low):
            assert np.mean(width) == pytest.approx(expected, rel=0.01)
            np.testing.assert_allclose(width, expected, rtol=0.25)
    expected = np.hypot(0.15, 2.5 * MU_ERROR * 0.99446)
    assert np.mean(table["m_v_ab_err_hi"] + table["m_v_ab_err_lo"]) / 2 == pytest.approx(expected, rel=0.01)
    np.testing.assert_allclose(table["log_age_mw_yr_p84"] - table["log_age_mw_yr_p50"], 0.15)


def test_an_asymmetric_mu_gives_asymmetric_errors(field):
    # Exact mass; ln mu exponentially distributed: the quantiles of the exponential are known.
    sed = field.sed["exp_free"].copy()
    for p in (16, 84):
        sed[f"log_mass_p{p}"] = sed["log_mass_p50"]
    excess = -np.log(1 - (np.arange(2000) + 0.5) / 2000) - np.log(2)
    table = put_together(field, magnification=exact_samples(field, 0.2 * excess), sed=sed)
    below = table["log_mass_p50"] - table["log_mass_p16"]
    above = table["log_mass_p84"] - table["log_mass_p50"]
    assert np.mean(below) == pytest.approx(0.2 * (-np.log(0.16) - np.log(2)), rel=0.02)
    assert np.mean(above) == pytest.approx(0.2 * (np.log(2) + np.log(0.84)), rel=0.02)


def test_samples_replace_percentiles(field):
    # A posterior with two humps, which its percentiles hide, and a mu without error.
    name, rng = str(field.photometry["id"][3]), np.random.default_rng(4)
    draws = np.concatenate([rng.normal(6, 0.05, 500), rng.normal(8, 0.05, 500)])
    posterior = {key: draws for key in ("log_mass", "log_mass_formed", "log_sfr10", "log_sfr100", "m_v_ab")}
    table = put_together(field, magnification=exact_samples(field, np.zeros(1)), samples={name: posterior})
    expected = np.percentile(draws, [16, 84]) - np.log10(table["mu"][3])
    np.testing.assert_allclose([table["log_mass_p16"][3], table["log_mass_p84"][3]], expected, atol=0.03)


def test_density_of_resolved_clumps_does_not_depend_on_mu(field, catalogue):
    other, rng = field.magnification.copy(), np.random.default_rng(2)
    for name in ("mu", "mu_samples"):
        other[name] = other[name] * 3.0
    other["mu_samples"] = other["mu_samples"] * np.exp(rng.normal(0, 1, other["mu_samples"].shape))
    table = put_together(field, magnification=other)
    resolved = np.minimum(field.photometry["sigma_x_px"], field.photometry["sigma_y_px"]) >= 0.4
    assert resolved.sum() > 20
    for p in (16, 50, 84):
        np.testing.assert_allclose(
            table[f"log_sigma_mass_p{p}"][resolved], catalogue[f"log_sigma_mass_p{p}"][resolved]
        )
    assert np.all(catalogue["log_mass_p50"] - table["log_mass_p50"] > 0.3)


def test_density_and_its_error_are_those_of_the_formula(field):
    table = put_together(field, magnification=exact_samples(field, np.zeros(1)))
    resolved = np.minimum(field.photometry["sigma_x_px"], field.photometry["sigma_y_px"]) >= 0.4
    expected = table["log_mass_p50"] - np.log10(2 * np.pi * table["r_eff_pc"] ** 2)
    np.testing.assert_allclose(table["log_sigma_mass_p50"], expected, atol=0.04)
    expected = table["log_sfr10_p50"] - np.log10(2 * np.pi * (table["r_eff_pc"] / 1e3) ** 2)
    np.testing.assert_allclose(table["log_sigma_sfr_p50"], expected, atol=0.04)
    phot = field.photometry
    area = np.hypot(*(phot[f"sigma_{a}_px_err"] / phot[f"sigma_{a}_px"] for a in "xy")) / np.log(10)
    width = 0.5 * (table["log_sigma_mass_p84"] - table["log_sigma_mass_p16"])
    assert np.mean(width[resolved]) == pytest.approx(
        np.mean(np.hypot(0.15, area * 0.99446)[resolved]), rel=0.01
    )


def test_flags_of_all_stages_are_merged(field):
    photometry, magnification, sed = (
        field.photometry.copy(),
        field.magnification.copy(),
        field.sed["exp_free"].copy(),
    )
    photometry["flags"][0] |= bit("blended")
    magnification["flags"][0] |= bit("near_critical")
    sed["flags"][0] |= bit("poor_fit")
    for table in (photometry, magnification, sed):
        table["flags"][1] |= bit("no_coverage")  # told twice or thrice, still one flag
    hosts = field.hosts.copy()
    hosts["log_mass_p50"][2] = np.nan
    table = put_together(field, photometry, magnification, sed, hosts=hosts)
    assert has(table["flags"][0], "blended") and has(table["flags"][0], "near_critical")
    assert has(table["flags"][0], "poor_fit") and "near_critical" in table["flag_names"][0]
    assert set(table["flag_names"][1].split()) <= {
        "no_coverage",
        "few_bands",
        "unresolved",
        "duplicate_image",
    }
    assert has(table["flags"][1], "no_coverage")
    np.testing.assert_array_equal(has(table["flags"], "no_host"), table["galaxy"] == hosts["id"][2])


def test_the_best_image_of_a_system_is_kept(catalogue, field):
    duplicate = has(catalogue["flags"], "duplicate_image")
    power = [np.sum(field.photometry["snr"][field.photometry["galaxy"] == g] ** 2) for g in ("G000", "G001")]
    left_out = "G000" if power[0] < power[1] else "G001"
    np.testing.assert_array_equal(duplicate, catalogue["galaxy"] == left_out)


def test_equal_images_keep_the_first():
    found = duplicate_images(["b", "a", "c"], ["S", "S", "T"], np.array([3.0, 3.0, np.nan]))
    np.testing.assert_array_equal(found, [True, False, False])


def test_a_field_that_starts_from_photometry_has_no_shapes(field):
    photometry = field.photometry.copy()
    photometry.remove_columns(
        [n for n in photometry.colnames if "sigma" in n or "theta" in n or n in "x y filter_ref"]
    )
    magnification = field.magnification.copy()
    magnification.remove_columns(["distance_kpc", "distance_kpc_err_lo", "distance_kpc_err_hi", "central"])
    table = put_together(field, photometry, magnification, psf=False)
    for name in ("r_eff_pc", "class", "log_sigma_mass_p50", "distance_kpc", "sigma_x_px"):
        assert name not in table.colnames
    assert np.isfinite(table["log_mass_p50"]).all()


def test_tables_of_single_galaxies_give_the_same_as_one_table(field, catalogue):
    def split(table, owner):
        return [table[owner == name] for name in np.unique(owner)]

    owner = np.asarray(field.photometry["galaxy"])
    table = assemble(
        field.galaxies, split(field.photometry, owner), split(field.magnification, owner), field.sed["exp_free"][::-1],
        {}, sizes_by="paper", psf=field.psf,
    )  # fmt: skip
    assert table.colnames == catalogue.colnames
    for name in ("id", "log_mass_p84", "r_eff_pc_err_hi", "flags"):
        np.testing.assert_array_equal(table[name], catalogue[name])


def test_it_survives_writing_and_reading(catalogue, tmp_path):
    for name in ("a", "b"):
        write_table(catalogue, tmp_path / f"{name}.ecsv", fits=True)
    assert (tmp_path / "a.ecsv").read_bytes() == (tmp_path / "b.ecsv").read_bytes()
    back = read_table(tmp_path / "a.ecsv")
    np.testing.assert_array_equal(back["log_mass_p84"], catalogue["log_mass_p84"])
    assert str(back["r_eff_pc"].unit) == "pc"
    np.testing.assert_array_equal(Table.read(tmp_path / "a.fits")["mu"], catalogue["mu"])


def test_no_clumps_give_an_empty_table(field):
    nobody = put_together(field, field.photometry[:0], field.magnification[:0], field.sed["exp_free"][:0])
    assert len(nobody) == 0 and "log_sigma_mass_p50" in nobody.colnames


def test_tables_that_do_not_belong_together_are_refused(field):
    with pytest.raises(InputError, match="magnification"):
        put_together(field, magnification=field.magnification[1:])
    with pytest.raises(InputError, match="SED table: found no row for"):
        put_together(field, sed=field.sed["exp_free"][1:])


def test_masses_sizes_and_magnifications_are_drawn_at_the_same_redshift(field):
    # Made so that mass over mu does not depend on the redshift: drawn together nothing scatters.
    redshifts = np.array([1.5, 2.0, 2.5, 3.5])
    first = np.asarray(field.photometry["galaxy"]) == field.photometry["galaxy"][0]
    magnification = exact_samples(field, np.zeros(40))
    at = np.resize(redshifts, 40)
    magnification["z_samples"] = np.ma.masked_invalid(np.where(first[:, None], at, np.nan))
    for name in ("mu", "mu_t"):
        magnification[f"{name}_samples"][first] = at**2
    rng = np.random.default_rng(0)
    z = rng.permutation(np.repeat(redshifts, 50)).astype(np.float32)
    names = ("log_mass", "log_mass_formed", "log_sfr10", "log_sfr100", "m_v_ab")
    posterior = {name: (-5.0 if name == "m_v_ab" else 2.0) * np.log10(z) for name in names} | {"z": z}
    samples = {str(clump): posterior for clump in field.photometry["id"][first]}
    table = put_together(field, magnification=magnification, samples=samples)[first]
    for p in (16, 50, 84):
        np.testing.assert_allclose(table[f"log_mass_p{p}"], 0.0, atol=1e-5)
    np.testing.assert_allclose(table["m_v_ab"], 0.0, atol=1e-5)
    np.testing.assert_allclose(table["m_v_ab_err_hi"], 0.0, atol=1e-5)
    # Apart, they would scatter by both.
    apart = {clump: {**values, "z": np.full(len(z), 2.0)} for clump, values in samples.items()}
    loose = put_together(field, magnification=magnification, samples=apart)[first]
    assert (loose["log_mass_p84"] - loose["log_mass_p16"] > 0.3).all()


def test_lenses_with_few_and_many_samples_are_put_together(field):
    few = field.magnification.copy()
    half = len(few) // 2
    for name in ("mu_samples", "mu_t_samples"):
        few[name] = np.repeat(np.asarray(few[name.removesuffix("_samples")])[:, None], 3, axis=1)
    parts = [few[:half], few[half:]]
    for name in ("mu_samples", "mu_t_samples"):
        parts[1].replace_column(name, np.asarray(parts[1][name])[:, :1])
    if "mu_r_samples" in few.colnames:
        for part in parts:
            part.remove_column("mu_r_samples")
    photometry = [field.photometry[:half], field.photometry[half:]]
    table = assemble(
        field.galaxies, photometry, parts, field.sed["exp_free"], {}, psf=field.psf, sizes_by="paper"
    )
    np.testing.assert_array_equal(table["mu"], few["mu"])


def test_scatter_between_lens_models_is_handed_on_and_drawn_from_where_asked(field):
    """A second model that magnifies twice as much: the draws of the mass are a mixture of two, 0.3 dex apart."""
    first, second = exact_samples(field, np.zeros(1)), exact_samples(field, np.zeros(1))
    for magnification in (first, second):
        magnification["mu_r_samples"] = np.asarray(magnification["mu_r"])[:, None]
    for name in ("mu", "mu_t", "mu_samples", "mu_t_samples"):
        second[name] = 2.0 * np.asarray(second[name])
    alone = put_together(field, magnification=first)
    kept, mixed = (
        put_together(field, magnification=compare_models(first, [second], propagate))
        for propagate in (False, True)
    )
    np.testing.assert_allclose(kept["mu_err_sys"], np.asarray(alone["mu"]) / np.sqrt(2.0))
    assert "mu_err_sys" not in alone.colnames
    np.testing.assert_array_equal(kept["log_mass_p50"], alone["log_mass_p50"])
    # Of half a share each, 0.15 dex wide: the middle lies between them (a thousand draws know it to 0.015 or better).
    middle = np.asarray(alone["log_mass_p50"]) - np.log10(2.0) / 2
    np.testing.assert_allclose(mixed["log_mass_p50"], middle, atol=0.06)
    width = [np.asarray(t["log_mass_p84"]) - np.asarray(t["log_mass_p16"]) for t in (alone, mixed)]
    assert (width[1] > 1.2 * width[0]).all()


def test_redshift_errors_and_size_limits_reach_the_catalogue(field):
    galaxies, photometry = field.galaxies.copy(), field.photometry.copy()
    galaxies["z_lo"], galaxies["z_hi"] = galaxies["z"], galaxies["z"]
    galaxies["z_lo"][2] = galaxies["z"][2] - 0.1
    photometry["sigma_limit_px"] = np.linspace(0.2, 0.5, len(photometry))
    table = assemble(
        galaxies,
        [photometry],
        [field.magnification],
        field.sed["exp_free"],
        {},
        psf=field.psf,
        sizes_by="paper",
    )
    uncertain = np.asarray(table["galaxy"]) == galaxies["id"][2]
    assert uncertain.any() and not table["z_spec"][uncertain].any() and table["z_spec"][~uncertain].all()
    assert table["z_lo"][uncertain] == pytest.approx(galaxies["z"][2] - 0.1)
    np.testing.assert_array_equal(has(table["flags"], ["z_as_given"]), uncertain)
    # Drawn at several redshifts, masses and sizes know of the error.
    spread = field.magnification.copy()
    n = np.asarray(spread["mu_samples"]).shape[1]
    at = np.resize(galaxies["z"][2] + np.array([-0.1, 0.0]), n)
    spread["z_samples"] = np.ma.masked_invalid(np.where(uncertain[:, None], at, np.nan))
    drawn = assemble(
        galaxies, [photometry], [spread], field.sed["exp_free"], {}, psf=field.psf, sizes_by="paper"
    )
    assert not has(drawn["flags"], ["z_as_given"]).any()
    np.testing.assert_array_equal(table["sigma_limit_px"], photometry["sigma_limit_px"])


def test_a_history_without_rates_has_densities_of_mass_alone(field, catalogue):
    """Bursts form no stars at a rate; the rest is what it is with one."""
    sed = field.sed["exp_free"].copy()
    sed.remove_columns([name for name in sed.colnames if name.startswith(("log_sfr10", "log_sfr100"))])
    bursts = put_together(field, sed=sed)
    assert not [name for name in bursts.colnames if "sfr" in name and not name.startswith("host_")]
    middle = np.asarray(bursts["log_sigma_mass_p50"]), np.asarray(put_together(field)["log_sigma_mass_p50"])
    assert np.allclose(*middle, atol=0.1, equal_nan=True)
