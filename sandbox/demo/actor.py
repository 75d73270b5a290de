"""What every demo process does, whatever its role: push, wait, and ask others for something.

Spec: 2.2.1 mod_commands, mod_charging_profiles: the result of an order comes later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from time import monotonic, time
from typing import Any, Protocol
from urllib.parse import urlsplit

from requests import RequestException

from ocpi.transport.message_ids import CORRELATION_ID, MessageIds
from ocpi.types import ModuleID, PartyRef
from sandbox.client import Result
from sandbox.demo.events import Events
from sandbox.demo.push import Message, Pusher
from sandbox.demo.signals import Signals
from sandbox.object_store import read_object
from sandbox.platform import SandboxPlatform
from sandbox.recorder import Seen

GLANCE_SECONDS = 0.2
"""Between two looks at whether what is waited for holds."""
RESULT_SECONDS = 30.0
"""How long the result of an order is waited for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demo process is to do.

    `updates` None means without end; `patience` is how many seconds the hub may take to be up;
    `smart` is the SCSP that is shown the sessions of apps; `journey`: a driver charges by app;
    `report` is the file in which the platform writes down what it holds.
    """

    hub: str
    token_a: str
    locations: int = 5
    evses: int = 3
    tokens: int = 6
    updates_per_second: float = 2.0
    updates: int | None = None
    seed: int = 1
    patience: float = 60.0
    smart: PartyRef | None = None
    journey: bool = False
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One order: `name` is what it is called among people, `text` what it is about."""

    name: str
    method: str
    module: ModuleID
    suffix: str
    text: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, Any] = field(default_factory=dict)

    def with_results_at(self, url: str) -> "Request":
        """Name this response_url in its body, or in its query when it has none."""
        added = {"response_url": url}
        if self.body is None:
            return replace(self, query={**self.query, **added})
        return replace(self, body={**self.body, **added})


@dataclass(slots=True)
class Actor:
    """The means of one process, and the outcomes of its orders by name."""

    platform: SandboxPlatform
    plan: Plan
    events: Events
    signals: Signals
    pusher: Pusher
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    _results: dict[str, Seen] = field(default_factory=dict)

    def push(
        self, method: str, module: str, party: PartyRef, body: Mapping[str, Any], *, text: str = ""
    ) -> None:
        """Push an own object to the hub."""
        kind = self.platform.own[module].kind
        variant = str(body[kind.variant.member]) if kind.variant else ""
        ids = (str(body[kind.id_field]),)
        self.pusher.push(Message(method, module, party, ids, body, variant, text))

    def step(self, text: str, correlation_id: str, *, at: float | None = None) -> None:
        """Print one step of a driver's journey."""
        self.events.emit("step", text=text, correlation_id=correlation_id, at=at)

    def wait_until(self, holds: Callable[[], object], seconds: float = inf) -> bool:
        """Wait until something holds; False when it never did."""
        deadline = monotonic() + seconds
        while not holds():
            if monotonic() > deadline or self.signals.wait(GLANCE_SECONDS):
                return False
        return True

    def order(self, party: PartyRef, request: Request) -> str:
        """Ask for something, wait for its result, and print both; addressed to nobody."""
        url = self.platform.response_url(request.module)
        at_once = self._ask(party, request.with_results_at(url))
        if at_once != "ACCEPTED":
            return at_once
        path = urlsplit(url).path
        if not self.wait_until(lambda: path in self._results, RESULT_SECONDS):
            return "TIMEOUT"
        seen = self._results.pop(path)
        outcome = str(read_object(seen.body).get("result"))
        correlation_id = MessageIds.read(seen.headers).correlation_id
        self.step(f"{request.name} {request.text}: the result is {outcome}", correlation_id)
        self.outcomes.setdefault(request.name, []).append(outcome)
        return outcome

    def note_result(self, seen: Seen) -> None:
        """Keep the result of an order."""
        self._results[seen.route] = seen

    def _ask(self, party: PartyRef, request: Request) -> str:
        ids, at = MessageIds.new(), time()
        try:
            result = self._send(party, request, ids)
        except RequestException as error:
            answer = type(error).__name__
        else:
            data = result.data
            answer = str(data.get("result")) if isinstance(data, dict) else str(result)
        self.step(f"{request.name} {request.text}: {answer}", ids.correlation_id, at=at)
        return answer

    def _send(self, party: PartyRef, request: Request, ids: MessageIds) -> Result:
        return self.platform.hub.send(
            request.method,
            request.module,
            "RECEIVER",
            request.suffix,
            request.body,
            query=request.query,
            to=None,
            sender=party,
            **{CORRELATION_ID: ids.correlation_id},
        )


class Business(Protocol):
    """What a process does in one role."""

    def open(self) -> None:
        """Show what there is; the other roles of the process have not begun yet."""

    def go_on(self) -> None:
        """Do the rest, until it is done or the process is to end."""
