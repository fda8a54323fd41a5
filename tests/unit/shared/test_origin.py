"""What headers say a product was made from: the same for the same settings and inputs, wherever they lie and however the work is shared; another one for others."""

import hashlib
import json
import multiprocessing
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clumpscope import checksums, made_by
from clumpscope.checksums import sha256_of
from clumpscope.errors import InputError
from clumpscope.logs import job_log
from clumpscope.made_by import write_fits
from clumpscope.montage import Montage
from clumpscope.origin import origin_of, stated_in
from clumpscope.pictures import save_picture
from clumpscope.report.history import history
from clumpscope.tables import read_table, write_table


class Files(list):
    """Files of a job as Snakemake gives them: a list, some of it by names."""

    def __init__(self, **named):
        super().__init__(
            p for paths in named.values() for p in ([paths] if isinstance(paths, str) else paths)
        )
        self.items = named.items


def job(rule, inputs, output, params=None, **wildcards):
    return SimpleNamespace(
        rule=rule, input=Files(**inputs), output=output, params=params or {}, wildcards={"field": "f", **wildcards},
        log=[f"results/f/logs/{output}.log"],
    )  # fmt: skip


def made(rule, inputs, output, params=None, **wildcards):
    """A table of a job; what its header says."""
    path = f"results/f/{output}.ecsv"
    with job_log(job(rule, inputs, output, params, **wildcards)):
        write_table(Table({"id": ["a"]}), path)
    return stated_in(path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("sci", "err"):
        Path(f"{name}.fits").write_text(f"pixels of {name}")


def chain(folder, *, sci="sci.fits", err="err.fits", threshold=3.0, galaxies_per_job=10):
    """A field of three galaxies in a folder of its own: cut, fitted in batches, gathered."""
    Path(folder).mkdir()
    here = Path.cwd()
    os.chdir(folder)
    for galaxy in "abc":
        maps = {"images": [os.path.join(here, name) for name in (sci, err)]}
        cut = {
            "images": {"F150W": dict(zip(("sci", "err"), maps["images"], strict=True))},
            "galaxy": {"z": 1.0},
        }
        made("cutout", maps, f"cut_{galaxy}", cut, galaxy=galaxy)
        made(
            "fit",
            {"cutouts": f"results/f/cut_{galaxy}.ecsv"},
            galaxy,
            {"threshold": threshold},
            galaxy=galaxy,
        )
    batches = ["abc"[k : k + galaxies_per_job] for k in range(0, 3, galaxies_per_job)]
    for number, batch in enumerate(batches):
        params = {
            "redshifts": {g: [1.0, 2.0] for g in batch},
            "galaxies_per_job": galaxies_per_job,
            "seed": 1,
        }
        made(
            "sed",
            {"photometry": [f"results/f/{g}.ecsv" for g in batch]},
            f"sed_{number}",
            params,
            batch=str(number),
        )
    made("sed_table", {"": [f"results/f/sed_{number}.ecsv" for number in range(len(batches))]}, "sed")
    os.chdir(here)
    return {path.name: path.read_bytes() for path in Path(folder, "results/f").glob("*.ecsv")}


def test_the_chain_is_the_same_wherever_files_lie_and_however_work_is_shared(tmp_path):
    first = chain("first")
    assert chain("again") == first
    (tmp_path / "elsewhere").mkdir()
    Path("sci.fits").rename("elsewhere/other.fits")
    assert chain("moved", sci="elsewhere/other.fits") == first
    Path("elsewhere/other.fits").rename("sci.fits")
    for size in (1, 2):
        shared = chain(f"by_{size}", galaxies_per_job=size)
        kept = [name for name in first if not name.startswith("sed_")]
        assert len(kept) == 7 and [name for name in kept if shared[name] != first[name]] == []


def test_what_is_behind_a_changed_setting_changes_and_nothing_else():
    first, other = chain("first"), chain("other", threshold=4.0)
    assert {name for name in first if other[name] != first[name]} == {
        "a.ecsv", "b.ecsv", "c.ecsv", "sed_0.ecsv", "sed.ecsv",
    }  # fmt: skip
    fit, behind = (
        [stated_in(f"{run}/results/f/{name}.ecsv") for run in ("first", "other")] for name in ("a", "sed")
    )
    assert fit[0].settings != fit[1].settings and fit[0].inputs == fit[1].inputs
    assert behind[0].settings == behind[1].settings and behind[0].inputs != behind[1].inputs


def test_another_content_or_place_of_a_file_shows_to_the_end():
    first = chain("first")
    swapped = chain("swapped", sci="err.fits", err="sci.fits")
    Path("sci.fits").write_text("other pixels of sci")
    assert not set(first.items()) & set(swapped.items()) and not set(first.items()) & set(
        chain("new").items()
    )


def test_the_order_of_realisations_shows_and_an_index_does_not():
    def digests(names, index="{}"):
        Path("results/f").mkdir(parents=True, exist_ok=True)
        Path("results/f/galaxies.json").write_text(index)
        lens = {"samples": [{"kappa": name} for name in names]}
        return origin_of(
            job("magnify", {"lens": names, "index": "results/f/galaxies.json"}, "m", {"lens": lens})
        ).digests

    assert digests(["sci.fits", "err.fits"]) != digests(["err.fits", "sci.fits"])
    assert digests(["sci.fits"]) == digests(["sci.fits"], '{"another": 1}')


def test_what_was_put_in_the_place_of_an_input_is_known_by_its_content():
    """A header that was copied with a table says nothing of what a person then changed."""
    for folder in ("results/f/input", "results/f/downloads", "mine"):
        Path(folder).mkdir(parents=True)
        made("edits", {}, "edits")
        Path("results/f/edits.ecsv").rename(f"{folder}/edits.ecsv")
        (_, _, names), *_ = origin_of(job("select", {"edits": f"{folder}/edits.ecsv"}, "s")).inputs
        assert names == [hashlib.sha256(Path(folder, "edits.ecsv").read_bytes()).hexdigest()]
    made("edits", {}, "edits")
    (_, _, names), *_ = origin_of(job("select", {"edits": "results/f/edits.ecsv"}, "s")).inputs
    assert names == stated_in("results/f/edits.ecsv").identities


def test_every_kind_of_product_says_it():
    import matplotlib.pyplot as plt
    from clumpscope.made_by import headline

    with job_log(job("fit", {"cutouts": "sci.fits"}, "a")):
        write_table(Table({"id": ["a"]}), "results/a.ecsv", fits=True)
        write_fits(fits.HDUList([fits.PrimaryHDU(np.ones((3, 3)))]), "results/b.fits")
        for ending in ("png", "pdf"):
            save_picture(plt.figure(), f"results/c.{ending}")
        Montage(60, 60).save("results/d.png")
        Path("results/e.tex").write_text(headline("%"))
        said = {stated_in(path) for path in Path("results").glob("*.*")}
    assert len(said) == 1 and None not in said and len([*Path("results").glob("*.*")]) == 7
    (stated,) = said
    assert (
        fits.getheader("results/b.fits")["MADEFROM"] == f"settings {stated.settings}, inputs {stated.inputs}"
    )
    assert read_table("results/a.ecsv").meta == {}
    # Whoever uses the library without the workflow.
    write_table(Table({"id": ["a"]}), "alone.ecsv")
    assert stated_in("alone.ecsv") is None and not Path("results/f/alone.ecsv").exists()


def test_a_file_is_read_once_until_it_changes(monkeypatch):
    read = []
    monkeypatch.setattr(checksums, "_read", lambda path: read.append(path) or "0" * 63 + str(len(read)))
    assert sha256_of("sci.fits") != sha256_of("sci.fits") and not Path(".snakemake").exists()
    Path(".snakemake").mkdir()
    read.clear()
    Path("link.fits").symlink_to("sci.fits")
    assert len({sha256_of("sci.fits"), sha256_of("sci.fits"), sha256_of("link.fits")}) == len(read) == 1
    os.utime("sci.fits", (1, 1))
    assert sha256_of("sci.fits")[-1] == "2"
    for kept in Path(".snakemake/checksums").iterdir():
        kept.write_text(kept.read_text()[:-3])  # its writer was killed
    assert sha256_of("sci.fits")[-1] == "3" == sha256_of("sci.fits")[-1]


def _slowly(path, log):
    with open(log, "a") as stream:
        stream.write("read\n")
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _ask(_):
    checksums._read = lambda path: _slowly(path, "reads")
    return sha256_of("sci.fits")


def test_of_jobs_that_ask_at_once_one_reads():
    Path(".snakemake").mkdir()
    with multiprocessing.get_context("fork").Pool(8) as pool:
        answers = set(pool.map(_ask, range(40), chunksize=1))
    assert answers == {hashlib.sha256(b"pixels of sci").hexdigest()}
    assert Path("reads").read_text() == "read\n"


def test_one_product_is_looked_up():
    chain("run")
    page = history("run/results/f/sed.ecsv")
    assert f"code {made_by.code_digest()[:12]} (the code of this installation)" in page
    assert "fit, 3 jobs:\n    threshold: 3.0\n    and, each its own, galaxy\n" in page
    assert "  sed, 1 jobs:\n    seed: 1\n" in page
    for name in ("sci", "err"):
        assert (
            f"  {hashlib.sha256(f'pixels of {name}'.encode()).hexdigest()}  {Path(f'{name}.fits').absolute()}"
            in page
        )
    assert "Logs that are gone" not in page and "commit" not in page
    # The record of the run names the commit; that of another code says nothing of this product.
    for code, told in ((made_by.code_digest(), True), ("0" * 64, False)):
        record = {"clumpscope": {"code_sha256": code, "commit": "c0ffee"}, "python": "3", "packages": {}}
        Path("run/results/provenance.json").write_text(json.dumps(record))
        assert ("\ncommit c0ffee\n" in history("run/results/f/sed.ecsv")) == told
    log = Path("run/results/f/logs/b.log")
    log.write_text(log.read_text().replace('"threshold": 3.0', '"threshold": 2.0'))
    page = history("run/results/f/sed.ecsv")
    assert "Logs that are gone, or of another state, of the jobs that made:\n  results/f/b.ecsv\n" in page
    assert "threshold: 2.0" not in page
    Path("run/results/f/logs/sed.log").unlink()
    assert "The log of its job is gone" in history("run/results/f/sed.ecsv")
    for name, found in (("sci.fits", "no header"), ("none.fits", "no such file")):
        with pytest.raises(InputError, match=found):
            history(name)
