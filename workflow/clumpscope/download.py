"""Fetching the inputs that a configuration names by URL."""

import hashlib
import logging
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from .errors import InputError

__all__ = ["download"]

_BLOCK = 1 << 20
_PROGRESS_SECONDS = 10.0


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def download(url: str, path: str | os.PathLike, sha256: str | None = None, timeout: float = 60.0) -> None:
    """Download one file; continue where an earlier attempt broke off.

    Parameters
    ----------
    url : str
        Address (http or https).
    path : path-like
        Where to put it. What has come so far waits beside it as ``<path>.part``.
    sha256 : str, optional
        Checksum that the complete file must have.
    timeout : float
        Seconds without an answer after which the attempt is given up.

    Raises
    ------
    InputError
        If the server refuses, the transfer ends early, or the checksum differs.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger(__name__)
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            # 206: the server continues at our byte; any other success starts from the first one.
            have = have if answer.status == 206 else 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else None
            said = time.monotonic()
            with part.open("ab" if have else "wb") as stream:
                while block := answer.read(_BLOCK):
                    stream.write(block)
                    have += len(block)
                    if time.monotonic() - said > _PROGRESS_SECONDS:
                        log.info(
                            "%s: %.0f MB of %s", url, have / 1e6, f"{total / 1e6:.0f} MB" if total else "?"
                        )
                        said = time.monotonic()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise InputError(
            url, f"no download ({error})", "a file", "Check the address; a rerun continues it."
        ) from error
    if total is not None and have < total:
        raise InputError(url, f"{have} bytes", f"{total} bytes", "A rerun continues the download.")
    if sha256 is not None and (found := _sha256(part)) != sha256:
        part.unlink()
        raise InputError(
            url, f"sha256 {found}", f"sha256 {sha256}", "The file changed, or the checksum is wrong."
        )
    os.replace(part, path)
