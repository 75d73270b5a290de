"""nginx and Caddy as the documentation configures them, on free ports and with our certificates.

Nothing else of the configurations is changed, unless a test says which words.
"""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

from tests.proxies.authority import Authority, Certificate

ROOT = Path(__file__).parents[2]
HUB, CONSOLE = "hub.example.com", "console.example.com"
NAMES = ("nginx", "caddy")
_SECONDS = 30
_MAIN = """
daemon off; {user} worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/hub.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy, and how clients reach it."""

    name: str
    plain: int
    secure: int
    authority: Authority

    def tls(self, host: str = HUB, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """Connect as a client of a host does."""
        connected = socket.create_connection(("127.0.0.1", self.secure), timeout=_SECONDS)
        try:
            return (context or self.authority.trusting()).wrap_socket(
                connected, server_hostname=host
            )
        except OSError:
            connected.close()
            raise

    def ask(
        self, target: str, *, host: str = HUB, method: str = "GET", body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """Send a request with exactly this target over TLS, and return the answer."""
        with self.tls(host) as connected:
            return exchange(connected, head(target, host, method, body, headers) + body)

    def ask_plainly(self, target: str, host: str = HUB) -> Answer:
        """Send a request without TLS."""
        with socket.create_connection(("127.0.0.1", self.plain), timeout=_SECONDS) as connected:
            return exchange(connected, head(target, host))


def head(
    target: str, host: str, method: str = "GET", body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> bytes:  # fmt: skip
    """Return the head of a request."""
    given = {"Host": host, **(headers or {})}
    if body:
        given.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def exchange(connected: socket.socket, data: bytes) -> Answer:
    """Write bytes and read an answer; who stops reading may answer all the same."""
    with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
        connected.sendall(data)
    answer = HTTPResponse(connected)
    answer.begin()
    return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


@contextmanager
def proxy(name: str, backend: int, folder: Path, changes: Mapping[str, str]) -> Iterator[Proxy]:
    """Run a proxy before what listens on a port."""
    authority = Authority(folder)
    found = Proxy(name, _free(), _free(), authority)
    certificate = authority.issue(HUB, CONSOLE)
    prepare = {"nginx": _nginx, "caddy": _caddy}[name]
    command = prepare(found, backend, folder, certificate, changes)
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
    try:
        _wait(found, process, log)
        yield found
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _nginx(
    found: Proxy, backend: int, folder: Path, certificate: Certificate, changes: Mapping[str, str]
) -> list[str]:
    text = (ROOT / "deploy" / "nginx" / "hub.conf").read_text(encoding="utf-8")
    ours = {
        "127.0.0.1:8000": f"127.0.0.1:{backend}",
        "listen 443": f"listen 127.0.0.1:{found.secure}",
        "listen 80": f"listen 127.0.0.1:{found.plain}",
        "    listen [::]:443": "    #",
        "    listen [::]:80": "    #",
        **{f"/etc/ssl/hub/{host}.pem": str(certificate.chain) for host in (HUB, CONSOLE)},
        **{f"/etc/ssl/hub/{host}.key": str(certificate.key) for host in (HUB, CONSOLE)},
    }
    (folder / "hub.conf").write_text(_replaced(text, ours | dict(changes)), encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user), encoding="utf-8")
    return ["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


def _caddy(
    found: Proxy, backend: int, folder: Path, certificate: Certificate, changes: Mapping[str, str]
) -> list[str]:
    text = (ROOT / "deploy" / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    ours = {
        "127.0.0.1:8000": f"127.0.0.1:{backend}",
        "\tadmin off\n": f"\tadmin off\n\tdefault_bind 127.0.0.1\n\thttp_port {found.plain}\n"
        f"\thttps_port {found.secure}\n",
        "\ttls {\n": f"\ttls {certificate.chain} {certificate.key} {{\n",
    }
    (folder / "Caddyfile").write_text(_replaced(text, ours | dict(changes)), encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the configuration has no {old!r}"
        text = text.replace(old, new)
    return text


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _wait(found: Proxy, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            found.tls().close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{found.name} did not start: {log.read_text()}")


def missing() -> list[str]:
    """Return which of the proxies are not installed."""
    return [name for name in NAMES if shutil.which(name) is None]
