import importlib.util
import subprocess

import pytest
from clumpscope.errors import InputError
from clumpscope.sed.library.build_fsps import build, check_sps_home


def test_without_sps_home(monkeypatch, tmp_path):
    monkeypatch.delenv("SPS_HOME", raising=False)
    with pytest.raises(InputError, match="git clone https://github"):
        build(tmp_path / "fsps.npz")
    assert not (tmp_path / "fsps.npz").exists()


@pytest.mark.parametrize("make", ["missing", "empty", "other version"])
def test_wrong_sps_home(monkeypatch, tmp_path, make):
    if importlib.util.find_spec("fsps") is None:
        pytest.skip("python-fsps is not installed")
    home = tmp_path / "fsps"
    if make != "missing":
        home.mkdir()
    if make == "other version":
        # It has the files that python-fsps looks for, but not what the compiled code reads.
        (home / "data").mkdir()
        (home / "data" / "emlines_info.dat").write_text("923.15,Ly 8\n")
        (home / "data" / "FILTER_LIST").write_text("1\tV\tJohnson V\n")
    monkeypatch.setenv("SPS_HOME", str(home))
    with pytest.raises(InputError, match=r"data that FSPS cannot use .*git clone") as error:
        check_sps_home()
    if make == "other version":
        assert "SPS_SETUP ERROR" in str(error.value)


def test_python_fsps_not_installed(monkeypatch, tmp_path):
    def run(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "ModuleNotFoundError: No module named 'fsps'\n")

    monkeypatch.setenv("SPS_HOME", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(InputError, match="pip install"):
        check_sps_home()
