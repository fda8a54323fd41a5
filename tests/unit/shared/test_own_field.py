"""`clumpscope init` and `clumpscope check`: a folder of mosaics becomes a checked configuration."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope.__main__ import main
from clumpscope.checking import check_configuration
from clumpscope.errors import InputError
from clumpscope.field_checks import check_field
from clumpscope.own_field import describe_folder

BEST = "runmode\n  reference 3 150.0 2.0\n  end\npotentiel O1\n  profil 81\n  x_centre 0.0\n  y_centre 0.0\n  ellipticite 0.1\n  angle_pos 40.0\n  core_radius 4.0\n  cut_radius 200.0\n  v_disp 800.0\n  z_lens 0.4\n  end\nfini\n"


def image(path, scale=0.04, size=60, value=1.0, pack=False, **cards):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [size / 2, size / 2], [-scale / 3600, scale / 3600]
    header = wcs.to_header()
    header.update(cards)
    data = np.random.default_rng(1).normal(value, 0.1, (size, size)).astype(np.float32)
    fits.PrimaryHDU(data, header).writeto(path)
    if pack:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


@pytest.fixture
def folder(tmp_path):
    """What a user may have: grizli's names, JWST's pipeline's, one without a unit, one of no known filter."""
    folder = tmp_path / "my cluster"
    folder.mkdir()
    unit = {"BUNIT": "10.0*nanoJansky"}
    for key in ("sci", "wht"):
        image(
            folder / f"x-f150w2-f162m_drc_{key}.fits", 0.02, 120, pack=True, **(unit if key == "sci" else {})
        )
    image(folder / "x-f200w-clear_drc_sci.fits", 0.02, 120, FILTER="F200W", PUPIL="CLEAR", **unit)
    image(folder / "x-f200w-clear_drc_err.fits", 0.02, 120)
    image(folder / "hst_drz_sci.fits", FILTER1="CLEAR1L", FILTER2="F814W", INSTRUME="ACS", PHOTFNU=1e-8)
    image(folder / "strange_sci.fits", **unit)
    for name in ("Background", "PSF_model"):
        (folder / name).mkdir()
    image(folder / "Background/x-f200w-clear_drc_sci.fits", **unit)
    axis = np.arange(61) - 30
    psf = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 1.5**2)
    fits.writeto(folder / "PSF_model/x-f200w-clear_drc_sci.fits", psf)
    Table({"id": [1, 2], "ra": [150.0, 150.0002], "dec": [2.0, 2.0], "z": [1.5, 2.0]}).write(
        folder / "galaxies.csv"
    )
    (folder / "best.par").write_text(BEST)
    return folder


def test_headers_and_names_tell_filters_units_maps_and_lens(folder):
    text = describe_folder(folder)
    field = yaml.safe_load(text)["fields"]["my_cluster"]
    assert list(field["images"]) == ["F814W", "F162M", "F200W"]
    assert field["images"]["F162M"]["wht"].endswith("f162m_drc_wht.fits.gz")
    assert field["images"]["F200W"]["err"].endswith("clear_drc_err.fits")
    assert (
        "Background" not in field["images"]["F200W"]["sci"] and "PSF_model" in field["images"]["F200W"]["psf"]
    )
    assert "# 120 x 120 pixels of 0.02 arcsec, unit: 10.0*nanoJansky" in text
    assert "tells one filter, left out:" in text and "strange_sci.fits" in text
    assert field["galaxies"].endswith("galaxies.csv") and field["lens"]["model"].endswith("best.par")
    assert "# ? no error or weight map found" in text and "# ? no bayes.dat" in text


def test_init_writes_checks_and_tells_the_next_command(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", str(folder), "--output", "mine.yaml"]) == 0
    said = capsys.readouterr().out
    assert (
        "Nothing to mend." in said
        and "F162M: 120 x 120 pixels of 0.02 arcsec, 1 unit = 10 nJy, errors: wht, 2 of 2" in said
    )
    assert "snakemake --cores 8 --configfile mine.yaml --dry-run" in said
    assert (tmp_path / "mine.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["init", str(folder), "--output", "mine.yaml"]) == 1
    assert "is there already" in capsys.readouterr().err


def test_what_is_not_told_is_not_guessed(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image(folder / "F277W_sci.fits")
    for key in ("kappa", "gamma1", "gamma2"):
        image(folder / f"lens_{key}.fits")
    (folder / "best.par").unlink()
    text = describe_folder(folder)
    assert "# unit: 10 nJy # ? neither BUNIT" in text and "# z_lens: 0.3 # ?" in text
    assert main(["init", str(folder), "--output", "mine.yaml"]) == 1
    assert "no key 'normalisation'" in capsys.readouterr().out
    (tmp_path / "mine.yaml").write_text(
        text.replace("# normalisation", "normalisation").replace("# z_lens", "z_lens")
    )
    assert main(["check", "mine.yaml"]) == 1
    assert "F277W_sci.fits: found no unit in the configuration" in capsys.readouterr().out


def test_maps_of_a_lens_are_told_from_each_other(folder):
    """Names as the Hubble Frontier Fields have them."""
    (folder / "best.par").unlink()
    names = {"kappa": "kappa", "gamma1": "gamma1", "gamma2": "gamma2", "deflection_x": "x-arcsec-deflect", "deflection_y": "y-arcsec-deflect", "z2": "z02-magnif"}  # fmt: skip
    for name in names.values():
        image(folder / f"hlsp_frontier_model_abell2744_cats_v4.1_{name}.fits")
    lens = yaml.safe_load(describe_folder(folder))["fields"]["my_cluster"]["lens"]
    assert lens.pop("kind") == "maps" and lens.pop("deflection_unit") == "arcsec"
    assert {key: Path(path).stem.split("_")[-1] for key, path in lens.items()} == {key: name for key, name in names.items() if key != "z2"}  # fmt: skip
    for axis in "xy":
        (folder / f"hlsp_frontier_model_abell2744_cats_v4.1_{axis}-arcsec-deflect.fits").rename(folder / f"alpha_{axis}.fits")  # fmt: skip
    assert "# deflection_unit: arcsec # ? or pixel" in describe_folder(folder)
    for path in folder.glob("*_[kg]a[pm][pm]a*.fits"):
        path.unlink()
    assert "# normalisation: {z_source: 2.0} # ?" in describe_folder(folder)


def test_noise_of_all_filters_is_told_once(folder, tmp_path):
    config = yaml.safe_load(describe_folder(folder))
    for own in config["fields"]["my_cluster"]["images"].values():
        own["unit"] = "Jy"
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    told = [text for text in check_configuration(tmp_path / "c.yaml").doubts if ".images: noise of" in text]
    assert len(told) == 1


def test_all_that_a_bare_image_lacks_is_asked_at_once(tmp_path):
    """A data array with neither WCS nor unit, as codes for modelling write it."""
    (tmp_path / "F150W").mkdir()
    fits.writeto(tmp_path / "F150W/data.fits", np.random.default_rng(1).normal(1.0, 0.1, (60, 60)))
    fits.writeto(tmp_path / "F150W/noise_map.fits", np.full((60, 60), 0.1))
    text = describe_folder(tmp_path)
    assert all(f"# {key}: " in text for key in ("unit", "pixel_scale", "reference"))
    assert yaml.safe_load(text.replace("# unit", "unit").replace("# pixel_scale", "pixel_scale"))


def test_what_many_lines_ask_is_asked_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bare").mkdir()
    for band in ("f150w", "f200w", "f277w"):
        image(tmp_path / f"bare/{band}_sci.fits")
    assert main(["init", "bare"]) == 1
    said = capsys.readouterr().out.partition("to mend")[0].splitlines()
    assert (
        "# ? no error or weight map found: errors will be the scatter of the sky alone (3 times)"
        in " ".join(said)
    )
    assert sum("neither BUNIT" in line for line in said) == 1


def test_headers_of_compressed_images_are_checked_before_a_run(folder):
    packed = folder / "bare.fits"
    image(packed, pack=True)
    field = {"images": {"F150W": {"sci": f"{packed}.gz"}}, "galaxies": str(folder / "galaxies.csv")}
    with pytest.raises(InputError, match=r"bare\.fits\.gz: found no unit"):
        check_field("f", field)
    field["images"]["F150W"] |= {"unit": "nJy", "wht": str(folder / "x-f200w-clear_drc_err.fits")}
    with pytest.raises(InputError, match="wht of 120 x 120 pixels"):
        check_field("f", field)


def test_a_folder_without_mosaics_is_refused(tmp_path, capsys):
    assert main(["init", str(tmp_path)]) == 1 and main(["init", str(tmp_path / "nowhere")]) == 1
    said = capsys.readouterr().err
    assert "none a science image" in said and "no such folder" in said


def test_check_finds_everything_that_is_wrong(folder, tmp_path):
    config = yaml.safe_load(describe_folder(folder))
    field = config["fields"]["my_cluster"]
    field["images"]["F200W"]["err"] = "nowhere.fits"
    image(tmp_path / "far.fits", BUNIT="DN/s")
    field["images"]["F814W"] = {"sci": str(tmp_path / "far.fits")}
    (folder / "best.par").write_text("potentiel\n")
    field["stars"] = "https://example.org/stars.csv"
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(config))
    findings = check_configuration(tmp_path / "bad.yaml")
    text = findings.page()
    assert len(findings.errors) == 3, text
    for found in ("nowhere.fits", "far.fits", "best.par"):
        assert sum(found in error for error in findings.errors) == 1, text
    assert "1 files are not downloaded yet" in text


def test_a_lens_model_of_which_files_are_still_to_come_is_no_error(folder, tmp_path):
    config = yaml.safe_load(describe_folder(folder))
    maps = {name: f"https://example.org/{name}.fits" for name in ("kappa", "gamma1", "gamma2")}
    config["fields"]["my_cluster"]["lens"] = {
        "kind": "maps",
        "z_lens": 0.3,
        "normalisation": {"dls_ds": 1},
        **maps,
    }
    (tmp_path / "later.yaml").write_text(yaml.safe_dump(config))
    findings = check_configuration(tmp_path / "later.yaml")
    assert findings.errors == [] and "3 files are not downloaded yet" in findings.page()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fields: [", "what is not YAML"),
        ("7", "found int"),
        ("fields: {a: {photometri: x}}", "Did you mean 'photometry'"),
        ("fields: {a: {photometry: nowhere.csv}}", "fields.a.photometry"),
    ],
)
def test_check_of_a_wrong_configuration(tmp_path, text, message, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(text)
    assert main(["check", "c.yaml"]) == 1
    assert message in capsys.readouterr().out
    assert main(["check", "nowhere.yaml"]) == 1


def test_the_module_is_a_command():
    done = subprocess.run([sys.executable, "-m", "clumpscope", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "init" in done.stdout and "check" in done.stdout


def test_too_few_filters_for_statistics_are_told(folder, tmp_path):
    """Six parameters of an exponential history of free decay, and C25's four broad bands, over three filters of which two are broad."""
    config = yaml.safe_load(describe_folder(folder))
    (name,) = config["fields"]
    path = tmp_path / "few.yaml"

    def told():
        path.write_text(yaml.safe_dump(config))
        return [text for text in check_configuration(path).doubts if "count in statistics" in text]

    texts = told()
    assert len(texts) == 2
    assert f"field {name}" in texts[0]
    assert "3 filter(s) for the 6 free parameters of exp_free" in texts[0]
    assert "2 broad filter(s), where `population.min_broad_bands` is 4" in texts[1]
    config["population"] = {"min_broad_bands": 2}
    config["sed"] = {"fixed": {"log_u": -2.5, "log_z_zsun": 0.0, "log_tau_yr": 7.0}}
    assert told() == []


def test_samples_are_those_beside_the_model(folder):
    """Those of another folder's model would be taken without a word: both have the same parameters."""
    for name in ("v0", "v1"):
        (folder / "lens" / name).mkdir(parents=True)
        (folder / "lens" / name / "best.par").write_text(BEST)
    (folder / "best.par").unlink()
    (folder / "lens" / "v1" / "bayes.dat").write_text("#Nsample\n")
    text = describe_folder(folder)
    (lens,) = [field["lens"] for field in yaml.safe_load(text)["fields"].values()]
    assert lens == {"kind": "lenstool", "model": str(folder / "lens/v0/best.par")}
    assert f"# ? also there: {folder}/lens/v1/best.par, {folder}/lens/v1/bayes.dat" in text
    (folder / "lens" / "v0" / "bayes.dat").write_text("#Nsample\n")
    assert f"samples: {folder}/lens/v0/bayes.dat\n" in describe_folder(folder)
