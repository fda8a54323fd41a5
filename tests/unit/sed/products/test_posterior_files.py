"""Posterior files and tables: complete, reproducible, and never taken for what they are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from astropy.units import Unit
from clumpscope.errors import InputError
from clumpscope.resources import resource
from clumpscope.sed.inference.fit import Fitter
from clumpscope.sed.inference.posterior import SAMPLE_NAMES, percentile_table
from clumpscope.sed.inference.settings import FitSettings, code_version
from clumpscope.sed.products.store import fit_or_reuse, read_posterior, write_posteriors
from clumpscope.tables import write_table
from unit.sed.toy_model import FILTERS, ToyModel

IDS = ["7", "c 8", "nothing"]


def make_fitter(**settings):
    return Fitter(FILTERS, 2.0, FitSettings(**{"sweep_log2": 12, "draws": 500, **settings}), model=ToyModel())


@pytest.fixture(scope="module")
def data():
    flux = ToyModel().fluxes(np.array([[8.0, 7.6, 0.8], [7.0, 6.5, 0.2], [7.0, 6.5, 0.2]]))
    error = 0.1 * flux
    flux[2] = np.nan
    flux[1, 3] = np.nan
    return flux, error


@pytest.fixture(scope="module")
def posteriors(data):
    fitter = make_fitter()
    return [fitter.fit(flux, error, name) for flux, error, name in zip(*data, IDS, strict=True)]


def same(one, other):
    for name, value in vars(one).items():
        second = getattr(other, name)
        if isinstance(value, dict) and name != "settings":
            assert set(value) == set(second)
            for key in value:
                np.testing.assert_array_equal(value[key], second[key])
        else:
            np.testing.assert_array_equal(value, second)


def test_file_gives_back_every_posterior(posteriors, tmp_path):
    write_posteriors(posteriors, tmp_path / "batch.nc")
    stored = read_posterior(tmp_path / "batch.nc")
    assert list(stored) == IDS
    for posterior in posteriors:
        same(posterior, stored[posterior.id])
    same(posteriors[1], read_posterior(tmp_path / "batch.nc", "c 8"))
    with pytest.raises(InputError, match="ids 7, c 8, nothing"):
        read_posterior(tmp_path / "batch.nc", "9")


def test_file_is_plain_netcdf_with_units(posteriors, tmp_path):
    import xarray

    write_posteriors(posteriors, tmp_path / "batch.nc")
    with xarray.open_dataset(tmp_path / "batch.nc", engine="h5netcdf") as dataset:
        assert dataset["log_mass"].dims == ("id", "draw")
        assert dataset["log_mass"].dtype == np.float32
        assert dataset["log_mass"].attrs["units"] == "dex(Msun)"
        assert dataset["flux_njy"].dims == ("id", "filter")
        assert dataset["flux_njy"].attrs["units"] == "nJy"
        median = float(dataset["log_mass"].sel(id="7").median())
        assert median == pytest.approx(posteriors[0].percentile("log_mass", 50), abs=1e-5)
        assert dataset["redshift"].sel(id="7") == 2.0


def test_same_bytes(data, posteriors, tmp_path):
    write_posteriors(posteriors, tmp_path / "one.nc")
    fit_or_reuse(make_fitter(), *data, IDS, tmp_path / "two.nc")
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_only_what_changed_is_fitted_again(data, tmp_path):
    flux, error = data
    path, log = tmp_path / "batch.nc", []
    fit_or_reuse(make_fitter(), flux, error, IDS, path, log.append)
    assert [line.split()[1] for line in log] == ["fitted"] * 3
    before = path.read_bytes()
    log.clear()
    kept = fit_or_reuse(make_fitter(), flux, error, IDS, path, log.append)
    assert [line.split()[1] for line in log] == ["kept"] * 3
    assert path.read_bytes() == before
    fresh = make_fitter().fit(flux[0], error[0], "7")
    same(kept[0], fresh)

    changed = flux.copy()
    changed[0, 2] *= 1.0001
    log.clear()
    fit_or_reuse(make_fitter(), changed, error, IDS, path, log.append)
    assert [line.split()[1] for line in log] == ["fitted", "kept", "kept"]


def test_what_another_batch_holds_is_not_fitted_again(data, tmp_path):
    flux, error = data
    log = []
    fit_or_reuse(make_fitter(), flux[:2], error[:2], IDS[:2], tmp_path / "0_0.nc")
    fit_or_reuse(make_fitter(), flux[2:], error[2:], IDS[2:], tmp_path / "1_0.nc")
    # The first galaxy is gone: the third object's takes its place.
    moved = fit_or_reuse(make_fitter(), flux[1:], error[1:], IDS[1:], tmp_path / "0_0.nc", log.append)
    assert [line.split()[1] for line in log] == ["kept"] * 2
    same(moved[1], make_fitter().fit(flux[2], error[2], IDS[2]))


def test_a_folder_is_read_as_one_file(data, posteriors, tmp_path):
    write_posteriors(posteriors[:2], tmp_path / "0_0.nc")
    write_posteriors(posteriors[2:], tmp_path / "1_0.nc")
    assert list(read_posterior(tmp_path)) == list(IDS)
    same(read_posterior(tmp_path, IDS[2]), posteriors[2])
    with pytest.raises(InputError, match=f"ids {', '.join(IDS)}"):
        read_posterior(tmp_path, "nobody")


def test_certain_and_uncertain_redshifts_share_a_file(posteriors, tmp_path):
    one, other = posteriors[:2]
    draws = np.linspace(1.9, 2.1, len(one.samples["log_mass"]), dtype=np.float32)
    uncertain = replace(one, samples={**one.samples, "z": draws}, best={**one.best, "z": 2.0})
    for order in ([uncertain, other], [other, uncertain]):
        write_posteriors(order, tmp_path / "both.nc")
        for written in order:
            same(read_posterior(tmp_path / "both.nc", written.id), written)


@pytest.mark.parametrize(
    "change",
    [
        {"priors": "paper"},
        {"error_floor": 0.1},
        {"bounds": {"a_v": (0.0, 2.0)}},
        {"fixed": {"a_v": 0.0}},
        {"limits": "paper", "mag_limit_ab": 28.0},
        {"seed": 1},
        {"draws": 400},
        {"sfh": "const"},
    ],
)
def test_hash_knows_every_setting(change, data):
    flux, error = data
    assert make_fitter(**change).digest("7", flux[0], error[0]) != make_fitter().digest(
        "7", flux[0], error[0]
    )


def test_hash_knows_data_library_and_code(data, monkeypatch):
    flux, error = data
    base = make_fitter().digest("7", flux[0], error[0])
    assert make_fitter().digest("7", flux[0], error[0]) == base
    assert make_fitter().digest("8", flux[0], error[0]) != base
    assert make_fitter().digest("7", flux[0], 1.01 * error[0]) != base
    moved = Fitter(FILTERS, 2.1, FitSettings(sweep_log2=12, draws=500), model=ToyModel())
    assert moved.digest("7", flux[0], error[0]) != base
    other = make_fitter()
    other.library_digest = "another library"
    assert other.digest("7", flux[0], error[0]) != base
    monkeypatch.setattr("clumpscope.sed.inference.settings.code_version", lambda: "later")
    assert make_fitter().digest("7", flux[0], error[0]) != base


def test_hash_knows_the_tables_the_code_reads(tmp_path, monkeypatch):
    def edited(name):
        copy = tmp_path / Path(name).name
        copy.write_text(resource(name).read_text() + "# edited\n" * name.startswith("dust"))
        return copy

    before = code_version.__wrapped__()
    assert code_version.__wrapped__() == before
    monkeypatch.setattr("clumpscope.sed.inference.settings.resource", edited)
    assert code_version.__wrapped__() != before


def test_an_interrupted_batch_keeps_what_it_had(data, tmp_path):
    path, fitter = tmp_path / "batch.nc", make_fitter()

    def interrupt(line):
        if line.startswith("3/3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_or_reuse(fitter, *data, IDS, path, interrupt, every_s=0.0)
    # Snakemake takes away the output of a job that failed; what was done is not lost with it.
    path.unlink(missing_ok=True)
    log = []
    fit_or_reuse(fitter, *data, IDS, path, log.append)
    assert [line.split()[1] for line in log] == ["kept", "kept", "fitted"]
    fit_or_reuse(fitter, *data, IDS, tmp_path / "whole.nc")
    assert path.read_bytes() == (tmp_path / "whole.nc").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["batch.nc", "whole.nc"]

    # What comes later in the batch, and is still good, is not lost either.
    flux, error = data
    changed = flux.copy()
    changed[0] *= 1.1
    with pytest.raises(KeyboardInterrupt):
        fit_or_reuse(fitter, changed, error, IDS, path, interrupt, every_s=0.0)
    log.clear()
    fit_or_reuse(fitter, changed, error, IDS, path, log.append)
    assert [line.split()[1] for line in log] == ["kept"] * 3


def test_files_that_are_not_ours(tmp_path, data):
    import xarray

    with pytest.raises(InputError, match="no such file"):
        read_posterior(tmp_path / "missing.nc")
    (tmp_path / "text.nc").write_text("not netCDF")
    with pytest.raises(InputError, match="unreadable"):
        read_posterior(tmp_path / "text.nc")
    xarray.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="other content"):
        read_posterior(tmp_path / "other.nc")
    # A broken file does not stop a run: it is made anew.
    fit_or_reuse(make_fitter(), *data, IDS, tmp_path / "text.nc")
    assert list(read_posterior(tmp_path / "text.nc")) == IDS


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of h5netcdf, closing them
def test_damaged_files_are_made_anew(posteriors, data, tmp_path):
    """Whatever a broken disk or an older version left: refused when read, replaced when fitted."""
    import xarray

    write_posteriors(posteriors, tmp_path / "good.nc")
    good = (tmp_path / "good.nc").read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(15):
        damaged = bytearray(good)
        for place in rng.integers(0, len(good), 50):
            damaged[place] ^= int(rng.integers(1, 256))
        (tmp_path / "bad.nc").write_bytes(damaged)
        with pytest.raises(InputError, match=r"bad\.nc"):
            read_posterior(tmp_path / "bad.nc")
    with xarray.open_dataset(tmp_path / "good.nc", engine="h5netcdf") as dataset:
        dataset.drop_vars("model_p16_njy").to_netcdf(tmp_path / "bad.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="model_p16_njy"):
        read_posterior(tmp_path / "bad.nc")
    fit_or_reuse(make_fitter(), *data, IDS, tmp_path / "bad.nc")
    assert (tmp_path / "bad.nc").read_bytes() == good


def test_a_full_disk_leaves_the_last_file(posteriors, tmp_path):
    """A limit of the size of files stands for the full disk: the process must live, and the file of before."""
    import resource as limits

    path = tmp_path / "batch.nc"
    write_posteriors(posteriors[:1], path)
    before = path.read_bytes()
    old = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (len(before) + 1000, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_posteriors(posteriors, path)
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, old)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["batch.nc"]


def test_table_of_percentiles(posteriors, tmp_path):
    table = percentile_table(posteriors)
    assert list(table["id"]) == IDS
    for name in SAMPLE_NAMES:
        for percent in (16, 50, 84):
            assert f"{name}_p{percent}" in table.colnames
    low, middle, high = np.percentile(posteriors[0].samples["log_age_yr"], [16, 50, 84])
    row = table[0]
    assert (row["log_age_yr_p16"], row["log_age_yr_p50"], row["log_age_yr_p84"]) == (low, middle, high)
    assert np.isnan(table["log_mass_p50"][2])
    # The toy has no tau: the column is there, empty.
    assert np.isnan(table["log_tau_yr_p50"]).all()
    assert list(table["n_bands"]) == [8, 7, 0]
    write_table(table, tmp_path / "sed.ecsv")
    read = Table.read(tmp_path / "sed.ecsv")
    assert read["log_mass_p50"].unit == Unit("dex(Msun)")
    assert read["log_mass_p50"].description


def test_summary_names_the_flags(posteriors):
    assert "no_sed" in posteriors[2].summary()
    assert "importance" in posteriors[0].summary()
