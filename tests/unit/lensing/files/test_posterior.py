"""Lenstool's samples: every parameter reaches its potentials, in every realisation."""

import numpy as np
import pytest
from astropy.cosmology import FlatwCDM
from clumpscope.cosmology import COSMOLOGY
from clumpscope.errors import InputError
from clumpscope.lensing import read_lenstool
from clumpscope.lensing.models.potentials import ANGLE, CORE, CUT, ELLIPTICITY, STRENGTH, X, einstein_arcsec
from test_lenstool import POTFILE
from unit.lensing.lens_text import GALAXY, HALO, SHEAR, parameter_file, samples_file

COLUMNS = ["O1 : x (arcsec)", "O1 : emass", "O1 : theta (deg)", "O1 : sigma (km/s)"]
ROWS = [[1.5, 0.30, 25.0, 900.0], [2.5, 0.40, 50.0, 810.0]]


def member(name: str, mag: float, sigma_star: float, cut_star: float, mag0: float = 20.0) -> str:
    """A potfile's galaxy as best.par lists it, with the six digits it keeps."""
    light = 10 ** (0.4 * (mag0 - mag))
    text = GALAXY.replace("potentiel 7", f"potentiel {name}").replace("mag           19.0", f"mag {mag}")
    text = text.replace("v_disp        120.0", f"v_disp {sigma_star * light**0.25:.6f}")
    return text.replace("cut_radius    4.0", f"cut_radius {cut_star * light**0.5:.6f}")


def test_parameters_of_potentials(tmp_path):
    path = parameter_file(tmp_path, HALO, GALAXY, SHEAR)
    columns = [*COLUMNS, "O1 : rc (arcsec)", "O1 : rcut (arcsec)", "Redshift of 4.3"]
    rows = [[*ROWS[0], 5.0, 200.0, 2.0], [*ROWS[1], 6.0, 150.0, 2.1]]
    model = read_lenstool(path, samples=samples_file(tmp_path, columns, rows))
    assert model.n_samples == 2
    np.testing.assert_allclose(model.samples[0], model.rows, rtol=1e-12)
    eps = (1 - np.sqrt(1 - 0.4**2)) / 0.4
    expected = [2.5, -2.0, eps, np.deg2rad(50.0), 6.0, 150.0, einstein_arcsec(810.0, 6.0)]
    np.testing.assert_allclose(model.samples[1][0], expected, rtol=1e-12)
    np.testing.assert_array_equal(model.samples[1][1:], model.rows[1:])


def test_shear_and_nfw(tmp_path):
    nfw = HALO.replace("profil        81", "profil        12").replace("cut_radius    200.0\n", "")
    nfw = nfw.replace("core_radius   5.0", "scale_radius  60.0").replace(
        "v_disp        900.0", "concentration 4.0"
    )
    columns = ["O1 : c", "O1 : rs (arcsec)", "O2 : gamma", "O2 : theta (deg)"]
    rows = [[4.0, 60.0, 0.05, 30.0], [6.0, 50.0, 0.07, 20.0]]
    path = parameter_file(tmp_path, nfw, SHEAR)
    model = read_lenstool(path, samples=samples_file(tmp_path, columns, rows))
    np.testing.assert_allclose(model.samples[0], model.rows, rtol=1e-12)
    assert model.samples[1][1, STRENGTH] == 0.07 and model.samples[1][1, ANGLE] == np.deg2rad(20.0)
    other = read_lenstool(
        parameter_file(tmp_path, nfw.replace("4.0\n", "6.0\n", 1).replace("60.0", "50.0"), SHEAR)
    )
    np.testing.assert_allclose(model.samples[1][0], other.rows[0], rtol=1e-12)


def test_optimised_potentials_are_counted_whatever_they_are_called(tmp_path):
    # Lenstool's samples say O1, O2 ... in the order of the input, in which here "O2" is the first.
    path = parameter_file(tmp_path, HALO.replace("O1", "O2"), GALAXY.replace(" 7", " bcg"), name="input.par")
    columns = ["O1 : x (arcsec)", "O2 : x (arcsec)"]
    model = read_lenstool(path, samples=samples_file(tmp_path, columns, [[7.0, 8.0]]))
    assert list(model.samples[0][:, X]) == [7.0, 8.0]


def test_samples_apply_through_the_scaling_relation(tmp_path):
    galaxies = [
        member("11", 20.0, 120.0, 5.0),
        member("12", 21.0, 120.0, 5.0),
        member("13", 22.3, 120.0, 5.0),
    ]
    stray = member("14", 20.0, 300.0, 1.0)
    path = parameter_file(tmp_path, HALO, *galaxies, stray)
    parameter_file(tmp_path, POTFILE, name="bestopt.par")
    columns = ["O1 : x (arcsec)", "Pot0 rcut (arcsec)", "Pot0 sigma (km/s)"]
    samples = samples_file(tmp_path, columns, [[1.5, 5.0, 120.0], [1.5, 10.0, 240.0]])
    model = read_lenstool(path, samples=samples)
    np.testing.assert_allclose(model.samples[0], model.rows, rtol=1e-6)
    second = model.samples[1]
    # sigma grows as L^(1/4), the cut radius as L^(1/2); the galaxy off the relation stays.
    for index, mag in ((1, 20.0), (2, 21.0), (3, 22.3)):
        light = 10 ** (0.4 * (20.0 - mag))
        assert second[index, STRENGTH] == pytest.approx(einstein_arcsec(240.0 * light**0.25, 6.0))
        assert second[index, CUT] == pytest.approx(10.0 * light**0.5)
    np.testing.assert_array_equal(second[4], model.rows[4])


def test_the_scaling_relation_may_lie_elsewhere(tmp_path):
    galaxies = [member("11", 20.0, 120.0, 5.0), member("12", 21.0, 120.0, 5.0)]
    path = parameter_file(tmp_path, HALO, *galaxies)
    (tmp_path / "elsewhere").mkdir()
    relations = parameter_file(tmp_path / "elsewhere", POTFILE, name="downloaded.par")
    samples = samples_file(tmp_path, ["Pot0 sigma (km/s)"], [[240.0]])
    with pytest.raises(InputError, match=r"lens\.relations"):
        read_lenstool(path, samples=samples)
    model = read_lenstool(path, samples=samples, relations=relations)
    np.testing.assert_allclose(model.samples[0][1:, STRENGTH], 4.0 * model.rows[1:, STRENGTH], rtol=1e-6)


def test_several_potfiles_follow_one_another(tmp_path):
    first = [member(f"1{n}", 19.5 + n, 120.0, 5.0) for n in range(3)]
    second = [member(f"2{n}", 18.0 + n, 200.0, 9.0, mag0=18.0) for n in range(4)]
    path = parameter_file(tmp_path, HALO, GALAXY, *first, *second)
    parameter_file(
        tmp_path, POTFILE, POTFILE.replace("potfile0", "potfile1").replace("20.0", "18.0"), name="input.par"
    )
    samples = samples_file(tmp_path, ["Pot0 sigma (km/s)", "Pot1 rcut (arcsec)"], [[60.0, 18.0]])
    sample = read_lenstool(path, samples=samples).samples[0]
    best = read_lenstool(path).rows
    np.testing.assert_allclose(sample[2:5, STRENGTH], best[2:5, STRENGTH] / 4.0, rtol=1e-5)
    np.testing.assert_allclose(sample[5:, CUT], 2.0 * best[5:, CUT], rtol=1e-5)
    np.testing.assert_array_equal(sample[:2], best[:2])
    np.testing.assert_array_equal(sample[2:5, CUT], best[2:5, CUT])
    np.testing.assert_array_equal(sample[5:, STRENGTH], best[5:, STRENGTH])


def test_slopes_of_a_potfile_may_be_sampled(tmp_path):
    (tmp_path / "members.cat").write_text("1 40.0 -1.5 1.0 1.0 0.0 22.5 0.0\n")
    samples = samples_file(tmp_path, ["Pot0 rcut_slope", "Pot0 sigma_slope"], [[4.0, 4.0], [2.0, 3.0]])
    model = read_lenstool(parameter_file(tmp_path, POTFILE), samples=samples)
    np.testing.assert_allclose(model.samples[0], model.rows, rtol=1e-12)
    assert model.samples[1][0, CUT] == pytest.approx(5.1 * 0.1)
    assert model.samples[1][0, STRENGTH] == pytest.approx(einstein_arcsec(121.0 * 10 ** (-1 / 3), 6.0))
    assert model.samples[1][0, CORE] == model.rows[0, CORE]
    assert model.samples[1][0, ELLIPTICITY] == model.rows[0, ELLIPTICITY]


def test_a_last_row_half_written_is_left_out(tmp_path):
    samples = samples_file(tmp_path, COLUMNS, ROWS)
    samples.write_text(samples.read_text() + "3 -3.0 1.5 0.3")
    assert read_lenstool(parameter_file(tmp_path, HALO), samples=samples).n_samples == 2


def test_chains_put_together_repeat_their_names(tmp_path):
    samples = samples_file(tmp_path, COLUMNS, ROWS)
    samples.write_text(samples.read_text() * 2)
    assert read_lenstool(parameter_file(tmp_path, HALO), samples=samples).n_samples == 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("#O1 : x", "#O5 : x", "another model"),
        ("#O1 : x (arcsec)", "#O1 : z_lens", "unknown parameter of a potential"),
        ("#O1 : x (arcsec)", "#O1 : x (kpc)", "unit kpc"),
        ("#O1 : x (arcsec)", "#Pot0 vdscatter", "unknown parameter of a potfile"),
        ("#O1 : x (arcsec)", "#Pot0 sigma (km/s)", "0 potfile sections"),
        ("#O1 : x (arcsec)", "#omegaB", "or omegaM, omegaX, wX, wa"),
        ("#Chi2", "#Temper", "unknown parameter"),
        ("1 -3.0 1.5", "1 -3.0", "6 numbers; expected 7"),
        ("900.0", "fast", "no number"),
        ("900.0", "nan", "finite numbers"),
    ],
)
def test_samples_of_another_model_or_broken_ones_are_refused(tmp_path, old, new, message):
    samples = samples_file(tmp_path, COLUMNS, ROWS)
    assert old in samples.read_text()
    samples.write_text(samples.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_lenstool(parameter_file(tmp_path, HALO), samples=samples)


def test_samples_without_rows_or_file_or_members(tmp_path):
    path = parameter_file(tmp_path, HALO)
    with pytest.raises(InputError, match="no samples"):
        read_lenstool(path, samples=samples_file(tmp_path, COLUMNS, []))
    with pytest.raises(InputError, match="no such file"):
        read_lenstool(path, samples=tmp_path / "none.dat")
    parameter_file(tmp_path, POTFILE, name="bestopt.par")
    with pytest.raises(InputError, match="no galaxy of the model"):
        read_lenstool(path, samples=samples_file(tmp_path, ["Pot0 sigma (km/s)"], [[100.0]]))


@pytest.mark.parametrize("names", [("1", "bcg"), ("O1", "Obcg"), ("Obcg", "O1")])
def test_potentials_are_found_by_name_with_and_without_the_letter_of_the_optimised(tmp_path, names):
    # An input has the names without it; a galaxy of the potfile that is called 1 is another.
    (tmp_path / "members.cat").write_text("1 40 -1.5 1 1 0 20.0 0\n")
    first, second = HALO.replace("O1", names[0]), GALAXY.replace(" 7", f" {names[1]}")
    path = parameter_file(tmp_path, first, second, POTFILE, name="input.par")
    samples = samples_file(tmp_path, ["O1 : x (arcsec)", "Obcg : x (arcsec)"], [[7.0, 8.0]])
    expected = [8.0, 7.0] if names[0] == "Obcg" else [7.0, 8.0]
    assert list(read_lenstool(path, samples=samples).samples[0][:2, X]) == expected


def test_a_potfile_switched_off_still_counts(tmp_path):
    (tmp_path / "members.cat").write_text("1 40.0 -1.5 1.0 1.0 0.0 20.0 0.0\n")
    off = POTFILE.replace("filein  3", "filein  0")
    path = parameter_file(tmp_path, HALO, off, POTFILE.replace("potfile0", "potfile1"))
    samples = samples_file(tmp_path, ["Pot1 sigma (km/s)"], [[242.0]])
    model = read_lenstool(path, samples=samples)
    assert model.samples[0][1, STRENGTH] == pytest.approx(4.0 * model.rows[1, STRENGTH])
    with pytest.raises(InputError, match="scaling relation it belongs to"):
        read_lenstool(path, samples=samples_file(tmp_path, ["Pot0 sigma (km/s)"], [[242.0]]))
    alone = parameter_file(tmp_path, HALO, POTFILE)
    older = read_lenstool(alone, samples=samples_file(tmp_path, ["Pot sigma (km/s)"], [[242.0]]))
    np.testing.assert_allclose(older.samples[0], model.samples[0])


def test_the_cosmology_may_be_sampled(tmp_path):
    # It enters by D_LS / D_S alone; a flat one stays flat (Jullo et al. 2010, Science 329, 924).
    columns, rows = ["O1 : sigma (km/s)", "omegaM", "wX"], [[900.0, 0.3, -1.0], [900.0, 0.2, -1.4]]
    model = read_lenstool(parameter_file(tmp_path, HALO), samples=samples_file(tmp_path, columns, rows))
    np.testing.assert_allclose(model.samples[1], model.rows)
    kappa, ratio = (np.array([f(k) for k in (None, 0, 1)]) for f in (
        lambda k: model.convergence_shear(9.0, 4.0, 2.0, k)[0], lambda k: model.deflection(9.0, 4.0, 2.0, k)[0]))  # fmt: skip
    other = FlatwCDM(H0=70.0, Om0=0.2, w0=-1.4)
    ratios = [1.0 - c.comoving_distance(0.4) / c.comoving_distance(2.0) for c in (COSMOLOGY, other)]
    expected = [1.0, 1.0, float(ratios[1] / ratios[0])]
    assert abs(expected[2] - 1.0) > 0.01
    np.testing.assert_allclose(kappa / kappa[0], expected, rtol=1e-6)
    np.testing.assert_allclose(ratio / ratio[0], expected, rtol=1e-6)
    assert model.magnification(40.0, -1.49, 0.2, 1)[0] == 1.0
    nfw = HALO.replace("profil        81", "profil        12").replace(
        "v_disp        900.0", "concentration 4.0"
    )
    with pytest.raises(InputError, match="depends on the cosmology"):
        read_lenstool(
            parameter_file(tmp_path, nfw), samples=samples_file(tmp_path, ["O1 : c", "omegaM"], [[4.0, 0.3]])
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" (km/s)", ""),
        ("#", "# "),
        ("\n", "\r\n"),
        (" : ", ": "),
        (" : sigma", " : v_disp"),
        (" : x", " : x_centre"),
        ("Pot0 sigma", "pot0 : sigma"),
        ("900.0", "9.0D+02"),
    ],
)
def test_spellings_of_the_columns(tmp_path, old, new):
    (tmp_path / "members.cat").write_text("1 40 -1.5 1 1 0 20.0 0\n")
    path = parameter_file(tmp_path, HALO, POTFILE)
    columns, rows = [*COLUMNS, "Pot0 sigma (km/s)"], [[*row, 150.0] for row in ROWS]
    samples = samples_file(tmp_path, columns, rows)
    expected = list(read_lenstool(path, samples=samples).samples)
    assert old in samples.read_text()
    samples.write_bytes(samples.read_text().replace(old, new).encode())
    np.testing.assert_array_equal(list(read_lenstool(path, samples=samples).samples), expected)


def test_samples_that_no_best_model_lies_in_are_refused(tmp_path):
    rows = [[1.5 + 0.01 * k, 0.3 + 0.001 * k, 25.0 - 180.0 + k, 900.0 + k] for k in range(-20, 20)]
    samples = samples_file(tmp_path, COLUMNS, rows)
    assert read_lenstool(parameter_file(tmp_path, HALO), samples=samples).n_samples == 40
    text = HALO.replace("1.5", "4.5", 1).replace("0.30", "0.60").replace("900", "700")
    with pytest.raises(InputError, match="3 of 4 parameters that no sample reaches"):
        read_lenstool(parameter_file(tmp_path, text), samples=samples)
    # In the input of an optimisation they are where it began.
    start = text + "limit O1\n    x_centre 1 -9.0 9.0 0.1\n    end\n"
    assert read_lenstool(parameter_file(tmp_path, start), samples=samples).n_samples == 40


@pytest.mark.parametrize("name", ["bestopt.par", "a_bestopt.par"])
def test_the_scaling_relation_is_that_of_the_models_own_input(tmp_path, name):
    galaxies = [member(str(n), 20.0 + n, 120.0, 5.0) for n in range(3)]
    path = parameter_file(tmp_path, HALO, *galaxies, name="a_best.par")
    parameter_file(tmp_path, POTFILE, name=name)
    parameter_file(tmp_path, POTFILE.replace("mag0    20.0", "mag0    25.0"), name="0_other.par")
    (tmp_path / "._bestopt.par").write_bytes(b"\x00\x05")  # as some systems leave beside every file
    model = read_lenstool(path, samples=samples_file(tmp_path, ["Pot0 sigma (km/s)"], [[120.0]]))
    np.testing.assert_allclose(model.samples[0], model.rows, rtol=1e-6)


NFW = "\n".join(("potentiel O1", "profil 12", "x_centre 0", "y_centre 0", "{}", "z_lens 0.4", "end", ""))


@pytest.mark.parametrize(
    ("columns", "row", "alone"),
    [
        (["c", "rs (arcsec)"], [6.0, 50.0], "concentration 6.0\nscale_radius 50.0"),
        (["c", "M200 (Msol)"], [6.0, 8e14], "concentration 6.0\nm200 8e14"),
        (["sigma (km/s)"], [1500.0], "scale_radius 60.0\nv_disp 1500.0"),
    ],
)
def test_what_follows_from_the_sampled_parameters_of_an_nfw_does_not_stay(tmp_path, columns, row, alone):
    """A best.par lists scale radius, velocity, concentration and mass alike (o_print_res.c)."""
    listed = "scale_radius 60.0\nv_disp 1400.0\nconcentration 4.0\nm200 5e14"
    path = parameter_file(tmp_path, NFW.format(listed))
    samples = samples_file(tmp_path, [f"O1 : {name}" for name in columns], [row])
    sample = read_lenstool(path, samples=samples).samples[0]
    expected = read_lenstool(parameter_file(tmp_path, NFW.format(alone))).rows
    np.testing.assert_allclose(sample, expected, rtol=1e-12)
    parameter_file(tmp_path, NFW.format(listed))
    with pytest.raises(InputError, match="samples of beta alone"):
        read_lenstool(path, samples=samples_file(tmp_path, ["O1 : c"], [[6.0]]))
