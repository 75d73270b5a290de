"""Beside ocpi-python, a library for OCPI on FastAPI that keeps objects in memory.

The same objects by the same client, each alone on the machine; what counts is the CPU time of the
whole machine for a request, PostgreSQL, log and feed of the hub included. The library refuses
objects without some optional fields: both then get these fields as null, or as a dash where it
insists on a text. It is installed into an environment of its own from `OCPI_PYTHON`, anything that
pip installs (a folder, a URL); where that fails, nothing is compared and the run says so.
"""

import itertools
import json
import os
import subprocess
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import bulk_rows, objects
from bench.environment import LOGS, Testbed, emsp
from bench.figures import Figure, Key, Round, at_least, median_round
from bench.load import Outcome, fire, request
from bench.objects import Template
from bench.requests import shots
from local import ports
from local.processes import Family, Program
from ocpi.transport.authorization import header
from ocpi.types import InterfaceRole, ModuleID

SOURCE = "git+https://github.com/elumobility/ocpi-python@v2026.1.9"
ROUNDS = 3
SECONDS = 2.0
OBJECTS = 1_000
PAGE = 100
MOST = 20_000
_TOKEN = "token-of-the-benchmark"  # noqa: S105 - of a server that ends with the benchmark
_PLACE = Path(".local/bench/ocpi-python")
_SERVER = Path(__file__).parent / "ocpi_python_server.py"
_RECEIVERS = {ModuleID.TOKENS: "cpo", ModuleID.LOCATIONS: "emsp"}
"""Under which role the library takes what is pushed."""
_REFUSED = 422
_ATTEMPTS = 10
"""To fill in fields: each answer names some of those that are missing."""


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure PUT of a Token and a page of Locations, each in turns."""
    python = _environment()
    if python is None:
        print(f"not compared: {os.environ.get('OCPI_PYTHON', SOURCE)} cannot be installed")
        return
    with _server(python) as peer:
        token = _accepted(peer, objects.put(ModuleID.TOKENS))
        yield _compared("PUT of a token", *_puts(testbed, peer, token), (3, 5), Key.PEER_PUT)
        location = _accepted(peer, objects.put(ModuleID.LOCATIONS))
        what = f"page of {PAGE} locations"
        yield _compared(what, *_pages(testbed, peer, location), (8, 20), Key.PEER_PAGE)


_Run = Callable[[], Outcome]


def _compared(what: str, hub: _Run, peer: _Run, aim: tuple[float, float], key: Key) -> Figure:
    """Let both run in turns; the limit is how many requests the peer answers a second of CPU."""
    rounds = (Round(1000 / hub().cpu_ms, 1000 / peer().cpu_ms) for _ in range(ROUNDS))
    middle = median_round(rounds)
    return Figure(
        what,
        middle.measured,
        "/s of CPU",
        middle.limit,
        "ocpi-python, in memory",
        at_least(*aim),
        key=key,
        cpu_ms=1000 / middle.measured,
    )


def _puts(testbed: Testbed, peer: str, template: Template) -> tuple[_Run, _Run]:
    """Return what replaces objects at the hub, and at the peer."""
    fire(testbed.url, shots(testbed, template, range(OBJECTS)))
    numbers = [number % OBJECTS for number in range(MOST)]
    ours = iter(shots(testbed, template, numbers, since=OBJECTS))
    theirs = [
        request("PUT", _url(peer, template, path), _headers(), body)
        for path, body in (template.numbered(number, number) for number in range(OBJECTS))
    ]
    fire(peer, theirs)
    return (
        lambda: fire(testbed.url, ours, seconds=SECONDS),
        lambda: fire(peer, itertools.cycle(theirs), seconds=SECONDS),
    )


def _pages(testbed: Testbed, peer: str, template: Template) -> tuple[_Run, _Run]:
    """Return what reads first pages of as many objects from the hub, and from the peer."""
    bulk_rows.fill(testbed, [template], OBJECTS)
    filling = (template.numbered(number, number) for number in range(OBJECTS))
    fire(peer, [request("PUT", _url(peer, template, path), _headers(), b) for path, b in filling])
    endpoint = testbed.endpoint(InterfaceRole.SENDER, ModuleID.LOCATIONS)
    ours = request("GET", f"{endpoint}?limit={PAGE}", testbed.headers(emsp(0)))
    theirs = request("GET", f"{peer}/ocpi/cpo/2.2.1/locations/?limit={PAGE}", _headers())
    return (
        lambda: fire(testbed.url, itertools.repeat(ours), seconds=SECONDS),
        lambda: fire(peer, itertools.repeat(theirs), seconds=SECONDS),
    )


def _accepted(peer: str, template: Template) -> Template:
    """Return an object with something for each optional field that the peer misses."""
    value = json.loads(template.body)
    for _ in range(_ATTEMPTS):
        body = json.dumps(value, separators=(",", ":")).encode()
        missing = _missing(_url(peer, template, template.path), body)
        if not missing:
            return replace(template, body=body)
        for place, filler in missing:
            _fill(value, place, filler)
    raise RuntimeError(f"the peer goes on refusing {template.object_id}")


def _missing(url: str, body: bytes) -> list[tuple[list[Any], str | None]]:
    """Send an object; return where the answer misses a field, and what to put there."""
    asked = urllib.request.Request(url, body, _headers(), method="PUT")  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(asked):  # noqa: S310
            return []
    except urllib.error.HTTPError as error:
        if error.code != _REFUSED:
            raise
        return [
            (each["loc"][1:], None if each["type"] == "missing" else "-")
            for each in json.load(error)["detail"]
        ]


def _fill(value: Any, place: list[Any], filler: str | None) -> None:  # noqa: ANN401 - JSON
    *way, name = place
    for step in way:
        value = value[step]
    value[name] = filler


def _url(peer: str, template: Template, path: str) -> str:
    return f"{peer}/ocpi/{_RECEIVERS[template.module]}/2.2.1/{template.module}/{path}"


def _headers() -> Mapping[str, str]:
    return {"Authorization": header(_TOKEN), "Content-Type": "application/json"}


def _environment() -> Path | None:
    """Install the library once; return its Python, or None where it cannot be had."""
    python = (_PLACE / "venv" / "bin" / "python").absolute()
    if not (_PLACE / "installed").exists():
        print("installing ocpi-python into an environment of its own …", flush=True)
        venv.create(_PLACE / "venv", with_pip=True, clear=True)
        source = os.environ.get("OCPI_PYTHON", SOURCE)
        packages = [source, "uvicorn", "uvloop", "httptools"]
        pip = [str(python), "-m", "pip", "install", "--quiet", *packages]
        if subprocess.run(pip, check=False).returncode:
            return None
        (_PLACE / "installed").touch()
    return python


@contextmanager
def _server(python: Path) -> Iterator[str]:
    """Start the library's server; return its URL."""
    port = ports.free()
    LOGS.mkdir(parents=True, exist_ok=True)
    with Family() as family:
        command = [str(python), "-P", str(_SERVER.absolute()), str(port), _TOKEN]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        log = LOGS / "ocpi-python.log"
        family.start(Program(name="ocpi-python", command=command, log=log, environment=environment))
        family.wait(30, until=lambda: not ports.is_free(port))
        yield f"http://127.0.0.1:{port}"
