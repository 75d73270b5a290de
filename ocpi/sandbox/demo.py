"""The life of one demo process: register, push locations and status changes, keep what comes.

Locations chapter, flow and lifecycle: the owner PUTs its locations and PATCHes what changes.
"""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count, islice
from pathlib import Path
from time import monotonic, time
from typing import Any

from requests import RequestException

from ocpi.errors import NotFound, OcpiError
from ocpi.sandbox.catalogue import location
from ocpi.sandbox.charging import Change, Charging
from ocpi.sandbox.events import Events
from ocpi.sandbox.hub_client import Refused, Result
from ocpi.sandbox.platform import SandboxPlatform, object_path
from ocpi.sandbox.seen import Seen
from ocpi.sandbox.server import Answer
from ocpi.sandbox.shelf import read_object, write_object
from ocpi.sandbox.signals import Signals
from ocpi.status_codes import StatusCode
from ocpi.transport.message_ids import MessageIds
from ocpi.types import ModuleID, PartyRef, Role

RETRY_SECONDS = 0.5
PUSHES = ("PUT", "PATCH", "POST", "DELETE")
LOCATIONS = "locations"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demo process is to do; `updates` None means without end."""

    hub: str
    token_a: str
    locations: int = 5
    evses: int = 3
    updates_per_second: float = 2.0
    updates: int | None = None
    seed: int = 1
    patience: float = 60.0
    report: Path | None = None


@dataclass(slots=True)
class Demo:
    """One process and its counters: pushes accepted by the hub, pushes accepted from it."""

    platform: SandboxPlatform
    plan: Plan
    events: Events
    sent: int = 0
    received: int = 0
    signals: Signals = field(init=False)

    def __post_init__(self) -> None:
        """Listen to the signals and to what the platform answers."""
        self.signals = Signals(self.write_report)
        self.platform.watchers.append(self._watch)

    def run(self) -> int:
        """Live until SIGTERM or SIGINT; the exit code."""
        self.signals.install()
        with self.platform:
            registered = self._register()
            if registered:
                self._push_all()
                self.signals.wait()
        self.write_report()
        self.events.tell("stopped")
        return 0 if registered or self.signals.ended else 1

    def write_report(self) -> None:
        """Write what this platform holds, all at once."""
        if self.plan.report is None:
            return
        own, received = self.platform.own, self.platform.objects
        report = {
            "party": str(self.platform.party),
            "objects": {
                module: own[module].objects() | received[module].objects() for module in own
            },
            "sent": self.sent,
            "received": self.received,
        }
        part = self.plan.report.with_name(self.plan.report.name + ".part")
        part.write_text(json.dumps(report, indent=1, sort_keys=True))
        part.replace(self.plan.report)
        self.events.tell("report", path=str(self.plan.report))

    # --- registering -----------------------------------------------------------------------------

    def _register(self) -> bool:
        """Register, waiting for a hub that is not up yet, but not for ever."""
        deadline = monotonic() + self.plan.patience
        while not self.signals.ended:
            try:
                self.platform.register_with(self.plan.hub, self.plan.token_a)
            except (RequestException, Refused, OcpiError, LookupError) as error:
                if not _may_pass(error) or monotonic() > deadline:
                    self.events.tell("failed", reason=str(error))
                    return False
                self.events.tell("waiting", reason=type(error).__name__)
                self.signals.wait(RETRY_SECONDS)
            else:
                found = self.platform.hub.connected
                self.events.tell("registered", hub=str(found.party), version=found.version)
                return True
        return False

    # --- pushing ---------------------------------------------------------------------------------

    def _push_all(self) -> None:
        operators = [party for role, party in self.platform.roles if role is Role.CPO]
        for party in operators:
            for index in range(1, self.plan.locations + 1):
                self._put_new(party, index)
        if operators and self.plan.locations and self.plan.evses:
            self._stream()

    def _put_new(self, party: PartyRef, index: int) -> None:
        value = location(index, party, self.plan.evses, seed=self.plan.seed)
        text = write_object(value)
        self.platform.own[LOCATIONS].put(party, value["id"], body=text)
        self._push("PUT", party, (value["id"],), text)

    def _stream(self) -> None:
        """Send changes at the planned rate; a late one is not made up for by a burst."""
        changes = Charging(self.platform.own[LOCATIONS], self.plan.seed)
        pause = 1 / self.plan.updates_per_second
        due = monotonic()
        for _ in islice(count(), self.plan.updates):
            due = max(due + pause, monotonic())
            if self.signals.wait(due - monotonic()):
                return
            self._send_change(changes.next())
        self.events.tell("done", sent=self.sent)

    def _send_change(self, change: Change) -> None:
        text = write_object(dict(change.patch))
        shelf = self.platform.own[LOCATIONS]
        whole = shelf.patch(change.owner, *change.ids, body=text)
        if not self._push("PATCH", change.owner, change.ids, text):
            # What the hub does not know, or lost track of, it is told as a whole.
            self._push("PUT", change.owner, change.ids[:1], whole)

    def _push(self, method: str, owner: PartyRef, ids: tuple[str, ...], text: str) -> bool:
        """Push until the hub has answered for good, or the process is to end."""
        hub, path = self.platform.hub, object_path(owner, *ids)
        correlation_id = MessageIds.new().correlation_id
        told: dict[str, Any] = {
            "method": method,
            "path": path,
            "correlation_id": correlation_id,
        }
        headers = {"X-Correlation-ID": correlation_id}
        while not self.signals.ended:
            at = time()
            try:
                result = hub.send(
                    method, LOCATIONS, "RECEIVER", path, text, to=hub.party, sender=owner, **headers
                )
            except RequestException as error:
                self.events.tell("retry", reason=type(error).__name__, **told)
            else:
                if not _passing(result):
                    return self._answered(result, text, at=at, told=told)
                self.events.tell("retry", reason=str(result), **told)
            self.signals.wait(RETRY_SECONDS)
        return True

    def _answered(self, result: Result, text: str, *, at: float, told: dict[str, Any]) -> bool:
        self.sent += result.succeeded
        self.events.tell(
            told["method"].lower() if result.succeeded else "refused",
            at=at,
            status=read_object(text).get("status", ""),
            status_code=result.status_code,
            reason="" if result.succeeded else str(result),
            **told,
        )
        return result.succeeded

    # --- receiving -------------------------------------------------------------------------------

    def _watch(self, seen: Seen, answer: Answer) -> None:
        if seen.method not in PUSHES:
            return
        try:
            place = self.platform.addresses.find(seen.route)
        except NotFound:
            return
        if place.module is ModuleID.CREDENTIALS:
            return
        status_code = read_object(answer.body).get("status_code")
        accepted = status_code == StatusCode.SUCCESS
        self.received += accepted
        self.events.tell(
            "received" if accepted else "refused",
            at=seen.unix,
            method=seen.method,
            module=place.module,
            path="/".join(place.rest),
            status=_status(seen),
            correlation_id=MessageIds.read(seen.headers).correlation_id,
            status_code=status_code,
        )


def _status(seen: Seen) -> object:
    try:
        return read_object(seen.body).get("status", "")
    except OcpiError:
        return ""


def _passing(result: Result) -> bool:
    """Whether trying again later may help: the hub itself failed."""
    return result.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR or _is_server_error(result)


def _is_server_error(result: Result) -> bool:
    code = result.status_code or 0
    return StatusCode.SERVER_ERROR <= code < StatusCode.HUB_ERROR


def _may_pass(error: Exception) -> bool:
    """Whether a registration may succeed later: the hub is not up, or not well."""
    if isinstance(error, Refused):
        return _passing(error.result)
    return isinstance(error, RequestException)
