"""Addresses of files on the network, with what is known of the file."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from .errors import InputError

__all__ = ["Address", "is_address", "is_loopback", "is_secure", "parse_address"]


_DIGESTS = {"sha256": 64, "md5": 32}


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
    if not is_secure(url) and not checksum.startswith("sha256"):
        raise InputError(where, url, "an https address", "Or state the file's checksum: `...#sha256=...`.")
    return Address(url, checksum, int(said["bytes"]) if "bytes" in said else None, said.get("member", ""))


def is_loopback(url: str) -> bool:
    """Whether it is on this machine."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def is_secure(url: str) -> bool:
    """Whether nobody on the way can change what comes from there."""
    scheme = urlsplit(url).scheme
    return scheme == "https" or (scheme == "http" and is_loopback(url))
