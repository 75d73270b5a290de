"""Each proxy before a server that tells what reaches it, and before a real hub."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.proxies.echo import Echo, echo
from tests.proxies.proxy import CONSOLE, HUB, NAMES, Proxy, _free, missing, proxy


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the proxies be insisted on."""
    parser.addoption(
        "--need-proxies", action="store_true", help="fail, rather than skip, without nginx or Caddy"
    )


@pytest.fixture(scope="session", autouse=True)
def _installed(pytestconfig: pytest.Config) -> None:
    if absent := missing():
        sentence = f"not on PATH: {', '.join(absent)} (make test-proxies installs them)"
        if pytestconfig.getoption("--need-proxies"):
            pytest.fail(sentence)
        pytest.skip(sentence)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Return which proxy it is."""
    return str(request.param)


@pytest.fixture(scope="module")
def seen() -> Iterator[Echo]:
    """Run a server behind, and return what it sees."""
    with echo() as found:
        yield found


@pytest.fixture(scope="module")
def before_echo(name: str, seen: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run the proxy before it."""
    folder = tmp_path_factory.mktemp(name)
    with proxy(name, seen.port, folder, {}) as found:
        yield found


@pytest.fixture
def before_hub(name: str, tmp_path: Path) -> Iterator[Proxy]:
    """Run the proxy before a real hub, over the database of the tests."""
    backend = _free()
    process = subprocess.Popen([sys.executable, "-m", "settings.serve"], env=_environment(backend))
    try:
        with proxy(name, backend, tmp_path, {}) as found:
            _wait(found, process)
            yield found
    finally:
        process.terminate()
        process.wait(30)


def _environment(port: int) -> dict[str, str]:
    database = connection.settings_dict
    account = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    address = f"{account}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings.base",
        "DATABASE_URL": f"postgresql://{address}",
        "HUB_PUBLIC_URL": f"https://{HUB}",
        "ALLOWED_HOSTS": f"{HUB},{CONSOLE}",
        "HUB_BIND_PORT": str(port),
        "HUB_WEB_WORKERS": "1",
        "HUB_DATABASE_CONNECTIONS": "2",
    }


def _wait(found: Proxy, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if found.ask("/ocpi/versions").status < 500:
            return
        time.sleep(0.2)
    raise AssertionError("the hub did not start")
