"""Lenstool files: read, applied to every realisation, refused when broken."""

import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.lensing import no_lens, read_lenstool
from clumpscope.lensing.potentials import FIELDS

BEST = f"""\
runmode
\treference     3 10.0 -30.0
\tend
potentiel O1
\tprofil 81
\tx_centre 1.5
\ty_centre -0.5
\tellipticite 0.3
\tangle_pos 40.0
\tcore_radius 4.0
\tcut_radius 200.0
\tv_disp 800.0
\tz_lens 0.4
\tend
potentiel 7
\tprofil 81
\tcore_radius 0.05
\tcut_radius 5.0
\tv_disp 120.0
\tmag 20.0
\tz_lens 0.4
\tend
potentiel 8
\tprofil 81
\tx_centre 9.0
\tcore_radius 0.05
\tcut_radius {5.0 * 10**-0.2}
\tv_disp {120.0 * 10**-0.1}
\tmag 21.0
\tz_lens 0.4
\tend
potentiel 9
\tprofil 81
\tx_centre 12.0
\tcore_radius 0.05
\tcut_radius 1.0
\tv_disp 300.0
\tmag 20.0
\tz_lens 0.4
\tend
fini
"""
POTFILE = """\
runmode
\treference 3 10.0 -30.0
\tend
potfile0
\tfilein 3 members.cat
\tzlens 0.4
\ttype 81
\tcore 0.05
\tmag0 20.0
\tsigma 3 121.0 5.0
\tcut 3 5.1 1.0
\tslope 0 4.0 0.0
\tvdslope 0 4.0 0.0
\tend
fini
"""
BAYES = """\
#Nsample
#ln(Lhood)
#O1 : x (arcsec)
#O1 : theta (deg)
#O1 : sigma (km/s)
#Pot0 rcut (arcsec)
#Pot0 sigma (km/s)
#Chi2
1 -5.0 1.5 40.0 800.0 5.0 120.0 10.0
2 -6.0 2.5 50.0 810.0 10.0 240.0 12.0
"""
SIGMA, CUT, ANGLE, X = (FIELDS.index(name) for name in ("v_disp", "r_cut", "angle_rad", "x"))


@pytest.fixture
def model_files(tmp_path):
    (tmp_path / "best.par").write_text(BEST)
    (tmp_path / "bestopt.par").write_text(POTFILE)
    (tmp_path / "bayes.dat").write_text(BAYES)
    return tmp_path


def test_samples_apply_to_potentials_and_through_the_scaling_relation(model_files):
    model = read_lenstool(model_files / "best.par", samples=model_files / "bayes.dat")
    assert model.n_samples == 2 and model.z_lens == 0.4 and model.reference == (10.0, -30.0)
    np.testing.assert_allclose(model.samples[0], model.rows, atol=1e-9)
    second = model.samples[1]
    assert second[0, X] == 2.5 and second[0, SIGMA] == 810.0 and second[0, ANGLE] == np.deg2rad(50.0)
    # Members: sigma scales as L^(1/4), the cut radius as L^(1/2); the galaxy off the relation stays.
    np.testing.assert_allclose(second[1, [SIGMA, CUT]], [240.0, 10.0])
    np.testing.assert_allclose(second[2, [SIGMA, CUT]], [240.0 * 10**-0.1, 10.0 * 10**-0.2])
    np.testing.assert_allclose(second[3, [SIGMA, CUT]], [300.0, 1.0])


def test_input_file_with_a_potfile(model_files):
    (model_files / "members.cat").write_text(
        "# id ra dec a b theta mag lum\n1 10.001 -30.0 2.0 1.0 30.0 20.0 0\n"
    )
    model = read_lenstool(model_files / "bestopt.par")
    x = -0.001 * np.cos(np.deg2rad(30)) * 3600
    expected = [x, 0.0, 0.6, np.deg2rad(30.0), 0.05, 5.1, 121.0, 0.0]
    np.testing.assert_allclose(model.rows[0], expected, atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fini", "", "truncated"),
        ("profil 81\n\tx_centre 1.5", "profil 12\n\tx_centre 1.5", r"profile 12 \(NFW\)"),
        ("v_disp 800.0", "v_disp fast", "v_disp fast"),
        (
            "v_disp 120.0\n\tmag 20.0\n\tz_lens 0.4",
            "v_disp 120.0\n\tmag 20.0\n\tz_lens 0.5",
            "one lens plane",
        ),
        ("core_radius 4.0", "core_radius 400.0", "core < cut"),
        ("reference     3 10.0 -30.0", "image 0", "reference"),
    ],
)
def test_broken_models_are_refused(model_files, old, new, message):
    (model_files / "best.par").write_text(BEST.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_lenstool(model_files / "best.par")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("#O1 : x", "#O5 : x", "another model"),
        ("#Pot0 sigma", "#Pot3 sigma", "potfile sections"),
        ("#Chi2", "#Temper", "unknown parameter"),
        ("1 -5.0 1.5", "1 -5.0", "7 numbers"),
    ],
)
def test_samples_of_another_model_are_refused(model_files, old, new, message):
    (model_files / "bayes.dat").write_text(BAYES.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_lenstool(model_files / "best.par", samples=model_files / "bayes.dat")


def test_redshift_of_the_configuration_must_agree(model_files):
    with pytest.raises(InputError, match=r"found 0.5; expected 0.4"):
        read_lenstool(model_files / "best.par", z_lens=0.5)


def test_no_lens_moves_and_magnifies_nothing():
    model = no_lens((10.0, 0.0))
    mu, mu_t, mu_r = model.magnification(np.array([10.1, 9.9]), np.array([0.0, 0.1]), 2.0)
    assert (mu == 1).all() and (mu_t == 1).all() and (mu_r == 1).all()
    assert model.source_position(10.0 - 1 / 3600, 0.0, 2.0)[0] == pytest.approx(1.0)
