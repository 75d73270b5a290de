"""The business of a CPO in the demo: it shows what it has, sells charging and takes orders.

Spec: 2.2.1 mod_tokens (real-time authorization), mod_commands. Before a car charges, the issuer of
the tapped card is asked; where nobody answers, the token's whitelist rule decides.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from time import monotonic
from typing import Any
from urllib.parse import quote

from requests import RequestException

from ocpi.status_codes import StatusCode
from ocpi.transport.message_ids import CORRELATION_ID, MessageIds
from ocpi.types import PartyRef, format_datetime
from sandbox.client import HubClient, Result
from sandbox.command_results import reservation
from sandbox.commands import Order
from sandbox.demo.actor import Actor
from sandbox.demo.charging import ChargingEvent, ChargingStations, Declined, EvseRef, now
from sandbox.demo.locations import location
from sandbox.demo.push import Message
from sandbox.demo.session import ChargingPlace
from sandbox.demo.tariffs import OUTDATED, tariffs
from sandbox.demo.tokens import TYPES, Permission, by_whitelist, masked
from sandbox.object_store import read_object
from sandbox.platform import object_path

WITHDRAWN_AFTER = 10
"""How many events the outdated tariff outlives."""
OFFLINE = ("ALWAYS", "ALLOWED_OFFLINE")
"""Whitelists that let a driver charge when nobody can be asked."""


@dataclass(slots=True)
class CpoBusiness:
    """The CPO's side of one process, for all the operators it hosts."""

    actor: Actor
    operators: list[PartyRef]
    charging: ChargingStations = field(init=False)

    def __post_init__(self) -> None:
        """Open the stations, and take orders."""
        platform = self.actor.platform
        self.charging = ChargingStations(
            platform.own, platform.objects["tokens"], self.actor.plan.seed, authorize=self._ask
        )
        platform.desk.fulfil = lambda order: self.actor.signals.add_errand(
            lambda: self._fulfil(order)
        )

    def open(self) -> None:
        """Show tariffs and locations."""
        for party in self.operators:
            for each in tariffs(party, format_datetime(now())):
                self.actor.push("PUT", "tariffs", party, each, text=f"offers tariff {each['id']}")
            for index in range(1, self.actor.plan.locations + 1):
                made = location(index, party, self.actor.plan.evses, seed=self.actor.plan.seed)
                self.actor.push("PUT", "locations", party, made)

    def go_on(self) -> None:
        """Let things happen at the planned rate; what is late is not made up for by a burst."""
        if not (self.actor.plan.locations and self.actor.plan.evses):
            return
        for number in self._beats():
            if number == WITHDRAWN_AFTER:
                self._withdraw()
            self._carry_through(self.charging.next_event())

    def _withdraw(self) -> None:
        for party in self.operators:
            text = f"withdrew tariff {OUTDATED}"
            self.actor.pusher.push(Message("DELETE", "tariffs", party, (OUTDATED,), text=text))

    def _beats(self) -> Iterator[int]:
        pause = 1 / self.actor.plan.updates_per_second
        due = monotonic()
        for number in islice(count(1), self.actor.plan.updates):
            due = max(due + pause, monotonic())
            if self.actor.signals.run_errands(due - monotonic()):
                return
            yield number

    def _carry_through(self, event: ChargingEvent) -> None:
        if event.turned_away:
            self.actor.events.emit("turned_away", text=event.turned_away)
        for message in event.messages:
            self.actor.pusher.push(message)
            if message.module == "sessions":
                self._show(message.owner, message.ids[0])

    def _show(self, owner: PartyRef, name: str) -> None:
        """Show the SCSP a session that a driver started by app."""
        text, to = self.actor.platform.own["sessions"].get_text(owner, name), self.actor.plan.smart
        session = read_object(text)
        by_app = session["auth_method"] == "COMMAND" and session["status"] != "PENDING"
        if to is None or not by_app:
            return
        ids = MessageIds.new()
        path = object_path(owner, name)
        headers = {CORRELATION_ID: ids.correlation_id}
        answer = self._try(
            lambda hub: hub.put("sessions", "RECEIVER", path, text, to=to, sender=owner, **headers)
        )
        self.actor.step(f"shows {name} {session['status']} to {to}: {answer}", ids.correlation_id)

    # --- drivers -------------------------------------------------------------------------------

    def _ask(self, place: ChargingPlace, uid: str, token: Mapping[str, Any] | None) -> Permission:
        """Ask the eMSP that issued this card; the message names none, the hub finds it."""
        ids = MessageIds.new()
        where = {"location_id": place.location["id"], "evse_uids": [place.evse["uid"]]}
        owner = PartyRef(place.location["country_code"], place.location["party_id"])
        try:
            result = self.actor.platform.hub.post(
                "tokens",
                "SENDER",
                f"{quote(uid, safe='')}/authorize",
                where,
                query={"type": TYPES[0]},
                sender=owner,
                **{CORRELATION_ID: ids.correlation_id},
            )
        except RequestException:
            return _offline(token)
        text = f"asked about the tap of {masked(uid)} at {place}: {_said(result)}"
        took = f"in {result.elapsed * 1000:.0f} ms"
        self.actor.step(f"{text} {took}", ids.correlation_id)
        return _permission(uid, token, result)

    # --- orders --------------------------------------------------------------------------------

    def _fulfil(self, order: Order) -> None:
        result = self._carry_out(order)
        answer = self._try(lambda _: self.actor.platform.desk.send_result(order, result))
        if answer != str(int(StatusCode.SUCCESS)):
            self.actor.step(
                f"cannot send the result of {order.kind}: {answer}", order.correlation_id
            )

    def _carry_out(self, order: Order) -> Mapping[str, Any]:
        actions: dict[str, Callable[[Order], ChargingEvent]] = {
            "START_SESSION": self._start,
            "STOP_SESSION": lambda each: self.charging.stop(each.named("session_id")),
            "RESERVE_NOW": lambda each: self.charging.reserve(self._evse(each), reservation(each)),
            "CANCEL_RESERVATION": lambda each: self.charging.cancel(reservation(each)),
        }
        if order.kind not in actions:
            return self.actor.platform.desk.outcomes.of(order)
        try:
            self._carry_through(actions[order.kind](order))
        except Declined as declined:
            return {"result": str(declined)}
        return {"result": "ACCEPTED"}

    def _start(self, order: Order) -> ChargingEvent:
        permission = Permission(
            order.content["token"], "COMMAND", order.named("authorization_reference")
        )
        return self.charging.start(self._evse(order), permission, str(order.seen.sender))

    def _evse(self, order: Order) -> EvseRef:
        return self.charging.find_evse(order.named("location_id"), order.named("evse_uid"))

    def _try(self, send: Callable[[HubClient], Result]) -> str:
        """Send something once; say how it was answered."""
        try:
            result = send(self.actor.platform.hub)
        except RequestException as error:
            return type(error).__name__
        return str(result.status_code) if result.succeeded else str(result)


def _word(result: Result) -> str:
    """Read ALLOWED, BLOCKED …; empty when the answer has no such word."""
    data = result.data if result.succeeded else None
    return str(data.get("allowed") or "") if isinstance(data, dict) else ""


def _said(result: Result) -> str:
    """Say `DE-MSA says ALLOWED`, or why nobody said anything."""
    if not _word(result):
        return str(result)
    token = result.data["token"]
    return f"{token['country_code']}-{token['party_id']} says {_word(result)}"


def _permission(uid: str, token: Mapping[str, Any] | None, result: Result) -> Permission:
    """Make the most of an answer; without one the whitelist rules apply."""
    word = _word(result)
    if word == "ALLOWED":
        reference = str(result.data.get("authorization_reference") or "")
        return Permission(result.data["token"], "AUTH_REQUEST", reference)
    if word:
        return Permission(None, reason=f"token {masked(uid)} is {word.lower()}")
    if result.status_code == StatusCode.UNKNOWN_TOKEN:
        return Permission(None, reason=f"nobody knows token {masked(uid)}")
    return _offline(token)


def _offline(token: Mapping[str, Any] | None) -> Permission:
    if token is not None and token["whitelist"] not in OFFLINE:
        return Permission(None, reason="nobody could be asked")
    return by_whitelist(token)
