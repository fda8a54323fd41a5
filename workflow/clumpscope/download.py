"""Fetching the inputs that a configuration names by address, once, into a cache that fields and folders share."""

import contextlib
import errno
import fcntl
import hashlib
import http.client
import json
import logging
import os
import re
import shutil
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from .errors import InputError
from .files import replacing

__all__ = ["Address", "cache_folder", "download", "fetch", "is_address", "is_offline", "list_downloads", "parse_address"]  # fmt: skip

_log = logging.getLogger(__name__)
_BLOCK = 1 << 20
_PROGRESS_SECONDS = 10.0
_LONGEST_WAIT = 120.0
# Room that stays free on the disk, for everything else that runs there.
_SPARE_BYTES = 200_000_000
# How files of a kind begin; an error page that a server sends in their place does not.
_BEGINNINGS = {".fits": b"SIMPLE  =", ".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00"}
_DIGESTS = {"sha256": 64, "md5": 32}
_FAR = (OSError, http.client.HTTPException)
# Errors of the disk, among all that are OSErrors.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EIO}


@dataclass(frozen=True)
class Address:
    """What a configuration says of a file elsewhere: ``https://host/name.fits#sha256=...&bytes=...&member=...``.

    Attributes
    ----------
    url : str
        The address proper, quoted.
    checksum : str
        ``sha256:...`` or ``md5:...``; empty where the configuration has none.
    size : int or None
        Bytes of the whole file, as far as the configuration says.
    member : str
        The one file of a tar archive that is wanted; empty for the file itself.
    """

    url: str
    checksum: str = ""
    size: int | None = None
    member: str = ""

    @property
    def name(self) -> str:
        """Name of the file, of harmless characters."""
        return re.sub(r"[^A-Za-z0-9._+-]", "_", unquote(urlsplit(self.url).path).rsplit("/", 1)[-1]) or "file"

    @property
    def ending(self) -> str:
        """Ending of what the file (or its member) is kept as, such as ``.fits.gz``."""
        return re.search(r"(\.[A-Za-z0-9]+){0,2}$", self.member or self.name)[0]

    def cached(self, cache: str | os.PathLike) -> Path:
        """Where the file lies in a cache: addresses that differ in anything have different places."""
        digest = hashlib.sha256(self.url.encode()).hexdigest()[:16]
        return Path(cache) / urlsplit(self.url).netloc.replace(":", "_") / digest / self.name


@dataclass
class _Record:
    """What is known of a file that was, or is being, downloaded; kept beside it."""

    url: str
    bytes: int | None = None
    validator: str = ""
    sha256: str = ""
    first: str = ""
    path: Path = field(default=Path(), repr=False)

    @classmethod
    def of(cls, path: Path, url: str) -> "_Record":
        """The record beside `path`; a new one if there is none, or it is of another address."""
        place = path.with_name(path.name + ".json")
        try:
            record = cls(**json.loads(place.read_text()))
        except (OSError, ValueError, TypeError):
            record = cls(url="")
        record.path = place
        return record if record.url == url else cls(url=url, path=place)

    def save(self) -> None:
        kept = asdict(self)
        kept.pop("path")
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(kept, indent=1))


def is_address(text: object) -> bool:
    """Whether a value of the configuration is an address rather than a path."""
    return str(text).lower().startswith(("http://", "https://"))


def parse_address(text: str, where: str = "address") -> Address:
    """Read an address of the configuration.

    Parameters
    ----------
    text : str
        https (http for this machine alone, or with a sha256); the part after ``#`` may state ``sha256=``, ``md5=``,
        ``bytes=`` and ``member=``, joined by ``&``.
    where : str
        The configuration's key, for messages.

    Raises
    ------
    InputError
        If it is not an address, or says something else after ``#``.
    """
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise InputError(where, repr(text), "an address in one line")
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(where, f"{text!r} ({error})", "an address such as https://host/name.fits") from error
    if not host:
        raise InputError(where, repr(text), "an address such as https://host/name.fits")
    said = {key: values[0] for key, values in parse_qs(parts.fragment, keep_blank_values=True).items()}
    unknown = [key for key in said if key not in (*_DIGESTS, "bytes", "member")]
    if unknown:
        raise InputError(where, f"{unknown[0]!r} after the # of {text}", "sha256=, md5=, bytes= or member=")
    checksum = ""
    for kind, length in _DIGESTS.items():
        if kind in said:
            if not re.fullmatch(f"[0-9a-fA-F]{{{length}}}", said[kind]):
                raise InputError(where, f"{kind}={said[kind]}", f"{length} hexadecimal digits")
            checksum = checksum or f"{kind}:{said[kind].lower()}"
    if "bytes" in said and not said["bytes"].isdecimal():
        raise InputError(where, f"bytes={said['bytes']}", "a whole number")
    quoted = quote(parts.path, safe="/%+,;=:@!$&'()*~"), quote(parts.query, safe="/%+,;=:@!$&'()*~?")
    url = urlunsplit((parts.scheme.lower(), parts.netloc, *quoted, ""))
    if not _secure(url) and not checksum.startswith("sha256"):
        raise InputError(where, url, "an https address", "Or state the file's checksum: `...#sha256=...`.")
    return Address(url, checksum, int(said["bytes"]) if "bytes" in said else None, said.get("member", ""))


def cache_folder(settings: dict) -> Path:
    """Where downloads are kept: the variable CLUMPSCOPE_CACHE, else the key `downloads.cache`."""
    return Path(os.environ.get("CLUMPSCOPE_CACHE") or settings["cache"])


def is_offline(settings: dict) -> bool:
    """Whether the network is left alone: the variable CLUMPSCOPE_OFFLINE, else the key `downloads.offline`."""
    said = os.environ.get("CLUMPSCOPE_OFFLINE", "")
    return said.lower() not in ("0", "no", "false") if said else bool(settings["offline"])


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
    record = _Record.of(path, address.url)
    if not record.validator and record.bytes is None:
        part.unlink(missing_ok=True)  # of another address
    failed = 0
    while True:
        before = _size(part)
        try:
            _transfer(address, part, record, timeout, tell)
            break
        except _FAR as error:
            if getattr(error, "errno", None) in _DISK:
                raise InputError(
                    str(part), f"{_size(part)} bytes, which could not be written on ({error})", "room on the disk",
                    "Make room, or set CLUMPSCOPE_CACHE to another disk; a rerun continues the download.",
                ) from error  # fmt: skip
            if isinstance(error, urllib.error.HTTPError) and not (
                error.code in (408, 429) or error.code >= 500
            ):
                raise _refusal(address.url, error) from error
            failed = 1 if _size(part) > before else failed + 1
            if failed >= attempts:
                raise InputError(
                    address.url, f"{_size(part)} bytes, then no more ({_reason(error)})",
                    f"{record.bytes} bytes" if record.bytes else "a file",
                    "Check address and network. A rerun continues the download.",
                ) from error  # fmt: skip
            pause = min(_LONGEST_WAIT, max(wait * 2 ** (failed - 1), _asked_wait(error)))
            tell(f"{address.name}: {_reason(error)}; trying again in {pause:.0f} s")
            time.sleep(pause)
    _accept(address, part, path, record, sha256)


def _size(path: Path) -> int:
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


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _secure(url: str) -> bool:
    scheme = urlsplit(url).scheme
    return scheme == "https" or (scheme == "http" and _loopback(url))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https alone; from this machine, also to itself."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if not _secure(newurl) or (_loopback(newurl) and not _loopback(req.full_url)):
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


def _transfer(address: Address, part: Path, record: _Record, timeout: float, tell) -> None:
    """Make one attempt: ask for what is missing, append it to `part`."""
    have = _size(part)
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


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def _accept(address: Address, part: Path, path: Path, record: _Record, sha256: str | None) -> None:
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
    if address.size is not None and _size(part) != address.size:
        refuse(
            f"{_size(part)} bytes", f"{address.size} bytes, as the configuration says", "The file changed."
        )
    found = _digest(part, "sha256")
    for stated in filter(None, (address.checksum, f"sha256:{sha256.lower()}" if sha256 else "")):
        kind, digest = stated.split(":")
        own = found if kind == "sha256" else _digest(part, kind)
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


def fetch(
    text: str,
    path: str | os.PathLike,
    cache: str | os.PathLike,
    offline: bool = False,
    sha256: str | None = None,
    tell: Callable[[str], None] = _log.info,
) -> None:
    """Bring a file of the configuration to its place, from the cache where it is there already.

    Parameters
    ----------
    text : str
        Address, as in the configuration.
    path : path-like
        Becomes a link to the file in the cache; a member of an archive is unpacked there.
    cache : path-like
        Folder of all downloads.
    offline : bool
        Whether to use the cache alone.
    sha256 : str, optional
        Checksum that the file must have.
    tell : callable
        Takes progress and warnings.

    Raises
    ------
    InputError
        As `download`; also where `offline` asks for a file that is not in the cache.
    """
    address = parse_address(text)
    kept = address.cached(cache)
    if offline and not kept.exists():
        raise InputError(
            address.url, f"no copy in the cache {cache}", "a copy, since downloads are switched off",
            "Unset CLUMPSCOPE_OFFLINE (or `downloads.offline`), or copy the cache from where it is.",
        )  # fmt: skip
    with _alone(kept):
        if kept.exists() and not _whole(kept, address, sha256):
            tell(f"{kept} is damaged (or not what the configuration's checksum says): it is downloaded again")
            if offline:
                raise InputError(str(kept), "a damaged copy", "a whole one", "Switch downloads on.")
            kept.unlink()
        if not kept.exists():
            download(address, kept, sha256, tell=tell)
        elif not (offline or address.checksum or sha256):
            _tell_changes(address, _Record.of(kept, address.url), tell)
    with replacing(path) as temporary:
        if address.member:
            _extract(kept, address.member, temporary)
        else:
            temporary.symlink_to(kept.resolve())


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold what no second process may do to the same file; the kernel lets go when a process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _whole(path: Path, address: Address, sha256: str | None) -> bool:
    """Whether a copy in the cache is what was downloaded, and what the configuration wants."""
    record = _Record.of(path, address.url)
    stated = [f"sha256:{record.sha256}" if record.sha256 else "", address.checksum]
    stated.append(f"sha256:{sha256.lower()}" if sha256 else "")
    return all(_digest(path, kind) == digest for kind, digest in (s.split(":") for s in stated if s))


def _tell_changes(address: Address, record: _Record, tell) -> None:
    """Say so where the server now has another file than the one in the cache."""
    try:
        size, validator = _ask(address)
    except InputError as error:
        tell(f"{error} The copy in the cache is used.")
        return
    if (size and record.bytes and size != record.bytes) or (validator and validator != record.validator):
        tell(
            f"{address.url} changed since its download on {record.first} ({record.bytes} bytes then, {size} now): "
            f"the copy in the cache is used; delete {record.path.parent} to take the new one"
        )


def _ask(address: Address) -> tuple[int | None, str]:
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


def _extract(archive: Path, member: str, path: Path) -> None:
    try:
        with tarfile.open(archive) as files:
            names = [name for name in files.getnames() if name == member or name.endswith(f"/{member}")]
            stream = files.extractfile(names[0]) if names else None
            if stream is None:
                raise InputError(
                    str(archive), f"the members {', '.join(files.getnames()[:9])}", f"a file {member!r}"
                )
            with path.open("wb") as whole:
                shutil.copyfileobj(stream, whole, _BLOCK)
    except (tarfile.TarError, EOFError) as error:
        raise InputError(
            str(archive), f"a damaged archive ({error})", "a tar archive", "Delete it."
        ) from error


def list_downloads(
    entries: Iterable[tuple[str, str]], cache: str | os.PathLike, offline: bool = False
) -> str:
    """What a configuration downloads, how large it is, and what is there already.

    Parameters
    ----------
    entries : iterable of (str, str)
        What a file is, and its address.
    cache : path-like
        Folder of all downloads.
    offline : bool
        Whether servers are not asked for sizes.

    Returns
    -------
    str
        One line a file, and the sums.
    """
    files = [(what, parse_address(text, what)) for what, text in entries]
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda item: _state(item[1], cache, offline), files))
    lines = [
        f"{state:<9} {'?' if size is None else f'{size / 1e6:.1f}':>9} MB  {what:<24} {address.url}"
        for (what, address), (state, size) in zip(files, states, strict=True)
    ]
    missing = [(state, size) for state, size in states if state != "there"]
    known = sum(size for _, size in missing if size is not None)
    unknown = sum(size is None for _, size in missing)
    folder = next(path for path in (Path(cache).absolute(), *Path(cache).absolute().parents) if path.exists())
    lines.append(
        f"{len(files) - len(missing)} of {len(files)} files are in {cache}; to come: {known / 1e9:.2f} GB"
        f"{f' and {unknown} files of unknown size' if unknown else ''}; "
        f"free there: {shutil.disk_usage(folder).free / 1e9:.1f} GB"
    )
    return "\n".join(lines)


def _state(address: Address, cache, offline: bool) -> tuple[str, int | None]:
    kept = address.cached(cache)
    part = kept.with_name(kept.name + ".part")
    if kept.exists():
        return "there", _size(kept)
    state, size = (
        ("begun" if part.exists() else "missing"),
        address.size or _Record.of(kept, address.url).bytes,
    )
    if size is None and not offline:
        try:
            size = _ask(address)[0]
        except InputError as error:
            return ("no file" if "the answer 4" in str(error) else "no answer"), None
    return state, size
