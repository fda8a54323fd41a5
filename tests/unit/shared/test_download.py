"""Downloads against a server on loopback: whole, broken off and continued, changed, wrong, refused."""

import gzip
import hashlib
import http.server
import io
import json
import re
import shutil
import tarfile
import threading

import pytest
from clumpscope import download as module
from clumpscope.addresses import parse_address
from clumpscope.cached_files import cache_folder, fetch, is_offline, list_downloads
from clumpscope.download import download
from clumpscope.errors import InputError

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Server(http.server.BaseHTTPRequestHandler):
    """Serves `server.files` with ranges; the first part of a path says what goes wrong.

    /short breaks off in the middle of every whole answer, /chunked of a chunked one, /plain knows no ranges, /busy
    answers 503 once, /away leads to plain http elsewhere, /moved to /file.
    """

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.requests.append((self.command, self.path, asked))
        kind = self.path.split("/")[1]
        self.close_connection = True
        if kind in ("away", "moved"):
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/file" if kind == "away" else "/file")
            return self._end(b"")
        if kind == "busy" and len(self.server.requests) == 1:
            return self.send_error(503)
        content = self.server.files.get(self.path)
        if content is None:
            return self.send_error(404)
        start = int(asked.split("=")[1].rstrip("-")) if asked and kind != "plain" else 0
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        if self.headers.get("If-Range", etag) != etag:
            start = 0
        if start >= len(content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            return self._end(b"")
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", etag)
        if kind == "chunked" and not start:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s" % (len(content), content[: len(content) // 2]))
            return None
        stop = len(content) // 2 if kind == "short" and not start else len(content)
        return self._end(content[start:stop], len(content) - start)

    def _end(self, body, length=0):
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    server.requests = []
    names = ("file", "short", "chunked", "plain", "busy", "other", "a%20map.bin")
    server.files = {f"/{name}": CONTENT for name in names}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def gets(server):
    return [(path, asked) for method, path, asked in server.requests if method == "GET"]


def test_whole_file_with_checksum(server, tmp_path):
    download(f"{server.url}/file", tmp_path / "a.bin", SHA256)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    record = json.loads((tmp_path / "a.bin.json").read_text())
    assert record["sha256"] == SHA256 and record["bytes"] == len(CONTENT)
    assert not (tmp_path / "a.bin.part").exists()


@pytest.mark.parametrize("name", ["short", "chunked"])
def test_a_broken_download_is_continued(server, tmp_path, name):
    said = []
    download(f"{server.url}/{name}", tmp_path / "a.bin", wait=0, tell=said.append)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert "trying again" in said[0] and gets(server)[0] == (f"/{name}", None)
    if name == "short":
        assert gets(server)[1] == ("/short", f"bytes={len(CONTENT) // 2}-")


def test_what_came_waits_for_the_next_run(server, tmp_path):
    with pytest.raises(InputError, match="A rerun continues"):
        download(f"{server.url}/short", tmp_path / "a.bin", attempts=1)
    assert not (tmp_path / "a.bin").exists()
    download(f"{server.url}/short", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT and gets(server)[1][
        1
    ] == f"bytes={len(CONTENT) // 2}-"


def test_a_part_of_another_address_is_not_continued(server, tmp_path):
    server.files["/other"] = CONTENT[::-1]
    with pytest.raises(InputError, match="A rerun continues"):
        download(f"{server.url}/short", tmp_path / "a.bin", attempts=1)
    download(f"{server.url}/other", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT[::-1] and gets(server)[1] == ("/other", None)


def test_a_part_of_a_file_that_changed_is_begun_again(server, tmp_path):
    with pytest.raises(InputError, match="A rerun continues"):
        download(f"{server.url}/short", tmp_path / "a.bin", attempts=1)
    server.files["/short"] = CONTENT[::-1]
    download(f"{server.url}/short", tmp_path / "a.bin", wait=0)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT[::-1]


def test_a_complete_part_is_accepted(server, tmp_path, monkeypatch):
    accept = module._accept
    monkeypatch.setattr(module, "_accept", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        download(f"{server.url}/file", tmp_path / "a.bin")
    monkeypatch.setattr(module, "_accept", accept)
    download(f"{server.url}/file", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT and gets(server)[1] == (
        "/file",
        f"bytes={len(CONTENT)}-",
    )


def test_a_longer_part_than_the_file_is_begun_again(server, tmp_path):
    with pytest.raises(InputError):
        download(f"{server.url}/short", tmp_path / "a.bin", attempts=1)
    with (tmp_path / "a.bin.part").open("ab") as part:
        part.write(CONTENT)
    server.files["/short"] = CONTENT
    download(f"{server.url}/short", tmp_path / "a.bin", wait=0)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_and_a_busy_one(server, tmp_path):
    with pytest.raises(InputError):
        download(f"{server.url}/short", tmp_path / "a.bin", attempts=1)
    download(f"{server.url}/plain", tmp_path / "b.bin")
    download(f"{server.url}/busy", tmp_path / "c.bin", wait=0)
    assert (tmp_path / "b.bin").read_bytes() == (tmp_path / "c.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "stated", ["#sha256=" + "0" * 64, "#md5=" + "0" * 32, "#bytes=12", "#sha256=" + SHA256 + "&bytes=12"]
)
def test_what_is_not_as_stated_leaves_nothing(server, tmp_path, stated):
    with pytest.raises(InputError, match=r"sha256|md5|12 bytes"):
        download(f"{server.url}/file{stated}", tmp_path / "a.bin")
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".json"]


def test_checksums_in_the_address_are_enough(server, tmp_path):
    stated = f"md5={hashlib.md5(CONTENT).hexdigest()}&bytes={len(CONTENT)}"
    download(f"{server.url}/file#{stated}", tmp_path / "a.bin")
    assert gets(server) == [("/file", None)]


def test_refusal_names_the_address_and_is_not_repeated(server, tmp_path):
    with pytest.raises(InputError, match=r"/missing: found the answer 404"):
        download(f"{server.url}/missing", tmp_path / "a.fits")
    assert len(server.requests) == 1


def test_a_web_page_or_something_else_is_no_fits_file(server, tmp_path):
    server.files |= {
        "/a.fits": b"\n<!DOCTYPE html><html>Log in</html>",
        "/b.fits": b"{}",
        "/c.fits.gz": b"SIMPLE",
    }
    for name, found in {
        "a.fits": "a web page",
        "b.fits": r"begins b'\{\}'",
        "c.fits.gz": "begins b'SIMPLE'",
    }.items():
        with pytest.raises(InputError, match=found):
            download(f"{server.url}/{name}", tmp_path / name)
        assert not (tmp_path / name).exists()


def test_spaces_in_an_address(server, tmp_path):
    download(f"{server.url}/a map.bin", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert parse_address("https://host/a%20b c.fits?x=1 2").url == "https://host/a%20b%20c.fits?x=1%202"


def test_redirects_stay_within_https_and_this_machine(server, tmp_path):
    download(f"{server.url}/moved", tmp_path / "a.bin")
    with pytest.raises(InputError, match=r"a redirect to http://192\.0\.2\.1/file"):
        download(f"{server.url}/away", tmp_path / "b.bin")


def test_a_full_disk_is_told_before_and_meanwhile(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"found 0\.00 GB free; expected 0\.20 GB"):
        download(f"{server.url}/file", tmp_path / "a.bin")
    monkeypatch.undo()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_receive", full)
    with pytest.raises(InputError, match="room on the disk"):
        download(f"{server.url}/file", tmp_path / "a.bin")
    assert len(gets(server)) == 2


def test_progress_tells_rate_and_time_left(server, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(module, "_PROGRESS_SECONDS", 0.0)
    download(f"{server.url}/file", tmp_path / "a.bin", tell=said.append)
    assert re.fullmatch(r"file: \d of 1 MB, [\d.]+ MB/s, 00:00:0\d left", said[-1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://example.org/a.fits", "an https address"),
        ("https:///a.fits", "an address such as"),
        ("https://host:port/a.fits", "an address such as"),
        ("https://host/a\n.fits", "one line"),
        ("https://host/a.fits#sha255=0", "'sha255'"),
        ("https://host/a.fits#sha256=12", "64 hexadecimal digits"),
        ("https://host/a.fits#bytes=1e6", "a whole number"),
    ],
)
def test_wrong_addresses_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_address(text)


def test_names_and_endings_are_harmless(tmp_path):
    address = parse_address("https://host:80/x/$(touch PWN)/a;b.$(c).fits.gz?download=1")
    assert address.ending == ".fits.gz" and address.name == "a_b.__c_.fits.gz"
    assert parse_address("https://h/a.x$(touch PWN).csv").ending == ".csv"
    assert tmp_path in address.cached(tmp_path).parents
    assert parse_address("https://h/..").cached(tmp_path).parent.parent.parent == tmp_path


def test_a_second_folder_takes_the_file_from_the_cache(server, tmp_path):
    for run in ("one", "two"):
        fetch(f"{server.url}/file", tmp_path / run / "a.bin", tmp_path / "cache")
        assert (tmp_path / run / "a.bin").read_bytes() == CONTENT
    assert len(gets(server)) == 1
    fetch(f"{server.url}/file", tmp_path / "three/a.bin", tmp_path / "cache", offline=True)
    with pytest.raises(InputError, match="downloads are switched off"):
        fetch(f"{server.url}/other", tmp_path / "b.bin", tmp_path / "cache", offline=True)


def test_a_change_of_the_remote_file_is_told(server, tmp_path):
    url, said = f"{server.url}/file", []
    fetch(url, tmp_path / "a.bin", tmp_path / "cache")
    server.files["/file"] = CONTENT[::-1]
    fetch(url, tmp_path / "b.bin", tmp_path / "cache", tell=said.append)
    assert "changed since its download" in said[0] and (tmp_path / "b.bin").read_bytes() == CONTENT
    parse_address(url).cached(tmp_path / "cache").unlink()
    with pytest.raises(InputError, match=rf"expected sha256 {SHA256}, as on .*Delete .*file\.json"):
        fetch(url, tmp_path / "c.bin", tmp_path / "cache")


def test_a_damaged_cache_is_mended(server, tmp_path):
    url, said = f"{server.url}/file", []
    fetch(url, tmp_path / "a.bin", tmp_path / "cache")
    parse_address(url).cached(tmp_path / "cache").write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match="a damaged copy"):
        fetch(url, tmp_path / "b.bin", tmp_path / "cache", offline=True)
    fetch(url, tmp_path / "b.bin", tmp_path / "cache", tell=said.append)
    assert "is damaged" in said[0] and (tmp_path / "b.bin").read_bytes() == CONTENT


def test_one_member_of_an_archive(server, tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        info = tarfile.TarInfo("folder/z.fits")
        info.size = len(CONTENT)
        archive.addfile(info, io.BytesIO(CONTENT))
    server.files |= {"/a.tar.gz": packed.getvalue(), "/b.tar.gz": gzip.compress(b"nothing of it")}
    text = f"{server.url}/a.tar.gz#member=z.fits"
    assert parse_address(text).ending == ".fits"
    fetch(text, tmp_path / "z.fits", tmp_path / "cache")
    assert (tmp_path / "z.fits").read_bytes() == CONTENT
    for name, member, message in (
        ("a", "y.fits", "folder/z.fits; expected a file 'y.fits'"),
        ("b", "z", "damaged"),
    ):
        with pytest.raises(InputError, match=message):
            fetch(f"{server.url}/{name}.tar.gz#member={member}", tmp_path / "y.fits", tmp_path / "cache")


def test_the_list_tells_sizes_and_what_is_there(server, tmp_path):
    fetch(f"{server.url}/file", tmp_path / "a.bin", tmp_path / "cache")
    names = {"F150W_sci": "file", "F150W_wht": "other", "galaxies": "missing"}
    entries = [(what, f"{server.url}/{name}") for what, name in names.items()]
    lines = list_downloads(entries, tmp_path / "cache").splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["there", "1.3"], ["missing", "1.3"], ["no", "file"]]
    assert "1 of 3 files" in lines[3] and "to come: 0.00 GB and 1 files of unknown size" in lines[3]
    assert not (tmp_path / "cache" / "nowhere").exists()


def test_the_environment_goes_before_the_configuration(monkeypatch):
    settings = {"cache": "downloads", "offline": False}
    monkeypatch.delenv("CLUMPSCOPE_OFFLINE", raising=False)
    monkeypatch.delenv("CLUMPSCOPE_CACHE", raising=False)
    assert str(cache_folder(settings)) == "downloads" and not is_offline(settings)
    monkeypatch.setenv("CLUMPSCOPE_CACHE", "/elsewhere")
    monkeypatch.setenv("CLUMPSCOPE_OFFLINE", "1")
    assert str(cache_folder(settings)) == "/elsewhere" and is_offline(settings)
    monkeypatch.setenv("CLUMPSCOPE_OFFLINE", "0")
    assert not is_offline({**settings, "offline": True})
