"""Compiled code gives the same bytes whether or not its machine code was on disk, and none that is out of date."""

import os
import shutil
import subprocess
import sys

import pytest
from clumpscope import machine_code
from conftest import ROOT

# One function that calls another: what differs is which copy of the inner one runs.
DRAW = """
import hashlib
import numpy as np
from clumpscope.photometry.compiled import add_source
rng = np.random.default_rng(3)
spectrum, u = rng.normal(size=(2, 8, 8)), rng.uniform(-3, 3, 8)
spectrum[0, 0, 0] = 8.0
image = np.zeros((21, 21))
add_source(image, spectrum, u, u, np.array([6.1, 5.9, 1.3, 2.1, 0.2]), 3.0, 9)
assert image.any()
print(hashlib.sha256(image.tobytes()).hexdigest())
"""


def test_the_first_run_is_the_second_to_the_last_bit(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", DRAW]
    first, second = (subprocess.check_output(command, env=environment, text=True) for _ in range(2))
    assert list(tmp_path.rglob("*.nbc")), "nothing was kept"
    assert first == second


def test_a_function_changes_with_those_of_other_files_that_it_calls(tmp_path):
    """numba alone would run what it kept of a caller whose own file is the same."""
    library = shutil.copytree(ROOT / "workflow" / "clumpscope", tmp_path / "clumpscope",
                              ignore=shutil.ignore_patterns("__pycache__", "inspect"))  # fmt: skip
    inner = library / "photometry" / "compiled" / "arithmetic.py"
    inner.write_text(inner.read_text() + "\n\n@compiled(EXACT)\ndef answer():\n    return 6.0 * 7.0\n")
    outer = library / "photometry" / "compiled" / "asking.py"
    outer.write_text(
        "from ...machine_code import compiled\nfrom .arithmetic import EXACT, answer\n\n\n"
        "@compiled(EXACT)\ndef ask():\n    return answer()\n"
    )
    command = [sys.executable, "-c", "from clumpscope.photometry.compiled.asking import ask; print(ask())"]
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}

    def asked() -> str:
        return subprocess.check_output(
            command, cwd=tmp_path, env=environment | {"PYTHONPATH": str(tmp_path)}, text=True
        )

    assert asked() == asked() == "42.0\n"
    assert list(outer.parent.glob("__pycache__/asking.ask-*.nbc"))
    inner.write_text(inner.read_text().replace("6.0 * 7.0", "6.0 * 9.0"))
    assert asked() == "54.0\n"


ANSWER = """
from clumpscope.machine_code import compiled

@compiled({"nsz"})
def answer(x):
    return 6.0 * x

if __name__ == "__main__":
    print(answer(7.0), answer.stats.cache_hits.total())
"""


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_damaged_machine_code_is_compiled_anew(tmp_path, ending, how):
    """numba alone ends with a traceback, or runs what the disk made of it."""
    (tmp_path / "answer.py").write_text(ANSWER)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def asked() -> list[str]:
        return subprocess.check_output(
            [sys.executable, tmp_path / "answer.py"], env=environment, text=True
        ).split()

    assert asked() == ["42.0", "0"] and asked() == ["42.0", "1"]
    (path,) = tmp_path.rglob(f"*.{ending}")
    content = bytearray(path.read_bytes())
    content = content[: len(content) // 2] if how == "cut" else content
    content[len(content) // 2] ^= 8
    path.write_bytes(content)
    assert asked() == ["42.0", "0"] and asked() == ["42.0", "1"]


class Nowhere:
    """A place for machine code that there is for no function."""

    @classmethod
    def from_function(cls, function, file):
        return None


def test_compiles_where_nothing_can_be_written(monkeypatch):
    monkeypatch.setattr(machine_code, "_PLACES", f"{__name__}.Nowhere")
    function = machine_code.compiled({"nsz"})(lambda x: x + 1)
    assert function(2) == 3
    assert function._cache.cache_path is None
