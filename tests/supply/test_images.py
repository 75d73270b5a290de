"""No image is named by a tag that moves, and `make images` pins what a registry has."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local import image_digests

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.security("S-27")
_ANY = re.compile(r"^\s*(?:FROM|image:)\s*(\S+)", re.MULTILINE)
_EXACT = re.compile(r"[\w./-]+:\d+\.\d+(\.\d+)?(-[a-z]+)*@sha256:[0-9a-f]{64}")
_OURS = ("ocpi-hub",)
_MANIFEST = b'{"schemaVersion": 2, "manifests": []}'


@pytest.mark.parametrize("name", image_digests.FILES)
def test_every_image_is_an_exact_release(name: str) -> None:
    """An image is named by a release with its patch level, and by a digest: no tag moves it."""
    named = [each for each in _ANY.findall((ROOT / name).read_text()) if each not in _OURS]
    assert named
    for image in named:
        assert _EXACT.fullmatch(image), image
    assert [image.partition("@")[0] for image in named] == [
        image for image, _ in image_digests.images_in((ROOT / name).read_text())
    ]


@pytest.mark.parametrize(
    "image, address",
    [
        ("postgres:18.6", "https://registry-1.docker.io/v2/library/postgres/manifests/18.6"),
        ("valkey/valkey:9.1", "https://registry-1.docker.io/v2/valkey/valkey/manifests/9.1"),
        ("ghcr.io/a/b:1.2.3", "https://ghcr.io/v2/a/b/manifests/1.2.3"),
    ],
)
def test_an_image_is_asked_for_where_its_name_says(image: str, address: str) -> None:
    """A name without a registry is Docker Hub's, one without an owner its library's."""
    assert image_digests.reference(image).address == address


class _Registry(BaseHTTPRequestHandler):
    """A registry that asks for a token which it gives to anybody."""

    def do_GET(self) -> None:
        host = self.headers["Host"]
        if self.path.startswith("/token?"):
            self._answer(200, b'{"token": "for-anybody"}')
        elif self.headers.get("Authorization") == "Bearer for-anybody":
            self._answer(200, _MANIFEST)
        else:
            self._answer(401, b"", f'Bearer realm="http://{host}/token",service="s",scope="pull"')

    def _answer(self, code: int, body: bytes, challenge: str = "") -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Stay silent."""


@pytest.fixture
def registry() -> Iterator[str]:
    """Run a registry on this machine and return its name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_digest_is_written_behind_the_tag(registry: str, tmp_path: Path) -> None:
    """`make images` writes the hash of what the registry answers; a second time changes nothing."""
    dockerfile, compose = (tmp_path / name for name in image_digests.FILES)
    image, composed = f"{registry}/python:3.11.1-slim", f"{registry}/postgres:18.6"
    dockerfile.write_text(f"FROM {image} AS build\nRUN true\nFROM {image}\n")
    compose.write_text(f"    image: ocpi-hub\n    image: {composed}\n")
    digest = f"sha256:{hashlib.sha256(_MANIFEST).hexdigest()}"
    for _ in range(2):
        assert image_digests.main(tmp_path) == 0
        pinned = f"{image}@{digest}"
        assert dockerfile.read_text() == f"FROM {pinned} AS build\nRUN true\nFROM {pinned}\n"
        assert compose.read_text() == f"    image: ocpi-hub\n    image: {composed}@{digest}\n"


def test_a_registry_that_cannot_be_reached_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a registry the files stay as they are, and it is said which image was not found."""
    for name in image_digests.FILES:
        (tmp_path / name).write_text("    image: 127.0.0.1:1/postgres:18.6\n")
    assert image_digests.main(tmp_path) == 1
    assert "127.0.0.1:1/postgres:18.6: 127.0.0.1:1 cannot be reached" in capsys.readouterr().err
    assert (tmp_path / "Dockerfile").read_text() == "    image: 127.0.0.1:1/postgres:18.6\n"
