"""The folder in which downloads are kept for all fields: what comes from there, whole or not at all, and what is still to come."""

import contextlib
import fcntl
import logging
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .addresses import Address, parse_address
from .download import Record, ask, digest_of, download, size_of
from .errors import InputError
from .files import replacing

__all__ = ["cache_folder", "fetch", "is_offline", "list_downloads"]

_log = logging.getLogger(__name__)


def cache_folder(settings: dict) -> Path:
    """Where downloads are kept: the variable CLUMPSCOPE_CACHE, else the key `downloads.cache`."""
    return Path(os.environ.get("CLUMPSCOPE_CACHE") or settings["cache"])


def is_offline(settings: dict) -> bool:
    """Whether the network is left alone: the variable CLUMPSCOPE_OFFLINE, else the key `downloads.offline`."""
    said = os.environ.get("CLUMPSCOPE_OFFLINE", "")
    return said.lower() not in ("0", "no", "false") if said else bool(settings["offline"])


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
            _tell_changes(address, Record.of(kept, address.url), tell)
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
    record = Record.of(path, address.url)
    stated = [f"sha256:{record.sha256}" if record.sha256 else "", address.checksum]
    stated.append(f"sha256:{sha256.lower()}" if sha256 else "")
    return all(digest_of(path, kind) == digest for kind, digest in (s.split(":") for s in stated if s))


def _tell_changes(address: Address, record: Record, tell) -> None:
    """Say so where the server now has another file than the one in the cache."""
    try:
        size, validator = ask(address)
    except InputError as error:
        tell(f"{error} The copy in the cache is used.")
        return
    if (size and record.bytes and size != record.bytes) or (validator and validator != record.validator):
        tell(
            f"{address.url} changed since its download on {record.first} ({record.bytes} bytes then, {size} now): "
            f"the copy in the cache is used; delete {record.path.parent} to take the new one"
        )


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
                shutil.copyfileobj(stream, whole)
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
        return "there", size_of(kept)
    state, size = (
        ("begun" if part.exists() else "missing"),
        address.size or Record.of(kept, address.url).bytes,
    )
    if size is None and not offline:
        try:
            size = ask(address)[0]
        except InputError as error:
            return ("no file" if "the answer 4" in str(error) else "no answer"), None
    return state, size
