"""The demo: the hub between a sandbox CPO, two eMSPs and an SCSP, each a process of its own.

The platforms register by the real handshake; then the CPO publishes its Locations and Tariffs, the
eMSPs issue tokens, and their drivers charge: by card, or remotely by app, when the SCSP limits the
power. The check ends with a verdict: do the books balance?
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

from local import beside, environment, ports, postgres
from local.data_dir import CHECKOUT, DataDir
from local.demo import compare_holdings
from local.demo.narrator import Story, Tail
from local.demo.reconcile_cdrs import Books
from local.errors import Trouble
from local.hub import Hub, box, with_roles
from local.processes import Child, Family, Program, until_ctrl_c

_DATABASE = "hub_demo"
_CHECK_UPDATES_PER_SECOND = 20
_REGISTER_SECONDS = 30.0
_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Platform:
    """One of the sandbox platforms."""

    name: str
    role: str

    @property
    def party(self) -> str:
        """Its party as it is written everywhere: NL-CPA."""
        return "-".join(self.role.split(":")[1:])


CPO = Platform("Sandbox CPO", "CPO:NL:CPA")
EMSPS = (Platform("Sandbox eMSP", "EMSP:DE:MSA"), Platform("Other sandbox eMSP", "EMSP:FR:MSB"))
SCSP = Platform("Sandbox SCSP", "SCSP:NL:SCS")
ALL = (*EMSPS, SCSP, CPO)


@dataclass(slots=True)
class Stage:
    """The hub, the platforms on it and the story of their events."""

    hub: Hub
    story: Story
    children: dict[str, Child] = field(default_factory=dict)
    tails: list[Tail] = field(default_factory=list)

    def report(self, platform: Platform) -> Path:
        """Where a platform writes what it holds."""
        return self.hub.data_dir.path / f"{platform.party}.report.json"

    def enter(self, platform: Platform, invitation: dict[str, str], *options: str) -> None:
        """Start an invited platform and wait until it is registered."""
        self.report(platform).unlink(missing_ok=True)
        child = self.hub.family.start(self._program(platform, invitation, *options))
        self.children[platform.party] = child
        self.tails.append(Tail(child.program.log))
        if not self.follow(
            _REGISTER_SECONDS, until=lambda: platform.party in self.story.registered
        ):
            raise Trouble(f"{platform.name} did not register; {child.last_words()}")

    def follow(self, seconds: float, *, until: Callable[[], bool]) -> bool:
        """Narrate until something holds; False when the time is over."""
        return self.hub.family.wait(seconds, until=lambda: self._listen() or until())

    def _listen(self) -> bool:
        for tail in self.tails:
            for event in tail.events():
                self.story.hear(event)
        self.story.narrate()
        return False

    def _program(self, platform: Platform, invitation: dict[str, str], *options: str) -> Program:
        command = [
            *(sys.executable, "-m", "sandbox.demo", "--json"),
            *("--name", platform.name, "--role", platform.role),
            *("--hub", invitation["versions_url"], "--port", str(ports.free())),
            *("--report-json", str(self.report(platform))),
            *options,
        ]
        return Program(
            name=platform.name,
            command=command,
            log=self.hub.data_dir.log(platform.party),
            environment=environment.bare() | {"SANDBOX_TOKEN_A": invitation["token_a"]},
            directory=CHECKOUT,
            orphan_signal=signal.SIGKILL,
        )


def show(data_dir: DataDir, *, seconds: float | None = None) -> int:
    """Run the demo until Ctrl-C, or for so many seconds."""
    with until_ctrl_c(), _stage(data_dir, usual_port=8000) as stage:
        print("Ctrl-C stops everything.\n", flush=True)
        _enter_all(stage)
        stage.follow(seconds or math.inf, until=lambda: False)
    return 0


def check(data_dir: DataDir, *, updates: int, seconds: float) -> int:
    """Run the demo for a bounded time and return 0 when the books balance."""
    with _stage(data_dir, usual_port=ports.free()) as stage:
        deadline = time.monotonic() + seconds
        rate = ("--updates-per-second", str(_CHECK_UPDATES_PER_SECOND))
        _enter_all(stage, "--updates", str(updates), *rate)
        stage.follow(deadline - time.monotonic(), until=lambda: not _unfinished(stage))
        return _verdict(stage, deadline=deadline)


def _enter_all(stage: Stage, *cpo_options: str) -> None:
    """Invite all and let them agree, so that nothing the CPO sends waits for a decision."""
    invitations = {platform: _invite(stage.hub, platform) for platform in ALL}
    for partner in (*EMSPS, SCSP):
        stage.hub.manage("agree", CPO.party, partner.party)
        stage.enter(partner, invitations[partner], "--journey")
    stage.enter(CPO, invitations[CPO], "--smart", SCSP.party, *cpo_options)


def _invite(hub: Hub, platform: Platform) -> dict[str, str]:
    words = ("invite_platform", platform.name, "--role", platform.role, "--json")
    invitation: dict[str, str] = json.loads(hub.manage(*words))
    return invitation


def _unfinished(stage: Stage) -> list[str]:
    return [each.party for each in ALL if each.party not in stage.story.done]


def _verdict(stage: Stage, *, deadline: float) -> int:
    """Compare what all hold until the books balance, or the time is over; say which."""
    books = _books(stage)
    while _faults(stage, books) and time.monotonic() < deadline:
        stage.follow(0.5, until=lambda: False)
        books = _books(stage)
    faults = _faults(stage, books)
    if books is None or faults:
        print("\nNOT BALANCED: what the platforms hold does not fit together")
        print("".join(f"  - {line}\n" for line in faults), end="", flush=True)
        return 1
    print("\nBALANCED: tariffs, locations and tokens are equal on all sides; and each completed")
    print(f"session of {CPO.party} has one CDR, at the right eMSP, that agrees with it:")
    print("".join(f"  - {line}\n" for line in books.totals()), end="")
    print("Every remote order of a driver or the SCSP was carried out.", flush=True)
    return 0


def _faults(stage: Stage, books: Books | None) -> list[str]:
    found = books.faults() if books else ["a sandbox platform did not report what it holds"]
    more = len(found) - _MOST_FAULTS
    shown = found[:_MOST_FAULTS] + ([f"and {more} more"] if more > 0 else [])
    return [f"{party} did not finish in time" for party in _unfinished(stage)] + shown


def _books(stage: Stage) -> Books | None:
    """Have all platforms write down what they hold."""
    for platform in ALL:
        stage.report(platform).unlink(missing_ok=True)
        stage.children[platform.party].process.send_signal(signal.SIGUSR1)
    stage.follow(5, until=lambda: all(stage.report(each).exists() for each in ALL))
    cpo, scsp = compare_holdings.read(stage.report(CPO)), compare_holdings.read(stage.report(SCSP))
    emsps = [report for each in EMSPS if (report := compare_holdings.read(stage.report(each)))]
    return Books(cpo, emsps, scsp) if cpo and scsp and len(emsps) == len(EMSPS) else None


@contextmanager
def _stage(data_dir: DataDir, *, usual_port: int) -> Iterator[Stage]:
    """Start the servers and the hub; whatever happens, stop it all."""
    with data_dir.locked(), Family() as family:
        port = _port(usual_port)
        began = time.monotonic()
        print("Starting PostgreSQL, Valkey, the hub, its worker and beat …", flush=True)
        given = _empty(environment.with_servers(family, data_dir, port=port))
        hub = with_roles(data_dir, given, family)
        hub.migrate()
        _forget_last_time(hub)
        admin = hub.create_admin()
        hub.start()
        with beside.told(data_dir, hub.environment, owner=hub.owner):
            print(f"Ready after {time.monotonic() - began:.0f} s.\n{box(hub, admin)}", flush=True)
            yield Stage(hub, Story(_say))


def _port(usual: int) -> int:
    """Return where the hub listens: DEMO_PORT is for the demo alone, HUB_BIND_PORT for any hub."""
    given = [name for name in ("DEMO_PORT", "HUB_BIND_PORT") if environment.is_given(name)]
    variable = next(iter(given), "DEMO_PORT")
    return ports.usable_port(environment.port_from(variable, usual), variable=variable)


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
    for platform in ALL:
        if platform.name in known:
            hub.manage("forget_platform", platform.name, "--yes")


def _say(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)
