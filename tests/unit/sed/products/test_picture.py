import numpy as np
import pytest
from clumpscope.filters import transmission
from clumpscope.sed import synthesize
from clumpscope.sed.inference.fit import Fitter
from clumpscope.sed.inference.settings import FitSettings
from clumpscope.sed.products.observed_spectrum import observed_spectrum
from clumpscope.sed.products.picture import draw_corner, draw_sed, save_pictures
from clumpscope.sed.products.sheets import draw_sheet, save_sheets
from unit.sed.toy_model import FILTERS, ToyModel


@pytest.fixture(scope="module")
def posterior():
    flux = ToyModel().fluxes(np.array([[8.0, 7.6, 0.8]]))[0]
    error = 0.1 * flux
    flux[2] = np.nan
    return Fitter(FILTERS, 2.0, FitSettings(sweep_log2=12), model=ToyModel()).fit(flux, error, "one")


def test_sed_picture_and_its_data(posterior, tmp_path):
    figure, data = draw_sed(posterior)
    figure.savefig(tmp_path / "sed.png")
    assert (tmp_path / "sed.png").stat().st_size > 10_000
    assert list(data["filter"]) == list(FILTERS)
    np.testing.assert_allclose(data["model_njy"], posterior.model_njy)
    assert np.isnan(data["residual_sigma"][2])
    assert np.nansum(data["residual_sigma"] ** 2) == pytest.approx(posterior.chi2, rel=1e-6)
    # The band covers the best fit of a well-constrained object, also where a band is missing.
    assert (data["model_p16_njy"] < data["model_p84_njy"]).all()
    theta = np.stack([posterior.samples[name] for name in ToyModel.parameters], axis=1).astype(float)
    np.testing.assert_allclose(
        data["model_p84_njy"], np.percentile(ToyModel().fluxes(theta), 84, axis=0), rtol=0.05
    )


def test_one_negative_flux_leaves_the_others_on_a_logarithmic_axis():
    flux = ToyModel().fluxes(np.array([[8.0, 7.6, 0.8]]))[0]
    flux, error = flux * np.geomspace(0.01, 1.0, len(flux)), 0.02 * flux
    flux[0] = -0.5 * error[0]
    negative = Fitter(FILTERS, 2.0, FitSettings(sweep_log2=12), model=ToyModel()).fit(flux, error, "one")
    axes = draw_sed(negative)[0].axes[0]
    bottom, lowest, middle, top = (axes.transAxes.inverted().transform(axes.transData.transform((1.0, y)))[1]
                                   for y in (axes.get_ylim()[0], flux[0], np.sqrt(flux[4] * flux[-1]), flux[-1]))  # fmt: skip
    low = axes.transAxes.inverted().transform(axes.transData.transform((1.0, flux[4])))[1]
    assert bottom < lowest < low < middle < top < 1.0
    # Half-way in the logarithm is half-way on the axis.
    assert middle == pytest.approx(0.5 * (low + top), abs=0.02)


def test_corner_shows_what_varies(posterior, tmp_path):
    figure, draws = draw_corner(posterior)
    figure.savefig(tmp_path / "corner.png", dpi=40)
    assert (tmp_path / "corner.png").stat().st_size > 5_000
    assert draws.colnames == ["log_mass", "log_age_mw_yr", "a_v"]
    np.testing.assert_allclose(draws["a_v"], posterior.samples["a_v"])


def test_pages_of_one_object_and_of_many(posterior, tmp_path):
    dark = Fitter(FILTERS, 2.0, FitSettings(sweep_log2=12), model=ToyModel()).fit(
        np.full(8, np.nan), np.ones(8), "dark"
    )
    for name in ("one.pdf", "again.pdf"):
        save_pictures(posterior, tmp_path / name)
        save_sheets([posterior] * 25 + [dark], tmp_path / f"sheets_{name}")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "again.pdf").read_bytes()
    sheets = (tmp_path / "sheets_one.pdf").read_bytes()
    assert sheets == (tmp_path / "sheets_again.pdf").read_bytes()
    assert sheets.count(b"/Type /Page ") == 2
    assert (tmp_path / "one.pdf").read_bytes().count(b"/Type /Page ") == 2
    save_pictures(dark, tmp_path / "dark.pdf")
    panels = draw_sheet([posterior, dark]).axes
    assert [panel.get_title().split()[0] for panel in panels[:2]] == ["one", "dark"]
    assert any("no_sed" in text.get_text() for text in panels[1].texts)


def test_masses_are_told_as_observed_and_as_intrinsic(posterior):
    observed = np.median(posterior.samples["log_mass"].astype(float))
    for figure in (draw_sed(posterior, mu=10.0)[0], draw_sheet([posterior], {"one": 10.0})):
        words = " ".join([figure.axes[0].get_title(), *(text.get_text() for text in figure.axes[0].texts)])
        words = words.replace("$", "").replace("\\", "")
        assert f"observed log M {observed:.2f}" in words and f"intrinsic log M {observed - 1:.2f}" in words
    words = " ".join(text.get_text() for text in draw_sheet([posterior]).axes[0].texts)
    assert "intrinsic" not in words


def test_a_dropout_is_drawn(tmp_path):
    """At z = 12 no model has light in F090W, whatever an interloper's flux there."""
    settings = FitSettings(sfh="exp_10Myr", sweep_log2=10, draws=100, nested=False, n_effective=200.0)
    fit = Fitter(["F090W", "F200W", "F277W", "F444W"], 12.0, settings)
    dropout = fit.fit(np.array([1.0, 5.0, 6.0, 7.0]), np.full(4, 0.3), "dropout")
    assert dropout.model_njy[0] == 0.0
    beyond = fit.fit(np.array([1.0, np.nan, np.nan, np.nan]), np.full(4, 0.3), "beyond")
    for posterior in (dropout, beyond):
        save_sheets([posterior], tmp_path / "sheet.pdf")
        save_pictures(posterior, tmp_path / "one.pdf", "bc03")
        assert (tmp_path / "one.pdf").stat().st_size > 5_000


def test_the_spectrum_drawn_gives_the_band_fluxes():
    """Averaged over a band like a detector counts it, the drawn spectrum is the brute-force photometry."""
    parameters = {"log_mass_formed": 7.0, "log_age_yr": 7.0, "log_z_zsun": -0.4, "a_v": 0.7, "log_u": -2.3}
    edges = np.geomspace(3e3, 6e4, 30_000)
    spectrum = observed_spectrum("bc03", edges, 1.4, "const", parameters)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    for name in FILTERS:
        counts = np.interp(middle, *transmission(name), left=0.0, right=0.0) / middle * width
        flux = (counts * spectrum).sum() / counts.sum()
        assert flux == pytest.approx(synthesize("bc03", [name], 1.4, "const", parameters)[0], rel=3e-3), name
