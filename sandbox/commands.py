"""The commands a CPO gets, and requests about charging profiles: the answer at once.

Spec: 2.2.1 mod_commands, mod_charging_profiles. The result of an accepted one is sent later, to its
`response_url`.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

from requests import RequestException

from ocpi.errors import InvalidParameters, UnknownLocation
from ocpi.modules import Match
from ocpi.transport.message_ids import CORRELATION_ID, MessageIds
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID, PartyRef, fold
from sandbox.client import HubClient, Result
from sandbox.command_results import CommandResults
from sandbox.object_store import ObjectStore, read_object
from sandbox.patch import Json, elements
from sandbox.quirks import Quirks
from sandbox.recorder import Seen
from sandbox.server import Answer

TIMEOUT = 30
"""How many seconds a result may take."""
_AT_LOCATION = frozenset({"START_SESSION", "RESERVE_NOW", "UNLOCK_CONNECTOR"})


@dataclass(frozen=True, slots=True)
class Order:
    """One request: `kind` is the command, or the method of a request about a profile.

    `content` is its body or its query, with the session_id of its path.
    """

    module: ModuleID
    kind: str
    content: Mapping[str, Any]
    seen: Seen

    @property
    def response_url(self) -> str:
        """Where its results go."""
        return str(self.content["response_url"])

    @property
    def correlation_id(self) -> str:
        """The id of the exchange it began."""
        return MessageIds.read(self.seen.headers).correlation_id

    def named(self, member: str) -> str:
        """Give the id under this member; empty when it names none."""
        return str(self.content.get(member) or "")


def read_order(module: ModuleID, match: Match, seen: Seen) -> Order:
    """Read an order; raises `InvalidParameters` when its result could be sent nowhere."""
    said = read_object(seen.body) if seen.method in ("POST", "PUT") else seen.query
    content = {**said, **match.values}
    if not isinstance(content.get("response_url"), str):
        raise InvalidParameters("response_url: missing")
    return Order(module, match.resource.request(seen.method), content, seen)


class DelayedWork:
    """Does work a little later, each in a thread of its own; none begins once it is stopped."""

    def __init__(self) -> None:
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._lock = Lock()

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do this after so many seconds."""
        thread = Thread(target=self._run, args=(seconds, work), name="delayed")
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()]
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Join every thread; afterwards it takes work again."""
        self._stopping.set()
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        self._stopping.clear()

    def _run(self, seconds: float, work: Callable[[], None]) -> None:
        if not self._stopping.wait(seconds):
            work()


class OrderDesk:
    """Answers the orders a platform gets, and sends their results.

    `taken` are those it accepted. `fulfil` sends the result of one, `results_after` seconds after
    the answer; None leaves that to the test.
    """

    def __init__(
        self,
        quirks: Quirks,
        parties: frozenset[PartyRef],
        own: Mapping[str, ObjectStore],
        hub: HubClient,
    ) -> None:
        self.outcomes = CommandResults()
        self.taken: list[Order] = []
        self.results_after: float | None = 0.05
        self.fulfil: Callable[[Order], None] = self._fulfil
        self._quirks, self._parties, self._own, self._hub = quirks, parties, own, hub
        self._delayed = DelayedWork()

    def answer(self, order: Order) -> Answer:
        """Say at once whether an order is carried out."""
        result = self._verdict(order)
        if result == "ACCEPTED":
            self.taken.append(order)
            if self.results_after is not None:
                self._delayed.later(self.results_after, lambda: self.fulfil(order))
        return self._quirks.success({"result": result, "timeout": TIMEOUT})

    def send_result(self, order: Order, result: Mapping[str, Any]) -> Result:
        """POST the result of an order to its response_url, bare, with its correlation id."""
        routing = RoutingHeaders(to=order.seen.sender, sender=order.seen.to).as_headers()
        headers = {**routing, CORRELATION_ID: order.correlation_id}
        return self._hub.call("POST", order.response_url, result, **headers)

    def stop(self) -> None:
        """Join every thread; results that are not due yet are not sent."""
        self._delayed.stop()

    def _fulfil(self, order: Order) -> None:
        with suppress(RequestException, LookupError):  # what nobody takes is not sent again
            self.send_result(order, self.outcomes.of(order))

    def _verdict(self, order: Order) -> str:
        to = order.seen.to
        if order.kind in _AT_LOCATION:
            self._check_location(order)
        elif "session_id" in order.content:
            session = self._find("sessions", order.named("session_id"), to)
            if session is None or session.get("status") == "COMPLETED":
                return "UNKNOWN_SESSION"
        return "TOO_OFTEN" if self.outcomes.is_too_often(order) else "ACCEPTED"

    def _check_location(self, order: Order) -> None:
        """Refuse a Location or EVSE that is not ours (A-105)."""
        location = self._find("locations", order.named("location_id"), order.seen.to)
        uid = order.named("evse_uid")
        evses = elements(location, "evses") if location else []
        if location is None or (uid and fold(uid) not in {fold(str(e["uid"])) for e in evses}):
            data = json.dumps({"result": "REJECTED", "timeout": 0}).encode()
            raise UnknownLocation(data=data)

    def _find(self, module: str, identifier: str, to: PartyRef | None) -> Json | None:
        store = self._own.get(module)
        return store.find(identifier, to if to in self._parties else None) if store else None
