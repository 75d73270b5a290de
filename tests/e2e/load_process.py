"""The load beside a hub: an owner and a receiver register, then a process of its own plays both."""

import json
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bench.environment import headers
from local.processes import Child, Family, Program
from sandbox.object_store import write_object
from sandbox.platform import SandboxPlatform, object_path
from tests.cast import HUB, ROLES, a_location
from tests.e2e.hub_processes import CHECKOUT, Hub
from tests.e2e.load import NAME, UPDATED, X, Y
from tests.ocpi.objects import a_cdr, a_cdr_token, a_session, a_tariff

RATE = 600.0
"""Messages a second; the hub under test is to carry 500."""
CONNECTIONS = 16
OWNER, RECEIVER = "TNM as CPO", "two eMSPs"
_EVSE = "E1"
_START_SECONDS = 20.0
_HALT_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Report:
    """How the books of the load stand; rates are messages acknowledged a second.

    `again`: how many attempts were not acknowledged. `usual_rate` is that of the median second.
    `cpu_seconds`: what owner, receiver and books took of the processors themselves.
    """

    acknowledged: int
    again: int
    received: int
    duplicated: int
    lost: int
    out_of_order: int
    too_often: int
    seconds: int
    rate: float
    usual_rate: float
    cpu_seconds: float
    wrong: list[str]

    @property
    def _cost(self) -> float:
        return self.cpu_seconds / max(self.acknowledged, 1) * 1000

    def __str__(self) -> str:
        return (
            f"load: {self.acknowledged:,} acknowledged in {self.seconds} s ({self.rate:,.0f}/s,"
            f" usually {self.usual_rate:,.0f}/s; {self.again:,} attempts in vain), received"
            f" {self.received:,}, duplicated {self.duplicated:,}, lost {self.lost},"
            f" out of order {self.out_of_order}; {self._cost:.2f} ms of CPU a message"
        )


class Load:
    """Sends only between `go` and `halt`; the process ends with the block."""

    def __init__(self, hub: Hub, *, rate: float = RATE, connections: int = CONNECTIONS) -> None:
        self._hub = hub
        self._family = Family()
        self._port = 0
        self._asked = {"url": hub.url, "rate": rate, "connections": connections}

    def __enter__(self) -> Self:
        """Register both platforms, and start."""
        owner, receiver = self._registered()
        self._port = receiver.port
        asked = {
            **self._asked,
            "ports": [owner.port, receiver.port],
            "kinds": _kinds(owner, receiver),
        }
        file = self._hub.folder / "load.json"
        file.write_text(json.dumps(asked), encoding="utf-8")
        child = self._started(str(file))
        if not self._family.wait(_START_SECONDS, until=self._listens):
            self._family.stop()
            raise RuntimeError(child.complaint())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the process."""
        self._family.stop()

    def go(self) -> None:
        """Send from now on."""
        self._order("go")

    def halt(self) -> None:
        """Stop sending; return when all that was sent is acknowledged."""
        self._order("halt")

    def report(self) -> Report:
        """Return how the books stand now."""
        return Report(**self._order("report"))

    def settled(self, seconds: float) -> Report:
        """Wait until nothing is missing at the receiver, so long at most; return the books."""
        end = time.monotonic() + seconds
        while (found := self.report()).lost and time.monotonic() < end:
            self._hub.supervise()
            time.sleep(0.5)
        return found

    def _listens(self) -> bool:
        with suppress(OSError):
            self.report()
            return True
        return False

    def _order(self, word: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._port}/load/{word}"
        with urllib.request.urlopen(url, timeout=_HALT_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def _started(self, file: str) -> Child:
        program = Program(
            name="load",
            command=[sys.executable, "-m", "tests.e2e.load", file],
            log=self._hub.folder / "load.log",
            environment=self._hub.environment,
            directory=CHECKOUT,
        )
        return self._family.start(program)

    def _registered(self) -> list[SandboxPlatform]:
        """Register owner and receiver; who listens at their ports afterwards is another."""
        cast = {name: ROLES[name] for name in (OWNER, RECEIVER)}
        tokens = self._hub.invite(cast, [("NL-TNM", "AT-TWA")])
        found = []
        for name, roles in cast.items():
            with SandboxPlatform(roles) as platform:
                platform.register_with(f"{self._hub.url}/ocpi/versions", tokens[name])
            found.append(platform)
        return found


def _kinds(owner: SandboxPlatform, receiver: SandboxPlatform) -> dict[str, Mapping[str, str]]:
    """Prepare a message of each kind, with marks where messages differ."""
    cpo, emsp = owner.party, receiver.party
    owned = {"country_code": cpo.country_code, "party_id": cpo.party_id}
    token = a_cdr_token(country_code=emsp.country_code, party_id=emsp.party_id)
    named = {"id": NAME, **owned, "x": X, "last_updated": UPDATED}
    location = a_location(cpo, 1, evses=1, **named)
    part = {"y": Y, "last_updated": UPDATED}
    location["evses"] = [{**location["evses"][0], "uid": _EVSE, **part}]
    mine = object_path(cpo, NAME).replace("%40", "@")
    session = a_session(**named, cdr_token=token)
    bill = a_cdr(id=NAME, **owned, cdr_token=token, last_updated=UPDATED)
    changed = {"kwh": 1.5, "x": X, "last_updated": UPDATED}

    def kind(method: str, module: str, path: str, value: Mapping[str, Any]) -> Mapping[str, str]:
        url = f"{owner.hub.endpoint(module, 'RECEIVER').rstrip('/')}/{path}".rstrip("/")
        return _prepared(owner, method, url, value)

    return {
        "location": kind("PUT", "locations", mine, location),
        "evse": kind("PATCH", "locations", f"{mine}/{_EVSE}", {"status": "CHARGING", **part}),
        "tariff": kind("PUT", "tariffs", mine, a_tariff(**named)),
        "session": kind("PUT", "sessions", mine, session),
        "progress": kind("PATCH", "sessions", mine, changed),
        "cdr": kind("POST", "cdrs", "", bill),
    }


def _prepared(
    owner: SandboxPlatform, method: str, url: str, value: Mapping[str, Any]
) -> Mapping[str, str]:
    where = url.partition("://")[2]
    host, _, path = where.partition("/")
    lines = [f"{method} /{path} HTTP/1.1", f"Host: {host}"]
    sent = headers(owner.hub.token, sender=owner.party, to=HUB)
    lines += [f"{name}: {each}" for name, each in sent.items()]
    return {"head": "\r\n".join([*lines, ""]), "body": write_object(dict(value))}
