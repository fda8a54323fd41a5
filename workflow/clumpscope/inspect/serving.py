"""A server for the pages on this machine alone, which saves their edits: ``clumpscope inspect CONFIG``.

It shows files below the folder of results and writes nothing but the tables named by the fields' key ``edits``, and these only for
pages that know the token which it tells its user: other pages in the browser, and other machines, are refused.
"""

import hmac
import json
import secrets
import threading
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from ..addresses import is_address
from ..errors import InputError
from ..tables import read_table
from .saving import measured_again, read_rows, save_edits

__all__ = ["PORT", "InspectionServer"]

PORT = 8717
"""Always the same: edits that are not saved yet are kept by the browser for each address."""
_LARGEST_BODY = 64 << 20


class InspectionServer(ThreadingHTTPServer):
    """Pages and edits of one configuration's fields.

    Parameters
    ----------
    config : path-like
        The configuration.
    results : path-like
        Folder of results.
    port : int
        0: any that is free.

    Raises
    ------
    InputError
        If the configuration cannot be read, there is no page yet, or the port is taken.
    """

    daemon_threads = True

    def __init__(self, config: str, results: str = "results", port: int = PORT) -> None:
        self.config, self.results = str(config), Path(results)
        self.fields = _fields(config)
        self.token = secrets.token_urlsafe(24)
        self.writing = threading.Lock()
        self.pages = [
            name for name in self.fields if (self.results / name / "inspect" / "index.html").exists()
        ]
        if not self.pages:
            raise InputError(
                str(self.results), "no field with a page inspect/index.html", "the results of a run",
                f"snakemake --cores 4 --configfile {config} makes them.",
            )  # fmt: skip
        try:
            super().__init__(("127.0.0.1", port), partial(_Handler, directory=str(self.results)))
        except OSError as error:
            raise InputError(
                f"port {port} of 127.0.0.1", str(error), "a free port", "Name another with --port."
            ) from error

    def addresses(self) -> list[str]:
        """Where each field's pages are, with the token."""
        origin = f"http://127.0.0.1:{self.server_port}"
        return [f"{origin}/{name}/inspect/index.html#token={self.token}" for name in self.pages]

    def table_of(self, field: str) -> str:
        """The table of a field's edits."""
        if field not in self.fields:
            raise InputError("field", repr(field), f"one of {', '.join(self.fields)}")
        path = self.fields[field].get("edits")
        if path is None or is_address(path):
            raise InputError(
                f"{self.config}, fields.{field}.edits", "no file of yours", "the table in which edits are to be saved",
                f"Add `edits: edits_{field}.csv` to the field and start `make inspect` again; your edits are kept in the browser.",
            )  # fmt: skip
        return path

    def save(self, field: str, asked: Any) -> dict[str, Any]:
        """Save what a page asks for; gives all rows and what to do next."""
        path = self.table_of(field)
        add, drop = (asked.get(key) if isinstance(asked, dict) else None for key in ("add", "drop"))
        if not all(
            isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in (add, drop)
        ):
            raise InputError("the page's request", "other content", "lists `add` and `drop` of rows")
        galaxies = read_table(self.results / field / "selection.ecsv", ["id", "ra", "dec"])
        with self.writing:
            rows = save_edits(path, galaxies, add, drop)
        again, seconds = measured_again(self.results, field, [*add, *drop])
        told = f"Saved in {path}."
        if again:
            told += (
                f" Measured again: {', '.join(again[:8])}{f' and {len(again) - 8} more' if len(again) > 8 else ''}; "
                f"about {max(seconds / 60, 0.1):.1f} min of one core: snakemake --cores 4 --configfile {self.config}"
            )
        return {"edits": rows, "message": told}


def _fields(config: str) -> dict[str, dict[str, Any]]:
    try:
        found = yaml.safe_load(Path(config).read_text(encoding="utf-8"))
        return dict(found["fields"])
    except (OSError, yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        raise InputError(
            str(config), f"what cannot be read ({error})", "a configuration with the key `fields`"
        ) from error


class _Handler(SimpleHTTPRequestHandler):
    """Files below the results, and ``/edits/FIELD``."""

    server: InspectionServer

    def do_GET(self) -> None:
        if not self._for_us():
            return
        if self.path.startswith("/edits/"):
            self._answer(lambda field: {"edits": read_rows(self.server.table_of(field))})
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        if self._for_us():
            super().do_HEAD()

    def do_POST(self) -> None:
        if self._for_us():
            self._answer(lambda field: self.server.save(field, self._body()))

    def _for_us(self) -> bool:
        """Refuse names of this machine that another page could have given it, and requests of such pages."""
        own = {f"{host}:{self.server.server_port}" for host in ("127.0.0.1", "localhost")}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") in own and (origin is None or origin.removeprefix("http://") in own):
            return True
        self.send_error(HTTPStatus.FORBIDDEN, "Only pages of this server are answered")
        return False

    def _answer(self, make: Any) -> None:
        if not hmac.compare_digest(self.headers.get("X-Token", "").encode(), self.server.token.encode()):
            self._send(
                HTTPStatus.FORBIDDEN,
                {"error": "Open the address that `make inspect` prints: this page does not know its token."},
            )
            return
        try:
            self._send(HTTPStatus.OK, make(unquote(self.path.removeprefix("/edits/"))))
        except (InputError, OSError) as error:
            self._send(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            raise InputError("the page's request", f"length {length!r}", f"at most {_LARGEST_BODY} bytes")
        try:
            return json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise InputError("the page's request", f"no JSON ({error})", "rows of edits") from error

    def _send(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tell nothing of what went well."""
