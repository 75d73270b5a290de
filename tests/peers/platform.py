"""A peer that runs: its process, what it shows of itself, and the hub's commands about it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from local import ports
from local.processes import Family, Program
from ocpi.types import PartyRef
from tests.e2e.hub_processes import CHECKOUT, Hub
from tests.peers.registry import Peer
from tests.peers.verdicts import Exchange

PATIENCE = 12.0
"""Seconds for what is to arrive."""
TOKEN_A = "token-a-of-the-laboratory"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Running:
    """A peer's process as one platform of the hub, with a role and a party."""

    hub: Hub
    name: str
    role: str
    party: PartyRef
    url: str

    @property
    def kept(self) -> dict[str, Json]:
        """What it has, by module and id."""
        kept: dict[str, Json] = self._ask("GET", "/laboratory")["kept"]
        return kept

    def has(self, module: str, identifier: str) -> bool:
        """Whether an object arrives within the patience of the laboratory."""
        return until(lambda: identifier in self.kept.get(module, {}))

    def own(self, module: str, value: Json) -> None:
        """Give it an object of its own."""
        self._ask("PUT", f"/laboratory/own/{module}", value)

    def push(self, module: str, identifier: str, versions_url: str) -> Json:
        """Let it push an object of its own to the hub by its own client."""
        shown = self._ask("GET", "/laboratory")
        receiver = {"endpoints_url": versions_url, "auth_token": shown["hub_token"]}
        body = {"module_id": module, "object_id": identifier, "receivers": [receiver]}
        return self._ask("POST", "/push/2.2.1", body, token=shown["token_c"][0])

    def register(self) -> str:
        """Let it register with the hub by what it says of itself; return why not, or nothing."""
        invited, complaint = manage(self.hub, "invite_platform", self.name, self._role)
        if complaint:
            return complaint
        given = {"versions_url": invited["versions_url"], "token": invited["token_a"]}
        answer = self._ask("POST", "/laboratory/register", given)
        return "" if answer.get("status_code") == 1000 else str(answer)

    def be_registered(self) -> str:
        """Let the hub register with it; return why not, or nothing."""
        words = ["register_platform", self.name, "--versions-url", f"{self.url}/ocpi/versions"]
        return manage(self.hub, *words, self._role, "--token-a", TOKEN_A)[1]

    @property
    def _role(self) -> str:
        return f"--role={self.role}:{self.party.country_code}:{self.party.party_id}"

    def _ask(self, method: str, path: str, body: Json | None = None, token: str = "") -> Json:
        text = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Token {b64encode(token.encode()).decode()}"
        asked = urllib.request.Request(  # noqa: S310 - our own
            f"{self.url}{path}", text, headers, method=method
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
            found: Json = json.load(answer)
            return found


@contextmanager
def running(peer: Peer, python: Path, hub: Hub, role: str, party: PartyRef) -> Iterator[Running]:
    """Run a peer's program in its environment."""
    port = ports.free()
    host = f"{ports.HOST}:{port}"
    own = {
        "OCPI_HOST": host,
        "PROTOCOL": "http",
        "COUNTRY_CODE": party.country_code,
        "PARTY_ID": party.party_id,
    }
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with Family() as family:
        program = Program(
            name=f"{peer.name} as {role}",
            command=[python, "-P", str(peer.program), peer.package, role, str(port), TOKEN_A],
            log=hub.folder / f"{peer.name}-{role}.log",
            environment={**outside, **own},
            directory=hub.folder,
        )
        family.start(program)
        family.wait(30, until=lambda: not ports.is_free(port))
        yield Running(hub, program.name, role, party, f"http://{host}")


def manage(hub: Hub, *arguments: str) -> tuple[Any, str]:
    """Run one of the hub's commands; return what it says as JSON, or None and its complaint."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json"],
        env=hub.environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return None, done.stderr.strip().rpartition("\n")[2]
    return json.loads(done.stdout), ""


def said(peer: Running, since: float) -> list[Exchange]:
    """Return what the hub said to a peer, and all said to the hub, since a moment; oldest first."""
    time.sleep(_LOG_SECONDS)
    rows, _ = manage(peer.hub, "log", "--limit", "200", "--since", "10m")
    return [
        Exchange.of_log(row)
        for row in rows or []
        if _moment(row["at"]) >= since
        and (row["direction"] == "in" or row["platform"] == peer.name)
    ]


_LOG_SECONDS = 2.0
"""Within which the hub's log is written."""


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something is so; return whether it came to that."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
