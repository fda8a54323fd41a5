"""Shared ground: errors, tables, flags, filters, cosmology, randomness, files."""

import os
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from astropy.io import fits
from astropy.table import Table
from clumpscope import __version__, cosmology, flags
from clumpscope.addresses import parse_address
from clumpscope.columns import COLUMNS, column_info
from clumpscope.documentation import pages
from clumpscope.errors import InputError
from clumpscope.files import attend, replacing, sweep, without_folders
from clumpscope.filters import filter_names, get_filter, transmission
from clumpscope.logs import job_log
from clumpscope.made_by import code_digest, drawn_from, made_by, write_fits
from clumpscope.randomness import generator
from clumpscope.tables import read_table, require_finite, require_unique, write_table
from conftest import ROOT


def test_error_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(InputError("a.csv", "x", "y", "Do z.")))
    assert str(error) == "a.csv: found x; expected y. Do z."


def test_table_round_trip_keeps_units_and_bytes(tmp_path):
    table = Table(
        {"id": ["a", "b"], "ra": [1.0, 2.0], "flux_F150W_njy": [3.0, np.nan], "log_mass_p50": [6.0, 7.0]}
    )
    write_table(table, tmp_path / "t.ecsv", fits=True)
    first = (tmp_path / "t.ecsv").read_bytes(), (tmp_path / "t.fits").read_bytes()
    back = read_table(tmp_path / "t.ecsv")
    assert back["ra"].unit == "deg" and back["flux_F150W_njy"].unit == "nJy"
    assert list(read_table(tmp_path / "t.fits")["id"]) == ["a", "b"]
    write_table(table, tmp_path / "t.ecsv", fits=True)
    assert first == ((tmp_path / "t.ecsv").read_bytes(), (tmp_path / "t.fits").read_bytes())
    assert table["ra"].unit is None, "the caller's table is left as it was"


def test_a_table_that_lost_its_end_is_refused_wherever_it_was_cut(tmp_path):
    path = tmp_path / "t.ecsv"
    write_table(Table({"id": ["a", "b"], "ra": [1.0, 2.123456]}), path)
    assert len(read_table(path)) == 2 and read_table(path).meta == {}
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"t\.ecsv"):
            read_table(path)
    path.write_bytes(whole[: whole.rindex(b"b")])
    with pytest.raises(InputError, match=r"found 1 rows; expected the 2 rows .* Delete the file"):
        read_table(path)


def test_tables_of_others_need_not_say_how_long_they_are(tmp_path):
    Table({"id": [1, 2]}).write(tmp_path / "t.ecsv")
    assert len(read_table(tmp_path / "t.ecsv")) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [("id,ra\na,1\n", "'dec'"), ("", "'id'"), ("id,ra,dec\na,1,2,3,4\n", "unreadable")],
)
def test_bad_tables_are_refused(tmp_path, content, message):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "t.csv", ["id", "ra", "dec"])


def test_bad_cells_are_named_by_row_and_value():
    table = Table({"id": ["a", "b", "a"], "z": ["1.0", "abc", "2.0"]})
    with pytest.raises(InputError, match=r"column 'z', row 2 \(id b\): found 'abc'"):
        require_finite(table, "z", "t.csv")
    with pytest.raises(InputError, match="row 3: found 'a', as in row 1"):
        require_unique(table, "id", "t.csv")
    with pytest.raises(InputError, match="row 1"):
        require_finite(Table({"z": [np.nan]}), "z", "t.csv")
    with pytest.raises(InputError, match=r"found '0\.0'; expected a number above 0\."):
        require_finite(Table({"mu": [0.0]}), "mu", "t.csv", np.nextafter(0.0, 1.0))
    with pytest.raises(InputError, match="expected a number from 1 on"):
        require_finite(Table({"mu": [0.5]}), "mu", "t.csv", 1.0)


def test_replacing_leaves_the_old_file_when_the_writer_fails(tmp_path):
    target = tmp_path / "product.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["product.txt"]


def test_what_killed_writers_left_is_swept_away(tmp_path):
    (tmp_path / "a/.writing-x1").mkdir(parents=True)
    for name in ("a/.writing-x1/t.ecsv", "a/t.ecsv"):
        (tmp_path / name).write_text("half")
    sweep(tmp_path)
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["a", "t.ecsv"]


def test_presence_in_a_folder_ends_with_its_process(tmp_path):
    words = "import os, sys, time\nfrom clumpscope.files import attend\nkept = attend(sys.argv[1])\nprint(kept[1], flush=True)\ntime.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", words, tmp_path], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "True\n"
    presence, alone = attend(tmp_path)
    assert not alone
    os.close(presence)
    other.kill()
    other.communicate()
    presence, alone = attend(tmp_path)
    assert alone
    os.close(presence)
    assert attend(tmp_path / "new")[1]


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("table.csv", ".csv"),
        ("sci.v2.fits.gz?token=a.b", ".fits.gz"),
        ("x.$(touch PWN).csv", ".csv"),
        ("x.csv;id", ""),
        ("table", ""),
    ],
)
def test_no_shell_finds_a_word_in_the_ending_of_a_url(name, ending):
    assert parse_address(f"https://host/{name}", "x").ending == ending


def test_flag_bits_are_distinct_and_described():
    masks = [flag.bit for flag in flags.FLAGS.values()]
    assert len(set(masks)) == len(masks) and all(mask.bit_count() == 1 for mask in masks)
    assert flags.describe(flags.bit("edge", "few_bands")) == ["edge", "few_bands"]
    assert list(flags.has(np.array([0, flags.bit("edge")]), "edge")) == [False, True]


def test_column_names_expand_over_filters():
    info = column_info("flux_F150W_err_njy")
    assert info.unit == "nJy" and "F150W" in info.text
    assert column_info("nonsense") is None
    assert len(COLUMNS) > 50


def test_pivot_wavelengths_agree_with_the_instrument_handbook():
    # JWST user documentation, NIRCam filters: pivot wavelengths in micron.
    for name, pivot in {
        "F090W": 0.901,
        "F150W": 1.501,
        "F200W": 1.990,
        "F277W": 2.786,
        "F444W": 4.421,
    }.items():
        assert get_filter(name).pivot_angstrom == pytest.approx(pivot * 1e4, rel=0.005)


def test_every_filter_has_a_curve_and_unknown_names_get_a_suggestion():
    for name in filter_names():
        wave, throughput = transmission(name)
        assert (np.diff(wave) > 0).all() and throughput.max() > 0
    with pytest.raises(InputError, match="Did you mean F150W"):
        get_filter("F150")


def test_cosmology_against_closed_forms():
    # Einstein-de Sitter-like check by direct integration of 1/E(z), independent of astropy.
    z = np.linspace(0, 2, 20001)
    comoving = 299792.458 / 70 * np.trapezoid(1 / np.sqrt(0.3 * (1 + z) ** 3 + 0.7), z)
    assert cosmology.pc_per_arcsec(2.0) == pytest.approx(comoving / 3 * 1e6 * np.pi / 180 / 3600, rel=1e-5)
    # Age of a flat LCDM universe: closed form (e.g. Peebles 1993, eq. 13.20).
    hubble_yr = 977.79222168e9 / 70
    age = 2 / (3 * np.sqrt(0.7)) * np.arcsinh(np.sqrt(0.7 / 0.3) * 1.0) * hubble_yr
    assert cosmology.age_of_universe_yr(0.0) == pytest.approx(age, rel=2e-3)
    assert cosmology.distance_ratio(0.5, 0.3) == 0.0
    assert cosmology.distance_ratio(0.5, 1e9) == pytest.approx(1 - cosmology.COSMOLOGY.comoving_distance(0.5)
                                                               / cosmology.COSMOLOGY.comoving_distance(1e9))  # fmt: skip


def test_distances_are_those_of_astropy():
    astropys, z = (
        FlatLambdaCDM(H0=70.0, Om0=0.3),
        np.concatenate([np.arange(0.01, 15.0, 0.01), [1089.0, 1e9]]),
    )
    mpc = astropys.comoving_distance(z)
    assert cosmology.pc_per_arcsec(z) == pytest.approx(
        1e3 / astropys.arcsec_per_kpc_proper(z).value, rel=1e-15
    )
    assert cosmology.luminosity_distance_cm(z) == pytest.approx((mpc * (1 + z)).to("cm").value, rel=1e-15)
    assert cosmology.hubble_distances(z) == pytest.approx((mpc / astropys.hubble_distance).value, rel=1e-15)
    assert cosmology.age_of_universe_yr(z) == pytest.approx(astropys.age(z).to("yr").value, rel=1e-15)
    assert cosmology.COSMOLOGY.H0 == astropys.H0


def test_random_numbers_belong_to_the_object():
    first = generator(1, "sed", "clump_7").normal(size=3)
    assert np.array_equal(first, generator(1, "sed", "clump_7").normal(size=3))
    assert not np.array_equal(first, generator(1, "sed", "clump_8").normal(size=3))
    assert not np.array_equal(first, generator(2, "sed", "clump_7").normal(size=3))


@pytest.mark.parametrize("path", list(pages()))
def test_reference_pages_are_up_to_date(path):
    assert (ROOT / path).read_text() == pages()[path], "run `make docs`"


def test_a_refused_input_is_told_on_the_console_and_in_the_log(tmp_path):
    """Snakemake's quiet mode shows a failed job's standard error, not its log."""
    with (
        pytest.raises(SystemExit, match="SPS_HOME: found nothing"),
        job_log(SimpleNamespace(log=[tmp_path / "job.log"])),
    ):
        raise InputError("SPS_HOME", "nothing", "a folder")
    assert "SPS_HOME: found nothing" in (tmp_path / "job.log").read_text()


def test_a_job_tells_what_it_took(tmp_path):
    (tmp_path / "busy.py").write_text("""
import time
from types import SimpleNamespace
from clumpscope.logs import job_log
with job_log(SimpleNamespace(log=["results/f/logs/galaxies/logs/fit.log"])):
    memory = b"x" * 200_000_000
    del memory
    while time.process_time() < 1.0:
        pass
    time.sleep(0.5)
""")
    subprocess.run([sys.executable, "busy.py"], cwd=tmp_path, check=True)
    (file,) = tmp_path.rglob("*.tsv")
    assert file.relative_to(tmp_path).as_posix() == "results/f/benchmarks/galaxies/logs/fit.tsv"
    names, values = (line.split("\t") for line in file.read_text().splitlines())
    took = dict(zip(names, map(float, values), strict=True))
    assert 1.0 <= took["cpu_time"] < 1.3 and took["s"] > took["cpu_time"] + 0.4
    assert 200.0 < took["max_rss"] < 300.0


def test_empty_words_of_our_tables_are_empty_when_read(tmp_path):
    table = Table({"name": ["", "a", ""], "value": [1.0, np.nan, 3.0]})
    write_table(table, tmp_path / "t.ecsv")
    back = read_table(tmp_path / "t.ecsv")
    assert back["name"].tolist() == ["", "a", ""] and np.isnan(back["value"][1])


@pytest.mark.parametrize("name", ["t.ecsv", "t.fits"])
def test_tables_say_what_made_them(tmp_path, name):
    write_table(Table({"id": ["a"], "ra": [1.0]}), tmp_path / name)
    assert f"clumpscope {__version__}, code {code_digest()[:12]}".encode() in (tmp_path / name).read_bytes()
    assert "CREATOR" not in read_table(tmp_path / name).meta


def test_images_say_what_made_them(tmp_path):
    write_fits(fits.HDUList([fits.PrimaryHDU(np.ones((3, 3)))]), tmp_path / "image.fits")
    assert fits.getheader(tmp_path / "image.fits")["CREATOR"] == made_by()


def test_what_was_drawn_says_from_which_seed(tmp_path):
    with drawn_from(20261127):
        write_table(Table({"id": ["a"]}), tmp_path / "t.ecsv")
        write_fits(fits.HDUList([fits.PrimaryHDU()]), tmp_path / "image.fits")
    assert b", seed 20261127" in (tmp_path / "t.ecsv").read_bytes()
    assert fits.getheader(tmp_path / "image.fits")["CREATOR"] == f"{made_by()}, seed 20261127"


def test_every_script_that_takes_a_seed_says_so_in_its_products():
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        text = path.read_text()
        if "params.seed" in text and "write_" in text:
            assert "drawn_from(snakemake.params.seed)" in text, path.name


def test_texts_of_products_do_not_tell_where_files_lie():
    text = (
        "/home/me/sky/sci.fits (fields.a): see images/err.fits, 3/4, https://host/x.fits and (/data/b.fits)"
    )
    told = "sci.fits (fields.a): see images/err.fits, 3/4, https://host/x.fits and (b.fits)"
    assert without_folders(text) == told
