"""The demo: the hub between a sandbox CPO and a sandbox eMSP, each a process of its own.

The platforms register by the real handshake; then the CPO pushes its locations and a stream of
EVSE status changes, and the eMSP receives them. The check ends with a verdict: does the eMSP hold
exactly what the CPO owns?
"""

import json
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local import environment, ports, postgres, verdict
from local.hub import Hub, box, port_from
from local.places import CHECKOUT, Place
from local.processes import Child, Family, Program, until_ctrl_c
from local.story import Story, Tail
from local.trouble import Trouble

_DATABASE = "hub_demo"
_CHECK_UPDATES_PER_SECOND = 20
_REGISTER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Platform:
    """One of the two sandbox platforms."""

    kind: str
    name: str
    role: str

    @property
    def party(self) -> str:
        """Its party as it is written everywhere: NL-CPA."""
        return "-".join(self.role.split(":")[1:])


CPO = Platform("cpo", "Sandbox CPO", "CPO:NL:CPA")
EMSP = Platform("emsp", "Sandbox eMSP", "EMSP:DE:MSA")


@dataclass(slots=True)
class Stage:
    """The hub, the platforms on it and the story they tell."""

    hub: Hub
    story: Story
    children: dict[str, Child] = field(default_factory=dict)
    tails: list[Tail] = field(default_factory=list)

    def report(self, platform: Platform) -> Path:
        """Where a platform writes what it holds."""
        return self.hub.place.path / f"{platform.kind}.report.json"

    def enter(self, platform: Platform, invitation: dict[str, str], *options: str) -> None:
        """Start an invited platform and wait until it is registered."""
        self.report(platform).unlink(missing_ok=True)
        child = self.hub.family.start(self._program(platform, invitation, *options))
        self.children[platform.kind] = child
        self.tails.append(Tail(child.program.log))
        if not self.follow(
            _REGISTER_SECONDS, until=lambda: platform.party in self.story.registered
        ):
            raise Trouble(f"{platform.name} did not register; {child.last_words()}")

    def follow(self, seconds: float, *, until: Callable[[], bool]) -> bool:
        """Tell the story until something holds; False when the time is over."""
        return self.hub.family.wait(seconds, until=lambda: self._listen() or until())

    def _listen(self) -> bool:
        for tail in self.tails:
            for event in tail.events():
                self.story.hear(event)
        self.story.tell()
        return False

    def _program(self, platform: Platform, invitation: dict[str, str], *options: str) -> Program:
        command = [
            *(sys.executable, "-m", "ocpi.sandbox", platform.kind, "--json"),
            *("--name", platform.name, "--role", platform.role),
            *("--hub", invitation["versions_url"], "--port", str(ports.free())),
            *("--report-json", str(self.report(platform))),
            *options,
        ]
        return Program(
            name=platform.name,
            command=command,
            log=self.hub.place.log(platform.kind),
            environment=environment.bare() | {"SANDBOX_TOKEN_A": invitation["token_a"]},
            directory=CHECKOUT,
            orphan_signal=signal.SIGKILL,
        )


def show(place: Place, *, seconds: float | None = None) -> int:
    """Run the demo until Ctrl-C, or for so many seconds."""
    with until_ctrl_c(), _stage(place, usual_port=8000) as stage:
        print("Ctrl-C stops everything.\n", flush=True)
        _enter_both(stage)
        stage.follow(seconds or math.inf, until=lambda: False)
    return 0


def check(place: Place, *, updates: int, seconds: float) -> int:
    """Run the demo for a bounded time and return 0 when the eMSP holds what the CPO owns."""
    with _stage(place, usual_port=ports.free()) as stage:
        deadline = time.monotonic() + seconds
        rate = ("--updates-per-second", str(_CHECK_UPDATES_PER_SECOND))
        _enter_both(stage, "--updates", str(updates), *rate)
        stage.follow(deadline - time.monotonic(), until=lambda: CPO.party in stage.story.done)
        return _verdict(stage, updates=updates, deadline=deadline)


def _enter_both(stage: Stage, *cpo_options: str) -> None:
    """Invite both and let them agree, so that nothing the CPO sends waits for a decision."""
    invitations = {platform: _invite(stage.hub, platform) for platform in (EMSP, CPO)}
    stage.hub.manage("agree", CPO.party, EMSP.party)
    stage.enter(EMSP, invitations[EMSP])
    stage.enter(CPO, invitations[CPO], *cpo_options)


def _invite(hub: Hub, platform: Platform) -> dict[str, str]:
    words = ("invite_platform", platform.name, "--role", platform.role, "--json")
    invitation: dict[str, str] = json.loads(hub.manage(*words))
    return invitation


def _verdict(stage: Stage, *, updates: int, deadline: float) -> int:
    """Compare what both hold until it is equal, or the time is over; say which."""
    differences = _differences(stage)
    while differences and time.monotonic() < deadline:
        stage.follow(0.5, until=lambda: False)
        differences = _differences(stage)
    if CPO.party not in stage.story.done:
        differences.insert(0, f"{CPO.party} had not sent all {updates} status changes in time")
    if differences:
        print("\nNOT DELIVERED: the eMSP does not hold what the CPO owns")
        print("".join(f"  - {line}\n" for line in differences), end="", flush=True)
        return 1
    count = len(verdict.locations(verdict.read(stage.report(CPO)) or verdict.EMPTY))
    print(
        f"\nDELIVERED: {EMSP.party} holds exactly the {count} locations of {CPO.party},"
        f" with the last of {updates} status changes",
        flush=True,
    )
    return 0


def _differences(stage: Stage) -> list[str]:
    """Have both platforms write down what they hold, and compare."""
    for platform in (CPO, EMSP):
        stage.report(platform).unlink(missing_ok=True)
        stage.children[platform.kind].process.send_signal(signal.SIGUSR1)
    stage.follow(5, until=lambda: all(stage.report(each).exists() for each in (CPO, EMSP)))
    owned, received = (verdict.read(stage.report(each)) for each in (CPO, EMSP))
    if owned is None or received is None:
        return ["a sandbox platform did not report what it holds"]
    if not verdict.locations(owned):
        return [f"{CPO.party} owns no location"]
    return verdict.differences(verdict.locations(owned), verdict.locations(received))


@contextmanager
def _stage(place: Place, *, usual_port: int) -> Iterator[Stage]:
    """Start the servers and the hub; whatever happens, stop it all."""
    with place.taken(), Family() as family:
        port = ports.wanted(port_from("DEMO_PORT", usual_port), variable="DEMO_PORT")
        began = time.monotonic()
        print("Starting PostgreSQL, Valkey, the hub, its worker and beat …", flush=True)
        hub = Hub(place, _empty(environment.with_servers(family, place, port=port)), family)
        hub.manage("migrate", "--noinput")
        _forget_last_time(hub)
        password = hub.create_admin()
        hub.start()
        print(f"Ready after {time.monotonic() - began:.0f} s.\n{box(hub, password=password)}")
        yield Stage(hub, Story(_say))


def _empty(given: dict[str, str]) -> dict[str, str]:
    """Begin with an empty database on our own server; one we were given is not touched."""
    if environment.is_given("DATABASE_URL"):
        return given
    server = given["DATABASE_URL"]
    postgres.create_database(server, _DATABASE, afresh=True)
    return given | {"DATABASE_URL": server.rpartition("/")[0] + f"/{_DATABASE}"}


def _forget_last_time(hub: Hub) -> None:
    """Take the platforms of an earlier demo out of a database that was given to us."""
    if not environment.is_given("DATABASE_URL"):
        return
    known = {each["name"] for each in json.loads(hub.manage("platforms", "--json"))}
    for platform in (CPO, EMSP):
        if platform.name in known:
            hub.manage("forget_platform", platform.name, "--yes")


def _say(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)
