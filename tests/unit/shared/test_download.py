"""Downloads against a server on loopback: whole, broken off and continued, wrong, refused."""

import hashlib
import http.server
import threading

import pytest
from clumpscope.download import download
from clumpscope.errors import InputError

CONTENT = bytes(range(256)) * 5000


class _Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; /short breaks off in the middle of the first request."""

    requests: list[tuple[str, str | None]]

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        if self.path == "/missing":
            self.send_error(404)
            return
        start = int(asked.split("=")[1].rstrip("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = len(CONTENT) // 2 if self.path == "/short" and not asked else len(CONTENT)
        self.wfile.write(CONTENT[start:stop])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = http.server.HTTPServer(("127.0.0.1", 0), _Server)
    server.requests = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_whole_file_with_checksum(server, tmp_path):
    download(f"{server.url}/file", tmp_path / "a.fits", hashlib.sha256(CONTENT).hexdigest())
    assert (tmp_path / "a.fits").read_bytes() == CONTENT


def test_a_broken_download_is_continued(server, tmp_path):
    with pytest.raises(InputError, match="A rerun continues"):
        download(f"{server.url}/short", tmp_path / "a.fits")
    assert not (tmp_path / "a.fits").exists()
    download(f"{server.url}/short", tmp_path / "a.fits")
    assert (tmp_path / "a.fits").read_bytes() == CONTENT
    assert server.requests[1] == ("/short", f"bytes={len(CONTENT) // 2}-")


def test_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(InputError, match="sha256"):
        download(f"{server.url}/file", tmp_path / "a.fits", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_refusal_names_the_address(server, tmp_path):
    with pytest.raises(InputError, match=r"/missing.*404"):
        download(f"{server.url}/missing", tmp_path / "a.fits")
