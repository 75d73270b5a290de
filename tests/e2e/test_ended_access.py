"""What somebody may ends while messages stream: what is sent after the commit does not pass.

docs/decisions/0011-answers-remembered.md. Several processes of the hub answer, each of which may
remember who may what. Nothing here is a matter of time: the change is committed, then every request
that begins is judged.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event

import psycopg
import pytest

from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform
from sandbox.server import Call
from tests.cast import HUB, a_location, push
from tests.e2e.hub_processes import Hub, Role
from tests.hub.gateway.commands import ACCEPTED, in_envelope

pytestmark = [pytest.mark.timeout(180), pytest.mark.security("S-31")]

CPO, EMSP, THIRD = (PartyRef("LU", party) for party in ("STA", "STB", "STC"))
CAST: dict[str, list[Role]] = {
    "standing CPO": [("CPO", "LU", "STA")],
    "standing eMSP": [("EMSP", "LU", "STB")],
    "standing third": [("CPO", "LU", "STC")],
}
AT_ONCE = 2
"""Streams of each path."""
BEFORE, AFTER = 5, 20
"""So many messages of each stream pass before the change, and so many are judged after it."""
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Company:
    """A CPO, an eMSP, and a CPO to whose platform the first may move; `arrived` are commands."""

    hub: Hub
    platforms: Mapping[str, SandboxPlatform]
    arrived: set[str] = field(default_factory=set)

    @property
    def cpo(self) -> SandboxPlatform:
        """The owner of what is exchanged."""
        return self.platforms["standing CPO"]

    @property
    def emsp(self) -> SandboxPlatform:
        """Who reads it, and sends commands."""
        return self.platforms["standing eMSP"]

    def change(self, sql: str) -> None:
        """Commit a change by a connection that knows nothing of the hub."""
        with psycopg.connect(self.hub.servers.database_url) as connection:
            connection.execute(sql.encode())

    @contextmanager
    def undoing(self, change: "Change") -> Iterator[None]:
        """Let everything be again as it was before a change."""
        try:
            yield
        finally:
            self.change(change.undo)

    def take(self, call: Call) -> None:
        """Accept a command, and remember it."""
        self.arrived.add(call.seen.json["location_id"])
        in_envelope(ACCEPTED)(call)


@pytest.fixture(scope="module")
def company(hub: Hub) -> Iterator[Company]:
    """They are registered and agreed, and there is something to read."""
    tokens = hub.invite(CAST, [(str(CPO), str(EMSP))])
    with ExitStack() as stack:
        found = {name: stack.enter_context(SandboxPlatform(roles)) for name, roles in CAST.items()}
        for name, platform in found.items():
            platform.register_with(f"{hub.url}/ocpi/versions", tokens[name])
        made = Company(hub, found)
        made.cpo.answer("/receiver/commands", made.take)
        assert passes(write(made, "N0"))
        yield made


def write(company: Company, name: str) -> Result:
    """Push a Location to the hub."""
    return push(company.cpo, a_location(CPO, 1, evses=1, id=name))


def relay(company: Company, name: str) -> Result:
    """Push a Location to one party."""
    return push(company.cpo, a_location(CPO, 1, evses=1, id=name), to=EMSP)


def page(company: Company, _: str) -> Result:
    """Read what there is."""
    return company.emsp.hub.list("locations", to=HUB, sender=EMSP, follow=False).pages[0]


def command(company: Company, name: str) -> Result:
    """Ask for something whose result comes later."""
    url = f"{company.emsp.addresses.origin}/results/1"
    where = {"location_id": name, "evse_uid": "E1", "connector_id": "1"}
    body = {"response_url": url, **where}
    how = {"to": CPO, "sender": EMSP}
    return company.emsp.hub.post("commands", "RECEIVER", "UNLOCK_CONNECTOR", body, **how)


def passes(result: Result) -> bool:
    """Whether a message was accepted, and of a page also whether it shows something."""
    return result.status_code == 1000 and result.data != []


Send = Callable[[Company, str], Result]
PATHS: Mapping[str, Send] = {"write": write, "relay": relay, "page": page, "command": command}


@dataclass(slots=True)
class Stream:
    """Messages on one path, one after the other, until enough are judged."""

    company: Company
    path: str
    number: int
    changed: Event
    before: int = 0
    judged: int = 0
    passed: int = 0

    def run(self) -> None:
        """Send; what begins after the change is judged."""
        for number in count(1):
            is_after = self.changed.is_set()
            has_passed = self._send(f"{self.path[0].upper()}{self.number}-{number}")
            self.before += has_passed and not is_after
            self.judged += is_after
            self.passed += is_after and has_passed
            if self.judged == AFTER:
                return

    def _send(self, name: str) -> bool:
        result = PATHS[self.path](self.company, name)
        # Another platform may rightly take it; the one that may no more does not see it.
        return name in self.company.arrived if self.path == "command" else passes(result)


@dataclass(frozen=True, slots=True)
class Change:
    """What ends, by SQL; how it begins again; the paths that it ends."""

    end: str
    undo: str
    paths: tuple[str, ...] = tuple(PATHS)


TOKENS = """UPDATE parties_credentials SET revoked_at = {} WHERE platform_id IN
  (SELECT id FROM parties_platform WHERE name IN ('standing CPO', 'standing eMSP'))"""
STATUS = "UPDATE parties_platform SET status = '{}' WHERE name = 'standing CPO'"
AGREEMENT = """UPDATE parties_agreement SET state = '{}' WHERE cpo_id IN
  (SELECT id FROM parties_party WHERE key = 'LU-STA')"""
PLACE = """UPDATE parties_party SET platform_id =
  (SELECT id FROM parties_platform WHERE name = '{}') WHERE key = 'LU-STA'"""
CHANGES = {
    "tokens are revoked": Change(TOKENS.format("now()"), TOKENS.format("NULL")),
    "a platform is suspended": Change(STATUS.format("SUSPENDED"), STATUS.format("CONNECTED")),
    "an agreement ends": Change(
        AGREEMENT.format("SUSPENDED"), AGREEMENT.format("ACTIVE"), ("relay", "page", "command")
    ),
    "a party moves to another platform": Change(
        PLACE.format("standing third"),
        PLACE.format("standing CPO"),
        ("write", "relay", "command"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_that_is_sent_after_the_commit_passes(company: Company, name: str) -> None:
    """Messages stream on every path, through all processes, before it and after it."""
    company.arrived.clear()
    change, changed = CHANGES[name], Event()
    streams = [
        Stream(company, path, number, changed) for path in change.paths for number in range(AT_ONCE)
    ]
    with company.undoing(change), ThreadPoolExecutor(len(streams)) as pool:
        running = [pool.submit(stream.run) for stream in streams]
        try:
            _await(lambda: all(stream.before >= BEFORE for stream in streams))
            company.change(change.end)
        finally:
            changed.set()
        for each in running:
            each.result(PATIENCE_SECONDS)

    assert {stream.judged for stream in streams} == {AFTER}
    assert {stream.path: stream.passed for stream in streams if stream.passed} == {}


def _await(is_so: Callable[[], bool]) -> None:
    pause = Event()
    for _ in range(PATIENCE_SECONDS * 20):
        if is_so():
            return
        pause.wait(0.05)
    raise TimeoutError("not every path lets messages pass before the change")
