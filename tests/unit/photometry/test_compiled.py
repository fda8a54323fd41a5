"""Compiled code gives the same bytes whether or not its machine code was on disk."""

import os
import subprocess
import sys

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
