"""(a) Accepting pushes: PUT of a Location and PATCH of an EVSE through the full stack.

The limit is pgbench running the very statement the hub runs, prepared, with 8 clients.
"""

import itertools
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.figures import Figure
from bench.ground import CPO, Ground
from bench.load import Outcome, Shot, fire
from local import binaries
from ocpi.sandbox.catalogue import location
from ocpi.types import ModuleID, PartyRef

SECONDS = 4.0
LOCATIONS = 2_000
_PATH = "/".join(CPO)


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure PUT, and PATCH in small and large Locations."""
    statement = _limit(ground)
    put = _steady(put_shots(ground))
    yield Figure("PUT of a Location", put.rate, "/s", statement, "pgbench, same statement", 0.15)
    small, large = (_patch(ground, evses) for evses in (2, 50))
    yield Figure(
        "PATCH of an EVSE, 50 EVSEs", large, "/s", statement, "pgbench, same statement", 0.15
    )
    yield Figure("PATCH of an EVSE, 50 EVSEs", large, "/s", small, "the same with 2 EVSEs", 0.9)


def put_shots(ground: Ground, count: int | None = None) -> Iterator[Shot]:
    """Return PUTs of Locations with one EVSE, round and round or `count` of them."""
    url = f"{ground.url}/ocpi/2.2.1/receiver/locations/{_PATH}"
    headers = ground.headers(ground.cpo_token, CPO)
    numbers = itertools.count() if count is None else iter(range(count))
    for number in numbers:
        name = f"L{number if count else number % LOCATIONS}"
        yield Shot("PUT", f"{url}/{name}", headers, json.dumps(_location(name, 1)).encode())


def _location(name: str, evses: int) -> dict[str, Any]:
    return {**location(1, PartyRef(*CPO), evses=evses), "id": name}


def _patch(ground: Ground, evses: int) -> float:
    """Measure PATCHes of EVSE statuses in Locations of this many EVSEs."""
    base = f"{ground.url}/ocpi/2.2.1/receiver/locations/{_PATH}"
    headers = ground.headers(ground.cpo_token, CPO)
    names = [f"P{evses}-{number}" for number in range(200)]
    bodies = {name: _location(name, evses) for name in names}
    filling = (
        Shot("PUT", f"{base}/{name}", headers, json.dumps(body).encode())
        for name, body in bodies.items()
    )
    fire(filling).all_accepted()
    uids = [evse["uid"] for evse in bodies[names[0]]["evses"]]
    return _steady(_patches(base, headers, names, uids)).rate


def _patches(
    base: str, headers: Mapping[str, str], names: list[str], uids: list[str]
) -> Iterator[Shot]:
    for number in itertools.count():
        seconds = number // 60 % 60
        status = ("CHARGING", "AVAILABLE")[number % 2]
        body = (
            f'{{"status":"{status}","last_updated":"2027-01-01T00:{seconds:02}:{number % 60:02}Z"}}'
        )
        url = f"{base}/{names[number % len(names)]}/{uids[number % len(uids)]}"
        yield Shot("PATCH", url, dict(headers), body.encode())


def _steady(shots: Iterator[Shot]) -> Outcome:
    """Warm up, then measure."""
    fire(shots, seconds=1.5).all_accepted()
    return fire(shots, seconds=SECONDS).all_accepted()


def _limit(ground: Ground) -> float:
    """Run pgbench with the hub's own PUT statement on the same database."""
    program = binaries.find().directory / "pgbench"
    target = urlsplit(ground.database_url)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "put.sql"
        script.write_text(_pgbench_script(), encoding="utf-8")
        done = subprocess.run(
            [
                program,
                "-n",
                "-M",
                "prepared",
                "-c",
                "8",
                "-j",
                "2",
                "-T",
                "4",
                "-f",
                script,
                target.path[1:],
            ],
            env={
                **os.environ,
                "PGHOST": target.hostname or "",
                "PGPORT": str(target.port),
                "PGUSER": target.username or "",
                "PGPASSWORD": target.password or "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([0-9.]+) \(without initial", done.stdout)
    if not found:
        message = f"pgbench failed: {done.stderr[-500:]}"
        raise RuntimeError(message)
    return float(found[1])


def _pgbench_script() -> str:
    """Write the hub's PUT statement with the values of a real message, one random id apart."""
    from hub.policy import POLICIES  # noqa: PLC0415 - Django is set up by now
    from hub.store import Incoming, planning, statements, writing  # noqa: PLC0415
    from ocpi.versions import VERSIONS  # noqa: PLC0415

    policy = POLICIES[ModuleID.LOCATIONS]
    body = json.dumps(_location("LIMIT", 1)).encode()
    message = Incoming(
        module=VERSIONS["2.2.1"].modules[ModuleID.LOCATIONS],
        policy=policy,
        version="2.2.1",
        method="PUT",
        owner=PartyRef(*CPO),
        ids=("LIMIT",),
        path=f"{_PATH}/LIMIT",
        body=body,
        correlation_id="bench",
    )
    values = writing.parameters(message, planning.replacement(message))
    text = statements.build(policy).put
    for name, value in values.items():
        text = text.replace(f"%({name})s", _literal(value))
    text = text.replace("E'LIMIT'", "('LIMIT' || :id)")
    text = text.replace("locations/NL-CPA/LIMIT/'", "locations/NL-CPA/' || :id")
    return f"\\set id random(1, {LOCATIONS})\n{' '.join(text.split())};\n"


def _literal(value: object) -> str:
    """Write a value as SQL; pgbench takes a colon for a variable, wherever it stands."""
    if isinstance(value, list):
        return "ARRAY[" + ", ".join(_literal(item) for item in value) + "]"
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value)
    quoted = str(value).replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{quoted}'"
