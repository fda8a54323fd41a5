"""Published lens models: multiple images trace back to one source, samples are the model they belong to."""

import numpy as np
import pytest
from clumpscope.lensing import read_lenstool
from clumpscope.lensing.clumps import magnify_clumps

# Median rms [arcsec] of the images of each system in the source plane, by an independent implementation.
MODELS = {
    "smacs0723_mahler2022/ICLv1": ("arcs.dat", "bayes.dat", 0.057),
    "smacs0723_mahler2022/ICLv0": ("arcs.dat", "bayes.dat", 0.36),
    "abell2744_cats": ("img_mul_constraints.cat", "bayestot.dat", 0.16),
}


def image_systems(folder, catalogue):
    """Positions and redshift of every multiply imaged system; redshifts the model optimised come from best.par."""
    redshifts = {}
    for line in (folder / "best.par").read_text().splitlines():
        words = line.split()
        if "z_m_limit" in line:
            redshifts[words[2].split(".")[0]] = float(words[4])
    systems = {}
    for line in (folder / catalogue).read_text().splitlines():
        words = line.split("#")[0].split()
        if len(words) < 7:
            continue
        name = words[0].split(".")[0]
        systems.setdefault(name, []).append([float(words[1]), float(words[2]), float(words[6])])
    return {
        name: (np.array(rows)[:, 0], np.array(rows)[:, 1], redshifts.get(name, rows[0][2]))
        for name, rows in systems.items()
        if len(rows) > 1
    }


def median_rms(model, systems, flip=False):
    spreads = []
    for ra, dec, z in systems.values():
        if z <= model.z_lens:
            continue
        x, y = model.offsets(ra, dec)
        x = -x if flip else x
        a, b = model.deflection(x, y, z)
        sx, sy = x - a, y - b
        spreads.append(np.sqrt(np.mean((sx - sx.mean()) ** 2 + (sy - sy.mean()) ** 2)))
    return np.median(spreads)


@pytest.mark.parametrize("name", MODELS)
def test_multiple_images_trace_back_to_one_source(shared_data, name):
    catalogue, _, expected = MODELS[name]
    folder = shared_data / "real" / "lens" / name
    model = read_lenstool(folder / "best.par")
    digits = 0.002 if expected < 0.1 else 0.005
    assert median_rms(model, image_systems(folder, catalogue)) == pytest.approx(expected, abs=digits)


def test_x_grows_to_the_west(shared_data):
    folder = shared_data / "real" / "lens" / "smacs0723_mahler2022" / "ICLv1"
    model = read_lenstool(folder / "best.par")
    assert median_rms(model, image_systems(folder, "arcs.dat"), flip=True) == pytest.approx(1.48, abs=0.01)


@pytest.mark.parametrize("name", MODELS)
def test_the_best_sample_is_the_best_model(shared_data, name):
    """A posterior that contains its own best model must reproduce best.par potential by potential."""
    folder = shared_data / "real" / "lens" / name
    model = read_lenstool(folder / "best.par", samples=folder / MODELS[name][1])
    assert model.n_samples >= 100
    if name == "abell2744_cats":
        spread = model.samples.std(axis=0)
        assert (spread.max(axis=1) > 0).sum() > 200, "member galaxies follow their scaling relation"
    else:
        np.testing.assert_allclose(model.samples[0], model.rows, atol=1e-5)


def test_sparkler_magnification(shared_data):
    """mu of about 10 to 12.6 at seven of the Sparkler's positions (Claeyssens et al. 2023 use this model)."""
    from astropy.coordinates import SkyCoord
    from astropy.table import Table

    folder = shared_data / "real" / "lens" / "smacs0723_mahler2022" / "ICLv1"
    model = read_lenstool(folder / "best.par", samples=folder / "bayes.dat")
    lines = (shared_data / "real" / "catalogues" / "sparkler_positions.txt").read_text().splitlines()
    words = [line.split() for line in lines if line.strip()]
    places = SkyCoord([w[0] for w in words], [w[1] for w in words], unit=("hourangle", "deg"))
    clumps = Table({"id": [str(i) for i in range(len(places))], "ra": places.ra.deg, "dec": places.dec.deg})
    result = magnify_clumps(model, clumps, 1.378)
    inside = (result["mu"] > 9.5) & (result["mu"] < 12.7)
    assert inside.sum() >= 7
    # The best model lies at the edge of its own posterior: the interval is one-sided, not empty.
    assert (result["mu_err_lo"] + result["mu_err_hi"] > 0.1 * result["mu"]).all()
    assert (result["mu_samples"].shape[1]) == 100
