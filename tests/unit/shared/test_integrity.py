"""Products that changed behind Snakemake's back are found, those that jobs made anew are not."""

import json
import os
import time
from base64 import urlsafe_b64encode

import pytest
from clumpscope.integrity import damaged, record


@pytest.fixture
def product(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/a").mkdir(parents=True)
    product = tmp_path / "results/a/catalogue.ecsv"
    product.write_bytes(bytes(range(200)))
    record("results")
    assert damaged() == []
    return product


@pytest.mark.parametrize("change", ["cut", "flipped"])
@pytest.mark.parametrize("same_time", [True, False])
def test_damage_is_found(product, change, same_time):
    state, content = product.stat(), bytearray(product.read_bytes())
    content[77] ^= 4
    product.write_bytes(content if change == "flipped" else content[:77])
    if same_time:
        os.utime(product, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert [str(path) for path in damaged()] == ["results/a/catalogue.ecsv"]
    record("results")
    if not same_time:
        assert damaged() == []


def test_what_a_job_made_anew_is_no_damage(product):
    product.write_bytes(b"new")
    name = urlsafe_b64encode(b"results/a/catalogue.ecsv").decode()
    (product.parents[2] / ".snakemake/metadata").mkdir()
    (product.parents[2] / ".snakemake/metadata" / name).write_text(json.dumps({"endtime": time.time()}))
    assert damaged() == []
    product.unlink()
    assert damaged() == []


@pytest.mark.parametrize("change", ["cut", "gone"])
def test_of_a_product_that_is_a_folder_the_whole_is_damaged(tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/a/cards"
    (folder / "below").mkdir(parents=True)
    for name in (".snakemake_timestamp", "one.js", "below/two.js", "below/three.js"):
        (folder / name).write_text(name)
    record("results")
    assert damaged() == []
    for name in ("below/two.js", "below/three.js"):
        (folder / name).write_text("t") if change == "cut" else (folder / name).unlink()
    assert [str(path) for path in damaged()] == ["results/a/cards"]
    # A job that makes it anew may leave out files.
    (tmp_path / ".snakemake/metadata").mkdir()
    name = urlsafe_b64encode(b"results/a/cards").decode()
    (tmp_path / ".snakemake/metadata" / name).write_text(json.dumps({"endtime": time.time() + 1.0}))
    assert damaged() == []
