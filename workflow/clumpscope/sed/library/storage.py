"""The file format of SSP libraries: a NumPy .npz with checked content.

Positive arrays are kept as integer steps of their logarithm, as differences along the last two axes:
neighbouring ages and wavelengths are so alike that a few bits per value remain. The file is an ordinary
zip of .npy members (``numpy.load`` opens it), compressed with LZMA, its bytes depending on its content only.
"""

import hashlib
import json
import lzma
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...files import replacing

__all__ = ["FLOOR", "decode_log", "encode_log", "read_arrays", "write_arrays"]

FLOOR = 1e-14  # values below are taken as zero

_METADATA = "metadata"


def encode_log(values: np.ndarray, step: float) -> np.ndarray:
    """Integers that keep positive `values` to a relative accuracy of step / 2.

    Parameters
    ----------
    values : (..., n, m) array
        Values >= 0; those below `FLOOR` become zero.
    step : float
        Step of the natural logarithm.

    Returns
    -------
    (..., n, m) int32 array
        Differences of the integer logarithms along the last two axes.
    """
    steps = np.rint(np.log(np.maximum(values, FLOOR)) / step).astype(np.int32)
    for axis in (-1, -2):
        steps = np.diff(steps, axis=axis, prepend=np.int32(0))
    return steps


def decode_log(differences: np.ndarray, step: float) -> np.ndarray:
    """Inverse of `encode_log`, as float32."""
    values = np.empty(differences.shape, dtype=np.float32)
    # Piece by piece, as the intermediates are larger than the result.
    for at in np.ndindex(differences.shape[:-2]):
        steps = np.cumsum(np.cumsum(differences[at], axis=0, dtype=np.int32), axis=1, dtype=np.int32)
        piece = np.exp(steps * step)
        piece[piece <= FLOOR * (1.0 + step)] = 0.0
        values[at] = piece
    return values


def _digest(arrays: dict[str, np.ndarray], metadata: dict) -> str:
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _bytes_apart(array: np.ndarray) -> np.ndarray:
    """(4, n) bytes of int32 values folded to be small and positive, equal significance together."""
    flat = array.ravel()
    folded = (flat << 1) ^ (flat >> 31)
    return np.ascontiguousarray(folded.astype("<i4").view(np.uint8).reshape(-1, 4).T)


def _bytes_together(data: np.ndarray, shape: list[int]) -> np.ndarray:
    folded = np.ascontiguousarray(data.T).view("<u4").ravel()
    return ((folded >> 1).astype(np.int32) ^ -(folded & 1).astype(np.int32)).reshape(shape)


def write_arrays(path: str | os.PathLike, arrays: dict[str, np.ndarray], metadata: dict) -> None:
    """Write arrays and metadata, with the checksum of both.

    Parameters
    ----------
    path : path-like
        File to write (.npz).
    arrays : mapping of str to array
        Float arrays, or int32 arrays from `encode_log`.
    metadata : dict
        Anything JSON can hold.
    """
    content = {**metadata, "shapes": {n: list(a.shape) for n, a in arrays.items() if a.dtype == np.int32}}
    content["sha256"] = _digest(arrays, content)
    members = {n: _bytes_apart(a) if a.dtype == np.int32 else a for n, a in arrays.items()}
    members[_METADATA] = np.array(json.dumps(content, sort_keys=True, indent=1))
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(members):
            # A fixed date (ZipInfo's default, 1980) keeps the bytes the same from run to run.
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_LZMA
            with archive.open(entry, "w") as member:
                np.lib.format.write_array(member, members[name], allow_pickle=False)


def read_arrays(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict]:
    """Read what `write_arrays` wrote.

    Returns
    -------
    arrays : dict of str to array
    metadata : dict

    Raises
    ------
    InputError
        If the file is missing, damaged or not of this format.
    """
    path = Path(path)
    remedy = "Build it again (see resources/ssp/SOURCE.md)."
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        metadata = json.loads(str(arrays.pop(_METADATA)))
        for name, shape in metadata["shapes"].items():
            arrays[name] = _bytes_together(arrays[name], shape)
        expected = metadata.pop("sha256")
    except FileNotFoundError:
        raise InputError(str(path), "no such file", "an SSP library", remedy) from None
    except (
        zipfile.BadZipFile,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        OSError,
        KeyError,
        ValueError,
        NotImplementedError,
    ) as error:
        raise InputError(str(path), f"an unreadable file ({error})", "an SSP library", remedy) from error
    found = _digest(arrays, metadata)
    if found != expected:
        raise InputError(
            str(path), f"content with checksum {found[:12]}", f"checksum {expected[:12]}", remedy
        )
    metadata.pop("shapes")
    return arrays, {**metadata, "sha256": expected}
