"""The configurations of public fields: what they name, and that they can be planned. `make fields` runs them."""

import subprocess
import sys

import numpy as np
import pytest
import yaml
from astropy.table import Table
from clumpscope.addresses import is_address, parse_address
from clumpscope.config import name_filters, validate
from conftest import ROOT
from public_fields import CATS, configuration, contents, make_mock, served, uncommented, write_contents

FILTERS = {"abell2744": 20, "smacs0723": 6, "elgordo": 8}


def addresses(value):
    if isinstance(value, dict | list):
        return [
            text for own in (value.values() if isinstance(value, dict) else value) for text in addresses(own)
        ]
    return [value] if is_address(value) else []


@pytest.mark.parametrize("name", FILTERS)
def test_public_fields_are_valid_and_every_address_is_safe(name):
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    validate(config)
    assert name_filters(config)[1] == []
    images = config["fields"][name]["images"]
    assert len(images) == FILTERS[name]
    for band, image in images.items():
        element = "f150w2-f162m" if band == "F162M" else f"{band.lower()}-clear"
        assert [image[key].rsplit("_", 1)[-1] for key in ("sci", "wht", "exp")] == [
            "sci.fits.gz",
            "wht.fits.gz",
            "exp.fits.gz",
        ]
        assert all(f"-{element}_drc_" in image[key] for key in ("sci", "wht", "exp"))
    found = [parse_address(text) for text in addresses(config)]
    assert len(found) >= 3 * FILTERS[name] + 4 and all(
        address.url.startswith("https://") for address in found
    )
    assert sum(bool(address.checksum) for address in found) >= 2
    assert len({address.cached("cache") for address in found}) == len({address.url for address in found})


@pytest.mark.parametrize("name", FILTERS)
def test_the_server_on_this_machine_has_every_address(name):
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    assert set(contents(name, ROOT)) == set(addresses(config))


def test_only_the_host_is_replaced():
    text = configuration("smacs0723", "http://127.0.0.1:1")
    assert (
        "https://" not in text
        and "sha256" not in text
        and "#member=smacs0723-grizli-v7.4-fix.eazypy.zout.fits" in text
    )
    assert "127.0.0.1:1/raw.githubusercontent.com/guillaumemahler/" in text


def test_a_public_field_is_planned(tmp_path):
    """Two fields on the same mosaics: each file comes once."""
    for own in ("Snakefile", "rules", "workflow", "resources", "profiles", "envs", "config"):
        (tmp_path / own).symlink_to(ROOT / own)
    (tmp_path / "f.yaml").write_text(configuration("smacs0723", "http://127.0.0.1:1"))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--configfile", "f.yaml"]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "23 of 23 files come from the network" in done.stdout
    counts = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    assert counts["unpack"] == "36" and counts["galaxy_catalogue"] == "1" and counts["packed_stars"] == "12"


def test_alternatives_that_stand_as_comments_can_be_used(tmp_path):
    """HST's filters, the catalogue of stellar populations and the third lens model of Abell 2744, with their comment signs taken away."""
    text = uncommented((ROOT / "config/abell2744.yaml").read_text())
    config = yaml.safe_load(text)
    validate(config)
    assert name_filters(config)[1] == []
    field = config["fields"]["abell2744"]
    assert len(field["images"]) == 27 and "UNCOVER_DR4_SPS" in field["catalogue"]["redshifts"]
    assert "_drz_" in field["images"]["F814W"]["sci"]
    assert [lens["kind"] for lens in field["lens"]] == ["lenstool", "maps", "maps"]
    for own in ("Snakefile", "rules", "workflow", "resources", "profiles", "envs"):
        (tmp_path / own).symlink_to(ROOT / own)
    mock = make_mock("abell2744", tmp_path / "mock", filters=["F444W"])
    here = {url: make for url, make in contents("abell2744", mock, text).items() if "JwstMosaics" not in url}
    write_contents(here, tmp_path / "public", tmp_path)
    with served(tmp_path / "public") as host:
        (tmp_path / "f.yaml").write_text(configuration("abell2744", host, text))
        files = ["candidates.fits", *(f"downloads/lens2_{key}.fits" for key in CATS)]
        targets = [f"results/abell2744/{path}" for path in files]
        command = ["snakemake", "--cores", "1", *targets, "--configfile", "f.yaml"]
        done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
    command = [sys.executable, "-m", "clumpscope", "check", "f.yaml"]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    # What is not there are the images; all lens models were read, and are of the field's galaxies.
    assert "74 files are not downloaded yet" in done.stdout
    assert "Error" not in done.stdout and ".lens" not in done.stdout
    galaxies, true = (
        Table.read(tmp_path / path)
        for path in ("results/abell2744/galaxy_catalogue.fits", "mock/galaxies.ecsv")
    )
    np.testing.assert_allclose(sorted(galaxies["z"]), sorted(true["z"]))
