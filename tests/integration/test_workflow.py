"""The workflow as a user runs it: from inputs to report, again, by single figure, after a kill, after an edit."""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.__main__ import main
from clumpscope.flags import FLAGS
from clumpscope.origin import stated_in
from clumpscope.report.provenance import code_commit
from conftest import ROOT
from workflow_run import product_bytes, snakemake, write_config

FILTERS = ("F115W", "F150W", "F200W", "F277W", "F356W", "F444W")
RUN = {"seed": 7, "clumps_per_job": 6}


def clusters(folder, n=8):
    """A photometry field of the first real star clusters, one of them without any measurement."""
    lines = [
        line for line in (ROOT / "resources/faisst2022/table1.csv").read_text().splitlines() if line[0] != "#"
    ]
    blank = lines[1].split(",")
    blank[0], blank[3:15] = "SC_blank", [""] * 12
    (folder / "clusters.csv").write_text("\n".join([*lines[: n + 1], ",".join(blank)]) + "\n")
    return {
        "photometry": "clusters.csv",
        "redshift": 0.39,
        "lens": {"kind": "none"},
        "sed": {"sfh": ["ssp", "exp_10Myr"], "reference_sfh": "exp_10Myr", "nested": False},
    }


def mock_field():
    base = "results/mock/input"
    maps = {name: ["sci", "wht", "exp"] if name.endswith("W") else ["sci", "err"] for name in FILTERS}
    return {
        "mock": {"size_arcsec": 26, "n_galaxies": 3, "n_clumps": 12, "n_stars": 8},
        "images": {
            name: {kind: f"{base}/images/{name}_{kind}.fits" for kind in kinds}
            for name, kinds in maps.items()
        },
        "galaxies": f"{base}/galaxies.ecsv",
        "stars": f"{base}/stars.ecsv",
        "lens": {"kind": "lenstool", "model": f"{base}/lens/best.par", "samples": f"{base}/lens/bayes.dat"},
        "reddening": {"ebv": 0.012},
        "injection": {"clumps": 8},
        "sed": {"sfh": ["exp_10Myr"], "reference_sfh": "exp_10Myr", "nested": False},
        "hosts": {"sfh": ["const"], "reference_sfh": "const"},
    }


@pytest.fixture(scope="module")
def photometry_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photometry")
    arguments = write_config(folder, {"fields": {"clusters": clusters(folder)}, "run": RUN})
    snakemake(folder, arguments)
    return folder, arguments


@pytest.fixture(scope="module")
def imaging_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imaging")
    arguments = write_config(folder, {"fields": {"mock": mock_field()}, "run": RUN})
    snakemake(folder, arguments)
    return folder, arguments


def test_photometry_field_reaches_catalogue_figures_and_report(photometry_run):
    folder, _ = photometry_run
    catalogue = Table.read(folder / "results/clusters/catalogue.ecsv")
    assert len(catalogue) == 9
    blank = catalogue[catalogue["id"] == "SC_blank"][0]
    assert blank["flags"] & FLAGS["no_sed"].bit and not np.isfinite(blank["log_mass_p50"])
    good = catalogue[catalogue["id"] != "SC_blank"]
    assert ((good["log_mass_p50"] > 5) & (good["log_mass_p50"] < 8)).all()
    assert (folder / "results/clusters/catalogue.fits").stat().st_size > 0
    page = (folder / "results/report.html").read_text()
    assert "clusters" in page and "no_sed" in page
    assert json.loads((folder / "results/provenance.json").read_text())["seed"] == 7


def test_second_run_has_nothing_to_do(photometry_run):
    folder, arguments = photometry_run
    assert "Nothing to be done" in snakemake(folder, arguments).stdout


def test_fits_are_shown_all_together_and_one_by_one(photometry_run):
    folder, arguments = photometry_run
    assert (folder / "results/clusters/sed/exp_10Myr.pdf").stat().st_size > 10_000
    assert len(Table.read(folder / "results/clusters/figures/sed_examples.ecsv")) > 0
    picture = "results/clusters/sed/exp_10Myr/clusters/SC_003.pdf"
    snakemake(folder, arguments, picture, cores=1)
    assert (folder / picture).stat().st_size > 10_000
    (folder / picture).unlink()
    record = folder / "results/provenance.json"
    recorded = record.read_bytes()
    record.unlink()
    failed = snakemake(folder, arguments, picture.replace("003", "999"), cores=1, check=False)
    log = (folder / "results/clusters/logs/sed/exp_10Myr/clusters/SC_999_picture.log").read_text()
    assert failed.returncode != 0 and "'SC_999'" in log and "SC_003" in log
    # A failed run leaves a report of what there is, and no record in the place of the whole one; the next one makes both again.
    whole, begun = folder / "results/report.html", (folder / "config.yaml").stat().st_mtime
    assert "What there is: results/report.html" in failed.stdout and not record.exists()
    remade = snakemake(folder, arguments).stdout
    assert remade.count("Finished jobid") == 3 and whole.stat().st_mtime > begun
    assert record.read_bytes() == recorded


def test_snakemakes_own_report_shows_the_figures(photometry_run, tmp_path):
    folder, arguments = photometry_run
    snakemake(folder, arguments, "--report", str(tmp_path / "report.zip"))
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        shown = [Path(name).name for name in archive.namelist() if name.endswith(".png")]
    assert sorted(shown) == sorted(path.name for path in (folder / "results/clusters/figures").glob("*.png"))


def test_one_core_and_jobs_that_start_by_themselves_give_the_same_bytes(
    photometry_run, tmp_path, monkeypatch
):
    folder, arguments = photometry_run
    monkeypatch.setenv("CLUMPSCOPE_FORK", "0")
    for name in ("config.yaml", "clusters.csv"):
        shutil.copy(folder / name, tmp_path)
    snakemake(tmp_path, arguments, cores=1)
    one, two = product_bytes(tmp_path), product_bytes(folder)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_after_an_edited_setting_products_are_those_of_a_run_from_the_beginning(photometry_run, tmp_path):
    """Headers too, of what was kept and of what was made anew, however fits are shared among jobs."""
    folder, _ = photometry_run
    field = clusters(tmp_path) | {"population": {"min_broad_bands": 3}}
    shutil.copytree(folder, tmp_path / "edited", symlinks=True)
    (tmp_path / "fresh").mkdir()
    shutil.copy(folder / "clusters.csv", tmp_path / "fresh")
    edited, fresh = tmp_path / "edited", tmp_path / "fresh"
    done = snakemake(edited, write_config(edited, {"fields": {"clusters": field}, "run": RUN}))
    assert "figure" in rules_run(done.stdout) and "sed" not in rules_run(done.stdout)
    shared = {"seed": 7, "clumps_per_job": 2, "galaxies_per_job": 1}
    snakemake(fresh, write_config(fresh, {"fields": {"clusters": field}, "run": shared}))
    one, two = (
        {name: content for name, content in product_bytes(place).items() if not batch_of_fits(name)}
        for place in (edited, fresh)
    )
    # How work is shared is a part of the run's record, and of the report that quotes it.
    of_the_run = {"results/provenance.json", "results/report.html"}
    assert one.keys() == two.keys() and {name for name in one if one[name] != two[name]} <= of_the_run
    before = product_bytes(folder)
    settings = "results/clusters/population/medians.ecsv"
    assert before[settings] != one[settings] and sum(before[name] == one[name] for name in one) > 10


def test_every_product_says_what_it_was_made_from(imaging_run, photometry_run, capsys):
    for folder, field in ((imaging_run[0], "mock"), (photometry_run[0], "clusters")):
        base = folder / "results" / field
        products = [
            path
            for path in base.rglob("*")
            if path.suffix in {".ecsv", ".fits", ".nc", ".pdf", ".png", ".tex", ".yaml"}
            and not {"input", "logs", "inspect"} & set(path.relative_to(base).parts)
        ]
        assert len(products) > 50 and [path for path in products if stated_in(path) is None] == []
        assert main(["made_by", str(base / "catalogue.ecsv")]) == 0
        told = capsys.readouterr().out
        inputs = json.loads((folder / "results/provenance.json").read_text())["inputs"]
        behind = {name for name, file in inputs.items() if f"  {file['sha256']}  " in told}
        assert behind == set(inputs) and "seed 7 (the code of this installation)" in told
        assert (
            "\nwith Python 3." in told and "numpy 2." in told and "    settings.error_floor: 0.05\n" in told
        )
        assert "gone" not in told
        commit = code_commit(ROOT / "workflow/clumpscope")
        assert commit is None or f"\ncommit {commit}\n" in told


def test_one_figure_is_made_again_by_name(imaging_run):
    folder, arguments = imaging_run
    figure = folder / "results/mock/figures/mass_function.pdf"
    before = figure.read_bytes()
    figure.unlink()
    done = snakemake(folder, arguments, "results/mock/figures/mass_function.pdf", cores=1)
    assert figure.read_bytes() == before
    assert done.stdout.count("Finished jobid") == 1
    assert "Done. Look at\n  results/mock/figures/mass_function.pdf\n" in done.stdout
    assert "catalogue.ecsv" not in done.stdout.partition("Done. Look at")[2]


def test_lost_hosts_are_made_again_when_their_table_alone_is_asked_for(imaging_run, tmp_path):
    """Their batches are known once galaxies are selected, and what is taken apart from them once clumps are counted."""
    folder, arguments = imaging_run
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    own = tmp_path / "run/results/mock"
    lost = own / "hosts.ecsv", next((own / "hosts").glob("*/0.ecsv"))
    for path in lost:
        path.unlink()
    done = snakemake(tmp_path / "run", arguments, "--", "results/mock/hosts.ecsv")
    assert rules_run(done.stdout) >= {"host", "host_table"}
    for path in lost:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path / "run")).read_bytes()


def test_a_product_of_a_galaxy_that_is_not_selected_says_so(imaging_run):
    folder, arguments = imaging_run
    done = snakemake(folder, arguments, "results/mock/galaxies/X1/residuals.png", cores=1, check=False)
    assert done.returncode != 0
    assert "galaxy X1 of field mock: found not selected; expected one of " in done.stdout
    assert "results/mock/selection.ecsv has the reason" in done.stdout


def test_imaging_field_recovers_what_was_injected(imaging_run):
    folder, _ = imaging_run
    comparison = Table.read(folder / "results/mock/population/truth.ecsv")
    assert (folder / "results/mock/hosts/const/0.nc").stat().st_size > 10_000
    bright = comparison[np.asarray(comparison["snr_ref"]) > 10]
    assert len(bright) >= 5
    explained = np.asarray(bright["status"]) != "missed"
    assert explained.mean() >= 0.9
    found = bright[np.asarray(bright["status"]) == "detected"]
    ratio = found["measured_mu"] / found["true_mu"]
    assert abs(np.median(ratio) - 1) < 0.02
    for name in ("detection.png", "residuals.png", "source_plane.png", "residuals.fits", "source_plane.fits"):
        galaxy = str(found["galaxy"][0])
        assert (folder / "results/mock/galaxies" / galaxy / name).stat().st_size > 1000


def test_images_of_one_galaxy_agree(imaging_run):
    """The same clump in two images: found again, at one place, of one intrinsic flux and mass within their errors."""
    folder, _ = imaging_run
    images = Table.read(folder / "results/mock/lens/multiple_images.ecsv")
    assert len(images) >= 2 and (images["rms_arcsec"] < 1e-3).all()  # the lens is the true one
    truth = Table.read(folder / "results/mock/population/truth.ecsv")
    true_clump = {str(row["match"]): str(row["id"]).split("_")[1] for row in truth}
    clumps = Table.read(folder / "results/mock/lens/counterparts.ecsv")
    groups = [clumps[clumps["system"] == name] for name in dict.fromkeys(clumps["system"])]
    assert len(groups) >= 3
    assert (
        sum(len({true_clump.get(str(name)) for name in own["id"]}) == 1 for own in groups) >= len(groups) - 1
    )
    pairs = Table.read(folder / "results/mock/figures/multiple_images.ecsv")
    flux = np.abs(pairs["log_flux"] - pairs["log_flux_first"])
    assert (flux < 3.0 * np.hypot(pairs["log_flux_err"], pairs["log_flux_first_err"])).all()
    mass = pairs["log_mass"] - pairs["log_mass_first"]
    facing = [
        np.where(mass > 0, pairs[f"log_mass{name}_{up}"], pairs[f"log_mass{name}_{down}"])
        for name, up, down in (("_first", "hi", "lo"), ("", "lo", "hi"))
    ]
    assert (np.abs(mass) < 3.0 * np.hypot(*facing)).all()
    page = (folder / "results/report.html").read_text()
    assert all(title in page for title in ("Lens field", "Source planes", "Multiple images"))


def test_injected_clumps_tell_completeness_and_set_the_limit_of_the_mass_function(imaging_run):
    folder, _ = imaging_run
    injected = Table.read(folder / "results/mock/injection/injected.ecsv")
    assert injected["true_flux_F150W_njy"].unit == "nJy"
    hard = injected["placed"] != "light"
    assert (~hard).sum() == 8 * len(set(injected["galaxy"])) and 0 < hard.sum() <= (~hard).sum() / 2
    injected = injected[~hard]
    # A bright one may lie beside a much brighter clump, a faint one on a peak of the noise.
    assert injected["detected"][injected["depth_ratio"] > 8].mean() > 0.75
    assert injected["detected"][injected["depth_ratio"] < 0.5].mean() < 0.5
    limits = Table.read(folder / "results/mock/injection/clump_limits.ecsv")
    catalogue = Table.read(folder / "results/mock/catalogue.ecsv")
    assert set(limits["id"]) == set(catalogue["id"]) and (limits["flux_complete_njy"] > 0).all()
    slopes = Table.read(folder / "results/mock/population/mass_function_slopes.ecsv")
    assert slopes["limit_source"][slopes["by"] == "all"][0] == "injection"
    assert (folder / "results/mock/figures/completeness.png").stat().st_size > 10_000
    page = (folder / "results/report.html").read_text()
    assert "Completeness of injected clumps" in page and "injection/recovery.ecsv" in page


def test_errors_of_the_catalogue_are_those_that_injected_clumps_ask_for(imaging_run):
    folder, _ = imaging_run
    model = Table.read(folder / "results/mock/injection/error_model.ecsv")
    assert list(model["filter"]) == list(FILTERS) and (model["n"] > 0).all()
    catalogue = Table.read(folder / "results/mock/catalogue.ecsv")
    factors = []
    for path in sorted((folder / "results/mock/galaxies").glob("*/photometry_corrected.ecsv")):
        corrected, plain = Table.read(path), Table.read(path.with_name("photometry.ecsv"))
        own = catalogue[[list(catalogue["id"]).index(name) for name in corrected["id"]]]
        for name in FILTERS:
            error = f"flux_{name}_err_njy"
            np.testing.assert_array_equal(own[error], corrected[error])
            factors.append(np.asarray(corrected[error] / plain[error]))
    factors = np.concatenate(factors)
    factors = factors[np.isfinite(factors)]
    assert factors.max() > 1.0 and factors.min() > 0.5


def batch_of_fits(name):
    return re.fullmatch(r"results/\w+/(sed|hosts)/\w+/[0-9_]+\.(nc|ecsv)", name)


def rules_run(stdout):
    return {line.split("Rule: ")[1].rstrip(")") for line in stdout.splitlines() if "Rule: " in line}


def planned(folder, arguments):
    """Rules that a run would run."""
    words = [line.split() for line in snakemake(folder, arguments, "--dry-run").stdout.splitlines()]
    return {line[0] for line in words if len(line) > 1 and line[1].isdigit()}


def test_editing_one_galaxy_measures_that_galaxy_again(imaging_run, tmp_path):
    folder, _ = imaging_run
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    folder = tmp_path / "run"
    clumps = Table.read(next((folder / "results/mock/galaxies").glob("*/photometry.ecsv")))
    row, moved = clumps[0], clumps[1]
    measured = json.loads((folder / "results/mock/clumps.json").read_text())
    other = next(name for name in measured if name != row["galaxy"])
    before = product_bytes(folder)
    # Half a pixel of the reference filter east: what is moved is measured where it was put.
    (folder / "edits.csv").write_text(
        "galaxy,action,ra,dec,ra_to,dec_to,comment,who\n"
        f"{row['galaxy']},remove,{row['ra']},{row['dec']},,,a test,Ann\n"
        f"{row['galaxy']},move,{moved['ra']},{moved['dec']},{moved['ra'] + 3e-6},{moved['dec']},,Ann\n"
        f'{other},comment,,,,,"good, <b>all</b> of it",Ben\n{other},inspected,,,,,,Ben\n'
    )
    arguments = write_config(folder, {"fields": {"mock": {**mock_field(), "edits": "edits.csv"}}, "run": RUN})
    done = snakemake(folder, arguments, "--dry-run")
    # The selection is asked again; what it then finds changed is known only to the real run.
    assert "mock_mock" not in done.stdout.split("Reasons")[0]
    done = snakemake(folder, arguments)
    finished = [line for line in done.stdout.splitlines() if "Rule: cutout" in line or "Rule: detect" in line]
    assert len(finished) == 2, finished
    catalogue = Table.read(folder / "results/mock/catalogue.ecsv")
    assert row["id"] not in catalogue["id"]
    manual = catalogue[(catalogue["flags"] & FLAGS["manual"].bit) != 0]
    assert len(manual) == 1 and manual["galaxy"][0] == row["galaxy"]
    # What is said of a galaxy measures nothing; its page, too, is as it was. Corrected errors are of the whole field.
    after = product_bytes(folder)
    own = tuple(
        f"results/mock/{place}"
        for place in (f"galaxies/{other}/", f"inspect/{other}.", f"inspect/data/{other}.")
    )
    kept = [name for name in before if name.startswith(own) and "corrected" not in name]
    assert len(kept) > 12 and all(before[name] == after[name] for name in kept)
    assert b"\\u003cb\\u003e" in after["results/mock/inspect/data/index.js"]


def test_a_changed_prior_runs_no_image_work(imaging_run, tmp_path):
    folder, _ = imaging_run
    field = mock_field()
    field["sed"]["priors"] = "paper"
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    arguments = write_config(tmp_path / "run", {"fields": {"mock": field}, "run": RUN})
    jobs = planned(tmp_path / "run", arguments)
    assert "sed" in jobs
    assert not jobs & {"cutout", "detect", "fit", "psf", "depth", "magnify", "mock_mock"}


def test_a_changed_detection_counts_the_clumps_anew(imaging_run, tmp_path):
    """The index of clumps says which fits there are."""
    folder, _ = imaging_run
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    field = mock_field() | {"detection": {"threshold": 6.0}}
    arguments = write_config(tmp_path / "run", {"fields": {"mock": field}, "run": RUN})
    assert planned(tmp_path / "run", arguments) >= {"detect", "clumps", "fit", "sed", "catalogue"}


def test_a_killed_run_continues_to_the_same_bytes(photometry_run, tmp_path):
    folder, arguments = photometry_run
    for name in ("config.yaml", "clusters.csv"):
        shutil.copy(folder / name, tmp_path)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2",
               "--workflow-profile", str(ROOT / "profiles/default"), arguments]  # fmt: skip
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
        try:
            for _ in range(240):
                if list(tmp_path.glob("results/clusters/logs/sed/exp_10Myr/*.log")) or run.poll() is not None:
                    break
                time.sleep(0.25)
            assert run.poll() is None, "the run ended before it could be killed"
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    assert list(tmp_path.glob(".snakemake/locks/*"))
    snakemake(tmp_path, arguments)
    killed, whole = product_bytes(tmp_path), product_bytes(folder)
    assert [name for name in whole if killed.get(name) != whole[name]] == []


@pytest.mark.parametrize(
    ("run", "lost", "rules"),
    [
        ("photometry_run", ["figures", "catalogue.fits", "sed/exp_10Myr.pdf"], ["catalogue", "figure", "sed_sheets"]),
        ("photometry_run", ["sed/exp_10Myr/0_0.nc"], ["sed"]),
        ("photometry_run", ["sed/exp_10Myr/0_0.ecsv"], ["sed"]),
        ("imaging_run", ["hosts/const/0.ecsv"], ["host"]),
        ("imaging_run", ["hosts.ecsv", "galaxies/*/source_plane.png"], ["host_table", "magnify"]),
        ("imaging_run", ["galaxies/*/detection.png", "galaxies/*/residuals.png"], ["detect", "fit"]),
        ("imaging_run", ["inspect/thumbnails/*.jpg"], ["inspection_page"]),
    ],
)  # fmt: skip
def test_lost_products_are_made_again(request, tmp_path, run, lost, rules):
    folder, arguments = request.getfixturevalue(run)
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    for pattern in lost:
        places = list((tmp_path / "run/results").glob(f"*/{pattern}"))
        assert places, pattern
        for place in places[:1]:
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert planned(tmp_path / "run", arguments) >= set(rules)


def test_lost_and_damaged_files_of_products_that_are_folders_come_back(imaging_run, tmp_path):
    folder, arguments = imaging_run
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    pages = tmp_path / "run/results/mock/inspect"
    next((pages / "cards").glob("*.js")).unlink()
    (pages / "static/vendor/tabulator/tabulator.min.js").write_text("cut")
    done = snakemake(tmp_path / "run", arguments)
    assert {"inspection", "inspection_files"} <= rules_run(done.stdout)
    assert product_bytes(tmp_path / "run") == product_bytes(folder)


def test_every_file_that_the_selection_checks_is_downloaded_before_it(tmp_path):
    url = "http://localhost/{}".format
    image = {"sci": url("sci.fits"), "wht": url("wht.fits"), "exp": url("exp.fits")}
    field = {"images": {"F150W": image, "F200W": {"sci": url("f200w.fits"), "psf": url("psf.fits")}}}
    field |= {"galaxies": url("galaxies.csv"), "stars": url("stars.csv"), "edits": url("edits.csv")}
    arguments = write_config(tmp_path, {"fields": {"far": field}})
    listed = snakemake(tmp_path, arguments, "--dry-run", "results/far/galaxies.json").stdout.splitlines()
    assert ["download", "8"] in [line.split() for line in listed]


def test_compressed_images_are_unpacked_once(imaging_run, tmp_path):
    given = imaging_run[0] / "results/mock/input"
    for name in ("sci", "wht", "exp"):
        pixels = (given / f"images/F150W_{name}.fits").read_bytes()
        (tmp_path / f"{name}.fits.gz").write_bytes(gzip.compress(pixels, 1))
    image = {name: f"{name}.fits.gz" for name in ("sci", "wht", "exp")}
    field = {"images": {"F150W": image}, "galaxies": str(given / "galaxies.ecsv"), "lens": {"kind": "none"}}
    arguments = write_config(tmp_path, {"fields": {"packed": field}})
    snakemake(tmp_path, arguments, "results/packed/galaxies.json")
    for name in ("sci", "wht", "exp"):
        unpacked = (tmp_path / f"results/packed/unpacked/F150W_{name}.fits").read_bytes()
        assert unpacked == (given / f"images/F150W_{name}.fits").read_bytes()
    assert "Nothing to be done" in snakemake(tmp_path, arguments, "results/packed/galaxies.json").stdout
    (tmp_path / "sci.fits.gz").write_bytes((tmp_path / "sci.fits.gz").read_bytes()[:10_000])
    failed = snakemake(tmp_path, arguments, "results/packed/galaxies.json", check=False)
    assert failed.returncode != 0 and "sci.fits.gz: found a damaged file" in failed.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"redshift": None}, "no column 'z'"),
        ({"photometri": "x"}, "Did you mean 'photometry'"),
        ({"photometry": "nowhere.csv"}, "fields.clusters.photometry"),
    ],
)
def test_bad_input_is_refused_before_any_job(tmp_path, change, message):
    field = {key: value for key, value in {**clusters(tmp_path), **change}.items() if value is not None}
    arguments = write_config(tmp_path, {"fields": {"clusters": field}})
    done = snakemake(tmp_path, arguments, check=False)
    assert done.returncode != 0 and message in done.stdout
    assert not (tmp_path / "results").exists()
