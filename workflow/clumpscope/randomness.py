"""Random numbers that depend on the seed and the object, never on the order of jobs."""

import hashlib

import numpy as np

__all__ = ["generator"]


def generator(seed: int, *identity: object) -> np.random.Generator:
    """Random generator of one object.

    Parameters
    ----------
    seed : int
        The seed of the configuration (`run.seed`).
    *identity : object
        What the numbers are for: stage, field, object id, ... Their `str` is hashed, so the
        same identity gives the same numbers on any machine, in any order.
    """
    text = "\x1f".join(str(part) for part in (seed, *identity))
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
