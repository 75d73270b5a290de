"""The attack on a living hub: who takes part, what is sent, and what is measured beside it."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import psycopg

from ocpi.transport.authorization import header
from ocpi.types import PartyRef
from sandbox.platform import SandboxPlatform
from tests.cast import ROLES
from tests.e2e.hub_processes import Hub
from tests.hostile import requests
from tests.hostile.ledger import Ledger
from tests.hostile.operator import console, manage
from tests.hostile.peer import Hostility
from tests.hostile.replay import Shot, replay

BAD, MIX = PartyRef("DE", "BAD"), PartyRef("BE", "MIX")
_ROLES = {"P4": ROLES["P4"], "bad": [("CPO", "DE", "BAD"), ("EMSP", "DE", "BAD")]}
_OF_THE_CONSOLE = 0.008
"""So many of the inputs are for the console, whose pages cost fifty times as much."""
_STRANGERS = "SELECT count(*) FROM hub_exchange WHERE platform = '' AND direction = 'in'"
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """A living hub, a party that sends hostile messages, one that answers so, an operator."""

    hub: Hub
    sender: requests.Sender
    console: requests.Console
    hostility: Hostility
    canary: bytes


def attack(hub: Hub, *, seed: int, inputs: int, tell: Tell = lambda _: None) -> Ledger:
    """Replay the inputs of a seed against a hub; what it grew by is measured after a warm-up."""
    ledger = Ledger()
    with _scene(hub, Random(seed)) as scene:
        shots = _shots(scene, Random(seed), inputs)
        _replay(scene, islice(shots, inputs // 20), ledger, tell)
        before = _megabytes(hub)
        with _pulling(hub):
            _replay(scene, shots, ledger, tell)
        ledger.grown = {name: size - before.get(name, 0) for name, size in _megabytes(hub).items()}
        ledger.add_many("answers of a hostile peer", scene.hostility.answers)
    ledger.died = sum(child.ended() is not None for child in hub.children.values())
    with psycopg.connect(hub.servers.database_url) as connection:
        [ledger.strangers_rows] = connection.execute(_STRANGERS).fetchone() or [0]
    return ledger


@contextmanager
def _scene(hub: Hub, chance: Random) -> Iterator[Scene]:
    """Register who takes part, with agreements between them, and sit an operator down."""
    with ExitStack() as stack:
        for name, roles in _ROLES.items():
            manage(hub, "invite_platform", name, *[f"--role={':'.join(role)}" for role in roles])
            platform = stack.enter_context(SandboxPlatform(roles))
            platform.register_with(f"{hub.url}/ocpi/versions", _token_a(hub, name))
            hub.platforms[name] = platform
        for pair in (("BE-MIX", "DE-BAD"), ("DE-BAD", "BE-MIX"), ("NL-CPA", "BE-MIX")):
            manage(hub, "agree", *pair)
        host = urlsplit(hub.url).netloc
        sender = requests.Sender(
            MIX, hub.platforms["P4"].hub.token, host, (BAD, PartyRef("NL", "CPA"))
        )
        hostility = Hostility(hub.platforms["bad"], chance)
        hostility.begin()
        yield Scene(hub, sender, console(hub), hostility, _canary(hub, host))


def _token_a(hub: Hub, name: str) -> str:
    """Issue a token A; a new one ends the one before."""
    return str(json.loads(manage(hub, "invite_platform", name, "--json"))["token_a"])


def _canary(hub: Hub, host: str) -> bytes:
    """Write what a platform asks that has done nothing wrong: a page of Locations."""
    lines = [
        (b"Host", host.encode()),
        (b"Authorization", header(hub.platforms["P3"].hub.token).encode()),
    ]
    return requests.write(b"GET", b"/ocpi/2.2.1/sender/locations?limit=5", lines, b"")


def _shots(scene: Scene, chance: Random, inputs: int) -> Iterator[Shot]:
    """Draw kinds by their weights, and one input of each."""
    kinds = list(requests.BY_PLATFORMS)
    weights = [weight for _, weight in requests.BY_PLATFORMS.values()]
    for _ in range(inputs):
        if chance.random() < _OF_THE_CONSOLE:
            yield _of_the_console(scene, chance)
        else:
            [kind] = chance.choices(kinds, weights)
            yield kind, requests.BY_PLATFORMS[kind][0](chance, scene.sender)


def _of_the_console(scene: Scene, chance: Random) -> Shot:
    if chance.random() < 0.8:
        return "console pages", requests.console_pages(chance, scene.console)
    return "console forms, CSV", requests.console_forms(chance, scene.console)


def _replay(scene: Scene, shots: Iterator[Shot], ledger: Ledger, tell: Tell) -> None:
    asyncio.run(replay(scene.hub.url, shots, scene.canary, ledger, lambda: tell(ledger.total)))


@contextmanager
def _pulling(hub: Hub) -> Iterator[None]:
    """Read the hostile platform's lists, again and again."""
    over = threading.Event()

    def pull() -> None:
        while not over.wait(1):
            with suppress(subprocess.CalledProcessError):  # a list of that kind is never whole
                manage(hub, "pull", str(BAD), "--full", "--json")

    thread = threading.Thread(target=pull)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _megabytes(hub: Hub) -> dict[str, float]:
    """Return the resident size of every process of the hub, its own children included."""
    return {
        name: sum(map(_resident, (child.process.pid, *_children(child.process.pid)))) / 2**20
        for name, child in hub.children.items()
    }


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return list(map(int, found.split()))


def _resident(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4_096
