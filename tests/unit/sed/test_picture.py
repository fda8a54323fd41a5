import numpy as np
import pytest
from clumpscope.sed.fit import Fitter
from clumpscope.sed.picture import draw_corner, draw_sed
from clumpscope.sed.settings import FitSettings
from toy_model import FILTERS, ToyModel


@pytest.fixture(scope="module")
def posterior():
    flux = ToyModel().fluxes(np.array([[8.0, 7.6, 0.8]]))[0]
    error = 0.1 * flux
    flux[2] = np.nan
    return Fitter(FILTERS, 2.0, FitSettings(sweep_log2=12), model=ToyModel()).fit(flux, error, "one")


def test_sed_picture_and_its_data(posterior, tmp_path):
    figure, data = draw_sed(posterior, ToyModel())
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
    _, without = draw_sed(posterior)
    assert np.isnan(without["model_p16_njy"]).all()


def test_corner_shows_what_varies(posterior, tmp_path):
    figure, draws = draw_corner(posterior)
    figure.savefig(tmp_path / "corner.png", dpi=40)
    assert (tmp_path / "corner.png").stat().st_size > 5_000
    assert draws.colnames == ["log_mass", "log_age_mw_yr", "a_v"]
    np.testing.assert_allclose(draws["a_v"], posterior.samples["a_v"])
