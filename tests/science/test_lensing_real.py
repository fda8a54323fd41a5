"""Published lens models: multiple images trace back to one source, samples are the model they belong to."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.flags import has
from clumpscope.lensing import read_lenstool
from clumpscope.lensing.clumps.magnification import magnify_clumps
from clumpscope.lensing.clumps.systematic import compare_models

# Median rms [arcsec] of the images of each system in the source plane, by an independent implementation.
MODELS = {
    "smacs0723_mahler2022/ICLv1": ("arcs.dat", "bayes.dat", 0.057),
    "smacs0723_mahler2022/ICLv0": ("arcs.dat", "bayes.dat", 0.36),
    "abell2744_cats": ("img_mul_constraints.cat", "bayestot.dat", 0.16),
}
# Galaxies in each model's potfiles.
MEMBERS = {
    "smacs0723_mahler2022/ICLv1": [142],
    "smacs0723_mahler2022/ICLv0": [141],
    "abell2744_cats": [3, 246, 3],
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
    potentials = np.unique([index for index in model.samples.rows])
    nearest = min(
        range(model.n_samples),
        key=lambda sample: max(
            np.abs(model.samples.rows[i][sample] - model.rows[i]).max(
                where=np.isfinite(model.rows[i]), initial=0.0
            )
            for i in potentials
        ),
    )
    # The text of best.par has six digits.
    np.testing.assert_allclose(model.samples[nearest], model.rows, rtol=2e-4, atol=2e-6)
    members = [len(group.indices) for group in model.samples.scaled]
    assert members == MEMBERS[name]


@pytest.mark.parametrize(("model", "samples"), [("ICLv0", "ICLv1"), ("ICLv1", "ICLv0")])
def test_samples_of_another_model_of_the_same_cluster_are_refused(shared_data, model, samples):
    """Their columns have the same names."""
    folder = shared_data / "real" / "lens" / "smacs0723_mahler2022"
    with pytest.raises(InputError, match="belong to another model"):
        read_lenstool(folder / model / "best.par", samples=folder / samples / "bayes.dat")


@pytest.mark.parametrize("version", ["ICLv0", "ICLv1"])
@pytest.mark.parametrize("name", ["bestopt.par", "input.par"])
def test_a_model_and_the_file_it_came_from_have_the_same_realisations(shared_data, version, name):
    """best.par lists every galaxy; bestopt.par and input.par make them from a potfile and a catalogue."""
    folder = shared_data / "real" / "lens" / "smacs0723_mahler2022" / version
    best, other = (read_lenstool(folder / file, samples=folder / "bayes.dat") for file in ("best.par", name))
    for sample in (0, 17, 99):
        np.testing.assert_allclose(other.samples[sample], best.samples[sample], rtol=2e-3, atol=1e-4)


def test_sparkler_magnification(shared_data):
    """mu of about 10 to 12.6 at seven of the Sparkler's positions (Claeyssens et al. 2023 use this model)."""
    from astropy.coordinates import SkyCoord

    folder = shared_data / "real" / "lens" / "smacs0723_mahler2022" / "ICLv1"
    model = read_lenstool(folder / "best.par", samples=folder / "bayes.dat")
    lines = (shared_data / "real" / "catalogues" / "sparkler_positions.txt").read_text().splitlines()
    words = [line.split() for line in lines if line.strip()]
    places = SkyCoord([w[0] for w in words], [w[1] for w in words], unit=("hourangle", "deg"))
    clumps = Table({"id": [str(i) for i in range(len(places))], "ra": places.ra.deg, "dec": places.dec.deg})
    result = magnify_clumps(model, clumps, 1.378)
    inside = (result["mu"] > 9.5) & (result["mu"] < 12.7)
    assert inside.sum() >= 7
    # The best model lies at the edge of its own posterior (docs/lensing.md): the interval is one-sided, not empty.
    assert has(result["flags"], "mu_off_posterior").sum() >= 25
    assert (result["mu_err_lo"] + result["mu_err_hi"] > 0.1 * result["mu"]).all()
    assert (result["mu_samples"].shape[1]) == 100


def test_scatter_between_two_models_at_multiple_images(shared_data):
    """SMACS J0723 with and without intracluster light in the model, from the two Jacobians by finite differences."""
    folder = shared_data / "real" / "lens" / "smacs0723_mahler2022"
    lenses = [read_lenstool(folder / version / "best.par") for version in ("ICLv1", "ICLv0")]
    systems = image_systems(folder / "ICLv1", "arcs.dat")
    compared = 0
    for ra, dec, z in systems.values():
        clumps = Table({"id": [str(k) for k in range(len(ra))], "ra": ra, "dec": dec})
        reference, *others = (magnify_clumps(lens, clumps, z) for lens in lenses)
        table = compare_models(reference, others)
        step = 0.01 / 3600
        expected = []
        for lens in lenses:
            jacobian = [
                [(a - b) / 0.02 for a, b in zip(lens.source_position(ra + dx, dec + dy, z),
                                                lens.source_position(ra - dx, dec - dy, z), strict=True)]
                for dx, dy in ((step / np.cos(np.deg2rad(dec)), 0.0), (0.0, step))
            ]  # fmt: skip
            (xx, xy), (yx, yy) = jacobian
            expected.append(np.abs(1.0 / (xx * yy - xy * yx)))
        # Differences across 0.02" say little on a critical line.
        calm = (np.max(expected, axis=0) < 30.0) & (np.asarray(table["mu"]) < 30.0)
        by_hand = np.abs(expected[0] - expected[1]) / np.sqrt(2.0)
        np.testing.assert_allclose(np.asarray(table["mu_err_sys"])[calm], by_hand[calm], rtol=0.03, atol=0.01)
        compared += calm.sum()
    assert compared > 20
