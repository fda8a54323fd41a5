"""One file from the network: taken up where it was cut off, and whole or not there."""

import errno
import hashlib
import http.client
import json
import logging
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .addresses import Address, is_loopback, is_secure, parse_address
from .errors import InputError
from .files import replacing

__all__ = ["Record", "ask", "digest_of", "download", "size_of"]

_log = logging.getLogger(__name__)
_BLOCK = 1 << 20
_PROGRESS_SECONDS = 10.0
_LONGEST_WAIT = 120.0
# Room that stays free on the disk, for everything else that runs there.
_SPARE_BYTES = 200_000_000
# How files of a kind begin; an error page that a server sends in their place does not.
_BEGINNINGS = {".fits": b"SIMPLE  =", ".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00"}
_FAR = (OSError, http.client.HTTPException)
# Errors of the disk, among all that are OSErrors.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EIO}


@dataclass
class Record:
    """What is known of a file that was, or is being, downloaded; kept beside it."""

    url: str
    bytes: int | None = None
    validator: str = ""
    sha256: str = ""
    first: str = ""
    path: Path = field(default=Path(), repr=False)

    @classmethod
    def of(cls, path: Path, url: str) -> "Record":
        """The record beside `path`; a new one if there is none, or it is of another address."""
        place = path.with_name(path.name + ".json")
        try:
            record = cls(**json.loads(place.read_text()))
        except (OSError, ValueError, TypeError):
            record = cls(url="")
        record.path = place
        return record if record.url == url else cls(url=url, path=place)

    def save(self) -> None:
        """Write it beside the file."""
        kept = asdict(self)
        kept.pop("path")
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(kept, indent=1))


def download(
    address: str | Address,
    path: str | os.PathLike,
    sha256: str | None = None,
    timeout: float = 60.0,
    attempts: int = 6,
    wait: float = 2.0,
    tell: Callable[[str], None] = _log.info,
) -> None:
    """Download one file; continue where an earlier attempt broke off.

    Parameters
    ----------
    address : str or Address
        What to get.
    path : path-like
        Where to put it. What has come so far waits beside it as ``<path>.part``; ``<path>.json`` records the
        address, and the checksum of the first complete download.
    sha256 : str, optional
        Checksum that the complete file must have, beside the one the address may state.
    timeout : float
        Seconds without an answer after which an attempt is given up.
    attempts : int
        Attempts in a row that bring nothing before the download is given up.
    wait : float
        Seconds before the second of them; twice as many before each further one.
    tell : callable
        Takes progress and warnings.

    Raises
    ------
    InputError
        If the server refuses or sends something else, the transfer ends early, the disk is too small, the checksum
        differs, or the file is no longer the one that was first downloaded from this address.
    """
    address = parse_address(address) if isinstance(address, str) else address
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    record = Record.of(path, address.url)
    if not record.validator and record.bytes is None:
        part.unlink(missing_ok=True)  # of another address
    failed = 0
    while True:
        before = size_of(part)
        try:
            _transfer(address, part, record, timeout, tell)
            break
        except _FAR as error:
            if getattr(error, "errno", None) in _DISK:
                raise InputError(
                    str(part), f"{size_of(part)} bytes, which could not be written on ({error})", "room on the disk",
                    "Make room, or set CLUMPSCOPE_CACHE to another disk; a rerun continues the download.",
                ) from error  # fmt: skip
            if isinstance(error, urllib.error.HTTPError) and not (
                error.code in (408, 429) or error.code >= 500
            ):
                raise _refusal(address.url, error) from error
            failed = 1 if size_of(part) > before else failed + 1
            if failed >= attempts:
                raise InputError(
                    address.url, f"{size_of(part)} bytes, then no more ({_reason(error)})",
                    f"{record.bytes} bytes" if record.bytes else "a file",
                    "Check address and network. A rerun continues the download.",
                ) from error  # fmt: skip
            pause = min(_LONGEST_WAIT, max(wait * 2 ** (failed - 1), _asked_wait(error)))
            tell(f"{address.name}: {_reason(error)}; trying again in {pause:.0f} s")
            time.sleep(pause)
    _accept(address, part, path, record, sha256)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _asked_wait(error: Exception) -> float:
    """Seconds that a busy server asks to wait."""
    said = error.headers.get("Retry-After", "") if isinstance(error, urllib.error.HTTPError) else ""
    return float(said) if said.isdecimal() else 0.0


def _refusal(url: str, error: urllib.error.HTTPError) -> InputError:
    remedy = "The file is not there: check the address." if error.code in (404, 410) else "Check the address."
    return InputError(url, f"the answer {error.code} {error.reason}", "a file", remedy)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https alone; from this machine, also to itself."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if not is_secure(newurl) or (is_loopback(newurl) and not is_loopback(req.full_url)):
            raise InputError(req.full_url, f"a redirect to {newurl}", "a redirect to an https address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str, timeout: float, headers: dict | None = None, method: str = "GET"):
    request = urllib.request.Request(
        url, headers={"User-Agent": "clumpscope", **(headers or {})}, method=method
    )
    return urllib.request.build_opener(_Redirects).open(request, timeout=timeout)


def _validator(headers) -> str:
    """What tells a changed file from the same one, as an If-Range header may have it."""
    etag = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")


def _transfer(address: Address, part: Path, record: Record, timeout: float, tell) -> None:
    """Make one attempt: ask for what is missing, append it to `part`."""
    have = size_of(part)
    headers = {"Range": f"bytes={have}-"} if have else {}
    if have and record.validator:
        headers["If-Range"] = record.validator
    try:
        answer = _open(address.url, timeout, headers)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        # Nothing is missing, or the file is now shorter than what came of it.
        if error.headers.get("Content-Range", "").endswith(f"/{have}") and record.bytes in (None, have):
            record.bytes = have
            return
        part.unlink()
        return _transfer(address, part, record, timeout, tell)
    with answer:
        start, total = (
            0,
            int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None,
        )
        if answer.status == 206:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
            start = int(span[1]) if span else have
            total = int(span[2]) if span and span[2] != "*" else None if total is None else have + total
            if start != have or (record.bytes is not None and total != record.bytes):
                part.unlink()
                raise ConnectionError("what the server continues with is not the file that was begun")
        if address.size is not None and total is not None and total != address.size:
            raise InputError(
                address.url, f"a file of {total} bytes", f"{address.size} bytes, as the configuration says",
                "The file changed, or the server sends something else.",
            )  # fmt: skip
        _require_room(part, (total or 0) - start)
        record.bytes, record.validator = total, _validator(answer.headers)
        record.save()
        have = _receive(answer, part, start, total, address.name, tell)
    if total is not None and have < total:
        raise ConnectionError(f"the transfer ended after {have} of {total} bytes")
    record.bytes = have


def _require_room(part: Path, missing: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if missing + _SPARE_BYTES > free:
        raise InputError(
            str(part.parent), f"{free / 1e9:.2f} GB free", f"{(missing + _SPARE_BYTES) / 1e9:.2f} GB for {part.stem}",
            "Make room, or set CLUMPSCOPE_CACHE to another disk.",
        )  # fmt: skip


def _receive(answer, part: Path, have: int, total: int | None, name: str, tell) -> int:
    """Append an answer to `part`; tell how far it is, how fast, and how long it still takes."""
    began = said = time.monotonic()
    start = have
    with part.open("ab" if have else "wb") as stream:
        while block := answer.read1(_BLOCK):  # `read` loses what a cut chunked answer brought
            stream.write(block)
            have += len(block)
            now = time.monotonic()
            if now - said > _PROGRESS_SECONDS:
                rate = (have - start) / (now - began)
                left = (
                    f", {time.strftime('%H:%M:%S', time.gmtime((total - have) / rate))} left" if total else ""
                )
                of = f" of {total / 1e6:.0f}" if total else ""
                tell(f"{name}: {have / 1e6:.0f}{of} MB, {rate / 1e6:.1f} MB/s{left}")
                said = now
    return have


def digest_of(path: Path, kind: str) -> str:
    """Checksum of a file, such as its ``sha256``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def _accept(address: Address, part: Path, path: Path, record: Record, sha256: str | None) -> None:
    """Put a complete download in its place, if it is what it should be."""

    def refuse(found: str, expected: str, remedy: str) -> None:
        part.unlink(missing_ok=True)
        raise InputError(address.url, found, expected, remedy)

    if not part.exists():
        part.touch()  # an empty file is sent without a block
    with part.open("rb") as stream:
        head = stream.read(512)
    if re.match(rb"\s*<(!doctype\s+html|html)", head, re.IGNORECASE):
        refuse(
            "a web page", "a file", "Open the address in a browser: it may ask for something, or have moved."
        )
    beginning = _BEGINNINGS.get(Path(address.name).suffix.lower(), b"")
    if not head.startswith(beginning):
        refuse(
            f"content that begins {head[:16]!r}", f"a {Path(address.name).suffix} file", "Check the address."
        )
    if address.size is not None and size_of(part) != address.size:
        refuse(
            f"{size_of(part)} bytes", f"{address.size} bytes, as the configuration says", "The file changed."
        )
    found = digest_of(part, "sha256")
    for stated in filter(None, (address.checksum, f"sha256:{sha256.lower()}" if sha256 else "")):
        kind, digest = stated.split(":")
        own = found if kind == "sha256" else digest_of(part, kind)
        if own != digest:
            refuse(f"{kind} {own}", f"{kind} {digest}", "The file changed, or the checksum is wrong.")
    if record.sha256 and record.sha256 != found:
        refuse(
            f"sha256 {found}", f"sha256 {record.sha256}, as on {record.first}, when it was first downloaded",
            f"The file at this address changed. Delete {record.path} to take the new one.",
        )  # fmt: skip
    record.sha256, record.first = found, record.first or time.strftime("%Y-%m-%d")
    record.save()
    os.replace(part, path)


def ask(address: Address) -> tuple[int | None, str]:
    """Size and validator of a file as its server has it now."""
    try:
        with _open(address.url, 20.0, method="HEAD") as answer:
            length = answer.headers.get("Content-Length")
            return int(length) if length else None, _validator(answer.headers)
    except urllib.error.HTTPError as error:
        raise _refusal(address.url, error) from error
    except _FAR as error:
        raise InputError(
            address.url, f"no answer ({_reason(error)})", "a file", "Check the network."
        ) from error
