"""Lenstool's parameter files: old and new words, frames, units, potfiles; refused when broken."""

import numpy as np
import pytest
from clumpscope.cosmology import COSMOLOGY
from clumpscope.errors import InputError
from clumpscope.lensing import read_lenstool
from clumpscope.lensing.models.potentials import (
    ANGLE,
    CORE,
    CUT,
    ELLIPTICITY,
    STRENGTH,
    X,
    Y,
    einstein_arcsec,
)
from unit.lensing.lens_text import COSMOLOGY as COSMOLOGY_TEXT
from unit.lensing.lens_text import GALAXY, HALO, SHEAR, parameter_file, samples_file

POTFILE = """potfile0
    filein  3 members.cat
    zlens   0.4
    type    81
    core    0.05
    mag0    20.0
    sigma   3 121.0 5.0
    cut     3 5.1 1.0
    slope   0 4.0 0.0
    vdslope 0 4.0 0.0
    end
"""


def test_a_best_model(tmp_path):
    model = read_lenstool(parameter_file(tmp_path, HALO, GALAXY, SHEAR))
    assert model.reference == (40.0, -1.5) and model.z_lens == 0.4 and model.n_samples == 0
    assert list(model.profiles) == [81, 81, 14]
    eps = (1 - np.sqrt(1 - 0.3**2)) / 0.3
    expected = [1.5, -2.0, eps, np.deg2rad(25.0), 5.0, 200.0, einstein_arcsec(900.0, 6.0)]
    np.testing.assert_allclose(model.rows[0], expected, rtol=1e-12)
    assert model.rows[2, STRENGTH] == 0.05 and model.rows[2, ANGLE] == np.deg2rad(30.0)


def test_english_keywords_mean_the_same(tmp_path):
    old = read_lenstool(parameter_file(tmp_path, HALO, GALAXY))
    words = {"potentiel": "potential", "profil ": "profile ", "ellipticite": "ellipticity"}
    text = HALO + GALAXY
    for french, english in words.items():
        text = text.replace(french, english)
    path = parameter_file(tmp_path, text, closing="finish")
    path.write_text(path.read_text().replace("cosmologie", "cosmology"))
    np.testing.assert_array_equal(read_lenstool(path).rows, old.rows)


def test_lengths_in_kpc_use_the_models_cosmology(tmp_path):
    in_kpc = HALO.replace("core_radius   5.0", "core_radius_kpc 25.0").replace(
        "cut_radius    200.0", "cut_radius_kpc 900.0"
    )
    scale = COSMOLOGY.arcsec_per_kpc_proper(0.4).value
    row = read_lenstool(parameter_file(tmp_path, in_kpc)).rows[0]
    np.testing.assert_allclose(row[[CORE, CUT]], [25.0 * scale, 900.0 * scale])
    path = parameter_file(tmp_path, in_kpc)
    path.write_text(path.read_text().replace("H0      70.0", "H0      35.0"))
    model = read_lenstool(path)
    np.testing.assert_allclose(model.rows[0, [CORE, CUT]], [12.5 * scale, 450.0 * scale])
    assert model.cosmology.H0.value == 35.0
    # Given both ways, the arcseconds count.
    both = read_lenstool(parameter_file(tmp_path, HALO.replace("v_disp", "core_radius_kpc 3.0\n    v_disp")))
    assert both.rows[0, CORE] == 5.0


def test_centres_on_the_sky_and_sexagesimal_references(tmp_path):
    text = HALO.replace("x_centre      1.5", "x_centre_wcs  39.999").replace(
        "y_centre      -2.0", "y_centre_wcs  -1.499"
    )
    row = read_lenstool(parameter_file(tmp_path, text)).rows[0]
    assert row[X] == pytest.approx(3.6 * np.cos(np.deg2rad(1.5))) and row[Y] == pytest.approx(3.6)
    model = read_lenstool(parameter_file(tmp_path, HALO, reference="1 02:40:00.0 -01:30:00.0"))
    assert model.reference == pytest.approx((40.0, -1.5))


def test_ellipticity_of_the_potential(tmp_path):
    row = read_lenstool(parameter_file(tmp_path, HALO.replace("ellipticite", "ellip_pot"))).rows[0]
    assert row[ELLIPTICITY] == 0.3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "profil        81\n    x_centre      1.5",
            "profil        13\n    x_centre      1.5",
            r"profile 13 \(Sersic\)",
        ),
        (
            "profil        81\n    x_centre      1.5",
            "profil        99\n    x_centre      1.5",
            r"profile 99 \(unknown\)",
        ),
        ("v_disp        900.0", "v_disp        fast", "v_disp fast"),
        ("v_disp        900.0", "v_disp        nan", "finite number"),
        ("v_disp        900.0", "v_disp", "a number after v_disp"),
        ("core_radius   5.0", "core_radius   200.0", "the two not equal"),
        ("core_radius   5.0", "core_radius   -5.0", "core >= 0"),
        ("ellipticite   0.30", "ellipticite   1.2", "less than 1"),
        ("z_lens        0.4\n    end\npotentiel 7", "end\npotentiel 7", "a key 'zlens'"),
        ("reference 3 40.0 -1.5", "image 0", "no reference position"),
        ("reference 3 40.0 -1.5", "reference 2 40.0 -1.5", "reference of kind 2"),
        ("reference 3 40.0 -1.5", "reference 3 40.0", "and degrees"),
        ("reference 3 40.0 -1.5", "reference 1 40.0 -1.5", "sexagesimal"),
        ("reference 3 40.0 -1.5", "reference 1 02:70:00 -01:30:00", "sexagesimal"),
        ("model   1", "model   3", "CPL"),
        (HALO + GALAXY, "", "no potential"),
        ("\nfini", "", "truncated"),
        ("    end\npotentiel 7", "potentiel 7", "'potentiel 7' inside the section"),
        ("    v_disp        900.0\n", "", "a key 'v_disp'"),
        ("v_disp        900.0", "v_disp        900,0", "v_disp 900,0"),
        (
            "x_centre      1.5",
            "x_centr       1.5",
            r"potentiel .*found the unknown key 'x_centr'; expected 'x_centre'",
        ),
        ("v_disp        900.0", "v_disp        900.0\n    v_disp    800.0", "the key 'v_disp' twice"),
        ("v_disp        900.0", "v_disp        900.0\n    sigma_e   800.0", "the key 'sigma_e' twice"),
    ],
)
def test_broken_models_are_refused(tmp_path, old, new, message):
    path = parameter_file(tmp_path, HALO, GALAXY)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_lenstool(path)


def test_truncation_anywhere_is_noticed(tmp_path):
    path = parameter_file(tmp_path, HALO, GALAXY)
    lines = path.read_text().splitlines()
    for length in range(1, len(lines)):
        path.write_text("\n".join(lines[:length]))
        with pytest.raises(InputError, match="truncated"):
            read_lenstool(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("900.0", "9.0D+02"),
        ("900.0", "9e2 ! km/s"),
        ("    ", "\t"),
        ("potentiel", "potential"),
        ("cosmologie", "cosmology"),
        ("angle_pos     25.0", "angle_pos     -335.0"),
        # Old versions did not mark their results as comments.
        ("#a model", "Thu Nov 29 23:24:42 2007\nSource plane optimization\nChi2tot(dof=3465): 8163.8365"),
        ("fini", "lmin 1\nend\nfinish\nafter the end"),
    ],
)
def test_dialects_mean_the_same(tmp_path, old, new):
    path = parameter_file(tmp_path, HALO, GALAXY)
    rows, text = read_lenstool(path).rows, path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    same = read_lenstool(path).rows
    same[:, ANGLE] %= 2.0 * np.pi
    rows[:, ANGLE] %= 2.0 * np.pi
    np.testing.assert_allclose(same, rows, rtol=1e-14)


def test_missing_file_and_redshift_of_the_configuration(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_lenstool(tmp_path / "nothing.par")
    with pytest.raises(InputError, match=r"found 0.5; expected 0.4"):
        read_lenstool(parameter_file(tmp_path, HALO), z_lens=0.5)


def test_potfile_with_positions_on_the_sky(tmp_path):
    (tmp_path / "members.cat").write_text(
        "# id ra dec a b theta mag lum\n1 40.001 -1.5 2.0 1.0 30.0 22.0 0\n"
    )
    row = read_lenstool(parameter_file(tmp_path, POTFILE)).rows[0]
    assert row[X] == pytest.approx(-3.6 * np.cos(np.deg2rad(1.5))) and row[Y] == pytest.approx(0.0)
    # (a^2 - b^2) / (a^2 + b^2) of the light means a flattening (a - b) / (a + b) of the mass.
    assert row[ELLIPTICITY] == pytest.approx(1 / 3) and row[ANGLE] == np.deg2rad(30.0)
    # Two magnitudes fainter: L / L* = 10^-0.8.
    np.testing.assert_allclose(row[[CORE, CUT]], [0.05 * 10**-0.4, 5.1 * 10**-0.4])
    assert row[STRENGTH] == pytest.approx(einstein_arcsec(121.0 * 10**-0.2, 6.0))


@pytest.mark.parametrize(
    ("header", "kind", "x", "y", "expected"),
    [
        ("", 1, 4.0, 3.0, (4.0, 3.0)),
        ("#REFERENCE 3 40.0 -1.5\n", 1, 4.0, 3.0, (4.0, 3.0)),
        ("#REFERENCE 3 40.001 -1.499\n", 3, 0.0, 0.0, (-3.6, 3.6)),
        ("#REFERENCE 1 02:40:00.24 -01:29:56.4\n", 3, 0.0, 0.0, (-3.6, 3.6)),
        ("#REFERENCE 0\n", 3, 39.999, -1.499, (3.6, 3.6)),
        # As Lenstool itself does (set_potfile.c): format 1 stays relative without a position.
        ("#REFERENCE 0\n", 1, 4.0, 3.0, (4.0, 3.0)),
    ],
)
def test_frames_of_a_galaxy_catalogue(tmp_path, header, kind, x, y, expected):
    (tmp_path / "members.cat").write_text(f"{header}1 {x} {y} 1.0 1.0 0.0 20.0 0.0\n")
    model = read_lenstool(parameter_file(tmp_path, POTFILE.replace("filein  3", f"filein  {kind}")))
    np.testing.assert_allclose(model.rows[0, [X, Y]], expected, atol=3e-3)


def test_potfile_lengths_in_kpc_and_own_slopes(tmp_path):
    (tmp_path / "members.cat").write_text("1 40.0 -1.5 1.0 1.0 0.0 22.5 0.0\n")
    text = POTFILE.replace("cut     3 5.1 1.0", "cutkpc  1 20.0 30.0").replace(
        "core    0.05", "corekpc 0.15 kpc"
    )
    text = text.replace("slope   0 4.0 0.0", "slope   0 2.0 0.0", 1).replace("vdslope 0 4.0", "vdslope 0 3.0")
    row = read_lenstool(parameter_file(tmp_path, text)).rows[0]
    scale = COSMOLOGY.arcsec_per_kpc_proper(0.4).value
    np.testing.assert_allclose(row[[CORE, CUT]], [0.15 * scale * 10**-0.5, 20.0 * scale * 10**-1.0])
    assert row[STRENGTH] == pytest.approx(einstein_arcsec(121.0 * 10 ** (-1 / 3), 6.0))


def test_a_potfile_switched_off_is_not_read(tmp_path):
    off = POTFILE.replace("filein  3 members.cat", "filein  0 members.cat")
    assert len(read_lenstool(parameter_file(tmp_path, HALO, off)).rows) == 1


def test_potentials_beyond_the_stated_number_do_not_count(tmp_path):
    lines = [f"{n} 40.0 -1.5 1.0 1.0 0.0 22.5 0.0\n" for n in range(5)]
    (tmp_path / "members.cat").write_text("".join(lines) + "6 40.0 -1.5 1.0 1.0 0.0 22.5\n")
    assert len(read_lenstool(parameter_file(tmp_path, HALO, POTFILE)).rows) == 6
    grid = "grille\n    nlentille 4\n    end\n"
    assert len(read_lenstool(parameter_file(tmp_path, grid, HALO, POTFILE)).rows) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 40.0 -1.5 1.0 1.0 0.0 bright 0.0", "line 1"),
        ("1 40.0 -1.5 0.0 0.0 0.0 20.0 0.0", "positive axes"),
        ("#REFERENCE here\n1 40.0 -1.5 1.0 1.0 0.0 20.0 0.0", "reference here"),
        ("# nobody", "no galaxy"),
        ("1 40.0 -1.5 1.0 1.0 0.0 20.0 0.0\n2 40.0 -1.5 1", "truncated"),
    ],
)
def test_broken_galaxy_catalogues_are_refused(tmp_path, line, message):
    (tmp_path / "members.cat").write_text(line)
    with pytest.raises(InputError, match=message):
        read_lenstool(parameter_file(tmp_path, POTFILE))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("members.cat", "lost.cat", "lost.cat"),
        ("filein  3", "filein  2", "format 2"),
        ("type    81", "type    87", "profile 87"),
        ("sigma   3 121.0 5.0\n", "", "sigma, and cut"),
    ],
)
def test_potfiles_that_cannot_be_used_are_refused(tmp_path, old, new, message):
    (tmp_path / "members.cat").write_text("1 40.0 -1.5 1.0 1.0 0.0 20.0 0.0\n")
    with pytest.raises(InputError, match=message):
        read_lenstool(parameter_file(tmp_path, POTFILE.replace(old, new)))


def test_a_file_without_a_cosmology_means_that_of_the_workflow(tmp_path):
    path = parameter_file(tmp_path, HALO)
    path.write_text(path.read_text().replace(COSMOLOGY_TEXT, ""))
    assert read_lenstool(path).cosmology is COSMOLOGY


def test_files_of_other_editors_and_folders(tmp_path):
    plain = read_lenstool(parameter_file(tmp_path, HALO, GALAXY)).rows
    path = parameter_file(
        tmp_path, HALO, GALAXY.replace("potentiel 7", "potentiel 7 # le plus proche, décrit à part")
    )
    text = path.read_text()
    for content in (text.encode("utf-8-sig"), text.encode("latin-1"), text.replace("\n", "\r\n").encode()):
        path.write_bytes(content)
        np.testing.assert_array_equal(read_lenstool(path).rows, plain)
    # The catalogue lies beside the model, not where it was when the model was made.
    (tmp_path / "members.cat").write_text("1 40.0 -1.5 1.0 1.0 0.0 20.0 0.0\n")
    moved = POTFILE.replace("members.cat", "../../Catalogues/members.cat")
    assert len(read_lenstool(parameter_file(tmp_path, moved)).rows) == 1


def test_a_galaxy_without_a_magnitude_has_no_mass(tmp_path):
    (tmp_path / "members.cat").write_text("1 40 -1.5 1 1 0 20.0 0\n2 40 -1.5 1 1 0 0.0 0\n")
    samples = samples_file(tmp_path, ["Pot0 sigma (km/s)"], [[242.0]])
    model = read_lenstool(parameter_file(tmp_path, POTFILE), samples=samples)
    assert model.rows[1, STRENGTH] == model.samples[0][1, STRENGTH] == 0.0
    assert model.samples[0][0, STRENGTH] == pytest.approx(4.0 * model.rows[0, STRENGTH])


def test_potentials_of_other_redshifts_are_other_planes(tmp_path):
    # As a group behind the cluster, in a potfile of its own (Lagattuta et al. 2019, Abell 370).
    (tmp_path / "members.cat").write_text("1 40.001 -1.5 1 1 0 20.0 0\n")
    group = POTFILE.replace("zlens   0.4", "zlens   1.05").replace("cut     3 5.1 1.0", "cutkpc  3 25.0 1.0")
    near = GALAXY.replace(
        "z_lens        0.4", "z_lens        0.402"
    )  # the same plane, written with other care
    model = read_lenstool(parameter_file(tmp_path, HALO, near, group))
    assert model.z_lens == 0.4 and list(model.redshifts) == [0.4, 0.4, 1.05]
    assert model.rows[2, CUT] == pytest.approx(25.0 * COSMOLOGY.arcsec_per_kpc_proper(1.05).value)
    front = read_lenstool(parameter_file(tmp_path, HALO, near))
    place = 39.999, -1.4985
    np.testing.assert_allclose(model.magnification(*place, 1.0), front.magnification(*place, 1.0))
    assert abs(model.magnification(*place, 3.0)[0] / front.magnification(*place, 3.0)[0] - 1) > 1e-3
    with pytest.raises(InputError, match="a positive redshift"):
        read_lenstool(parameter_file(tmp_path, HALO, group.replace("1.05", "0")))
