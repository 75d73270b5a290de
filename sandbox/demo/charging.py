"""What happens at the charging stations: cars come and go, drivers with a good token on a session.

Locations chapter, EVSE status; sessions and CDRs chapters; commands chapter. Now and then a station
breaks and is repaired. Who may not charge starts no session; who starts from afar stops from afar.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from ocpi.types import PartyRef, fold, format_datetime
from sandbox.demo import session as demo_session
from sandbox.demo.push import Message
from sandbox.demo.session import ChargingPlace
from sandbox.demo.tokens import TYPES, Permission, by_whitelist
from sandbox.object_store import ObjectStore, read_object
from sandbox.patch import elements

Json = dict[str, Any]
NEXT_STATUS = {
    "AVAILABLE": ("CHARGING",) * 9 + ("OUTOFORDER",),
    "CHARGING": ("AVAILABLE",) * 19 + ("OUTOFORDER",),
    "OUTOFORDER": ("AVAILABLE",),
}
ROAMING = 0.6
"""How many of those who come show a token; the others pay at the station."""
ATTENTION = 0.4
"""How much of what happens happens to sessions under way."""
STRANGERS = 0.08
"""How many of the tokens shown nobody has issued."""


@dataclass(frozen=True, slots=True)
class ChargingEvent:
    """What one moment brings: messages to send in this order, or somebody turned away."""

    messages: tuple[Message, ...] = ()
    turned_away: str = ""


@dataclass(slots=True)
class Stay:
    """A session under way: what is still to be told of it."""

    place: ChargingPlace
    name: str
    patches: Iterator[Json]
    is_remote: bool


class Declined(Exception):
    """The station does not do what it was told; the message is the result of the command."""


Spot = tuple[PartyRef, str, str]
"""An EVSE: its owner, its Location and its own id."""
Ask = Callable[[ChargingPlace, str, Mapping[str, Any] | None], Permission]
"""Whether a driver may charge here with this uid, of which the operator may know the token."""


def now() -> datetime:
    """Tell the time of day, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class ChargingStations:
    """A stream of happenings, the same sequence for the same seed; its clock only moves on.

    `own` is what the operator owns, by module; `tokens` those it was told of; `ask` decides who may
    charge.
    """

    own: Mapping[str, ObjectStore]
    tokens: ObjectStore
    seed: int
    clock: Callable[[], datetime] = now
    ask: Ask = lambda _place, _uid, token: by_whitelist(token)
    _chance: Random = field(init=False)
    _last: datetime = field(init=False, default=datetime.min.replace(tzinfo=UTC))
    _stays: dict[Spot, Stay] = field(init=False, default_factory=dict)
    _reserved: dict[tuple[str, str], Spot] = field(init=False, default_factory=dict)
    _begun: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Begin with the first car of this seed."""
        self._chance = Random(self.seed)  # noqa: S311 - nothing here is secret

    def next(self) -> ChargingEvent:
        """Choose what happens next, without making it true."""
        under_way = [spot for spot, stay in self._stays.items() if not stay.is_remote]
        if under_way and self._chance.random() < ATTENTION:
            spot = self._chance.choice(under_way)
            return self._go_on(spot[0], self._stays[spot])
        key = self._chance.choice(list(self.own["locations"]))
        owner, location = PartyRef(*key[:2]), read_object(self.own["locations"][key])
        evse = self._chance.choice(elements(location, "evses"))
        stay = self._stays.get((owner, str(location["id"]), str(evse["uid"])))
        if evse["status"] == "RESERVED" or (stay and stay.is_remote):
            return ChargingEvent()
        if stay:
            return self._go_on(owner, stay)
        status = self._chance.choice(NEXT_STATUS[str(evse["status"])])
        if status == "CHARGING" and self._cards() and self._chance.random() < ROAMING:
            return self._arrive(owner, ChargingPlace(location, evse, self._tariff(owner, evse)))
        return ChargingEvent((self._turn(owner, (str(location["id"]), str(evse["uid"])), status),))

    # --- from afar -------------------------------------------------------------------------------

    def start(self, spot: Spot, permission: Permission, reserved_by: str = "") -> ChargingEvent:
        """Let a driver charge who is waited for; Declined when the EVSE is not free for them."""
        place = self._place(spot)
        held = [key for key, kept in self._reserved.items() if kept == spot]
        is_theirs = any(sender == reserved_by for sender, _ in held)
        if place.evse["status"] != "AVAILABLE" and not is_theirs:
            raise Declined("EVSE_OCCUPIED")
        for key in held:
            del self._reserved[key]
        begun = self._begin(spot[0], place, permission, is_remote=True)
        return ChargingEvent(begun.messages + self._go_on(spot[0], self._stays[spot]).messages)

    def stop(self, name: str) -> ChargingEvent:
        """End a session now; Declined when there is none under way."""
        for (owner, *_), stay in self._stays.items():
            if fold(stay.name) == fold(name):
                return self._leave(owner, stay, self._dated(demo_session.rest(stay.patches)))
        raise Declined("FAILED")

    def reserve(self, spot: Spot, reservation: tuple[str, str]) -> ChargingEvent:
        """Keep an EVSE for somebody until it is used or given up; Declined when it is not free."""
        if self._place(spot).evse["status"] != "AVAILABLE" or reservation in self._reserved:
            raise Declined("EVSE_OCCUPIED")
        self._reserved[reservation] = spot
        return ChargingEvent((self._turn(spot[0], spot[1:], "RESERVED"),))

    def cancel(self, reservation: tuple[str, str]) -> ChargingEvent:
        """Give a reserved EVSE free; Declined when there is no such reservation."""
        spot = self._reserved.pop(reservation, None)
        if spot is None:
            raise Declined("UNKNOWN_RESERVATION")
        return ChargingEvent((self._turn(spot[0], spot[1:], "AVAILABLE"),))

    def spot(self, location_id: str, evse_uid: str) -> Spot:
        """Find an EVSE by the ids an order names, the first free one without a uid."""
        location = self.own["locations"].find(location_id) or {}
        owner = PartyRef(str(location["country_code"]), str(location["party_id"]))
        evses = elements(location, "evses")
        named = [each for each in evses if fold(str(each["uid"])) == fold(evse_uid)]
        free = [each for each in evses if each["status"] == "AVAILABLE" and not evse_uid]
        if not named + free:
            raise Declined("EVSE_OCCUPIED")
        return owner, str(location["id"]), str((named + free)[0]["uid"])

    # --- one stay --------------------------------------------------------------------------------

    def _arrive(self, owner: PartyRef, place: ChargingPlace) -> ChargingEvent:
        permission = self.ask(place, *self._driver())
        if permission.token is None:
            return ChargingEvent(turned_away=f"{place}: {permission.reason}, no session")
        return self._begin(owner, place, permission, is_remote=False)

    def _begin(
        self, owner: PartyRef, place: ChargingPlace, permission: Permission, *, is_remote: bool
    ) -> ChargingEvent:
        self._begun += 1
        name, spot = f"S{self._begun}", self._spot(owner, place)
        end = format_datetime(self._moment().replace(microsecond=0))
        planned = demo_session.periods(place, self._last, self._chance)
        start = planned[0]["start_date_time"]
        session = demo_session.pending(place, permission, name=name, start=start)
        self._stays[spot] = Stay(place, name, demo_session.progress(place, planned, end), is_remote)
        text = f"{name} started at {place}"
        return ChargingEvent(
            (
                self._turn(owner, spot[1:], "CHARGING"),
                Message("PUT", "sessions", owner, (name,), self._dated(session), text=text),
            )
        )

    def _go_on(self, owner: PartyRef, stay: Stay) -> ChargingEvent:
        patch = self._dated(next(stay.patches))
        if "end_date_time" in patch:
            return self._leave(owner, stay, patch)
        return ChargingEvent((self._tell(owner, stay, patch),))

    def _tell(self, owner: PartyRef, stay: Stay, patch: Json) -> Message:
        text = f"{stay.name} {_progress(patch)}"
        return Message("PATCH", "sessions", owner, (stay.name,), patch, text=text)

    def _leave(self, owner: PartyRef, stay: Stay, patch: Json) -> ChargingEvent:
        """Complete a session with this PATCH, free the EVSE and bill."""
        del self._stays[self._spot(owner, stay.place)]
        leaving = self._turn(owner, self._spot(owner, stay.place)[1:], "AVAILABLE")
        told = self._tell(owner, stay, patch)
        return ChargingEvent((told, leaving, self._charge(owner, stay, patch)))

    def _charge(self, owner: PartyRef, stay: Stay, ending: Json) -> Message:
        """Make the CDR of a session that this PATCH completes."""
        session = read_object(self.own["sessions"].get_text(owner, stay.name))
        told: list[Any] = session.get("charging_periods") or []  # type: ignore[assignment]
        completed = {**session, **ending, "charging_periods": told + ending["charging_periods"]}
        name = f"C{stay.name[1:]}"
        updated = format_datetime(self._moment())
        body = demo_session.cdr(stay.place, completed, name=name, updated=updated)
        text = f"CDR {name} for {stay.name}"
        return Message("POST", "cdrs", owner, (name,), body, text=text)

    def _driver(self) -> tuple[str, Json | None]:
        """Choose who taps a card: its uid, and the token unless it is a stranger's."""
        shown = self._chance.choice(self._cards())
        if self._chance.random() < STRANGERS:
            return f"04{self._chance.randrange(16**12):012X}", None
        return str(shown["uid"]), shown

    def _cards(self) -> list[Json]:
        tokens = (read_object(self.tokens[key]) for key in self.tokens)
        return [each for each in tokens if each["type"] == TYPES[0]]

    # --- the station -----------------------------------------------------------------------------

    def _place(self, spot: Spot) -> ChargingPlace:
        location = self.own["locations"].find(spot[1], spot[0]) or {}
        evse = next(each for each in elements(location, "evses") if each["uid"] == spot[2])
        return ChargingPlace(location, evse, self._tariff(spot[0], evse))

    def _tariff(self, owner: PartyRef, evse: Mapping[str, Any]) -> Json:
        name = evse["connectors"][0]["tariff_ids"][0]
        return dict(read_object(self.own["tariffs"].get_text(owner, name)))

    def _turn(self, owner: PartyRef, ids: tuple[str, ...], status: str) -> Message:
        return Message("PATCH", "locations", owner, ids, self._dated({"status": status}))

    def _spot(self, owner: PartyRef, place: ChargingPlace) -> Spot:
        return owner, str(place.location["id"]), str(place.evse["uid"])

    def _dated(self, body: Json) -> Json:
        return {**body, "last_updated": format_datetime(self._moment())}

    def _moment(self) -> datetime:
        """Now, to the millisecond, but later than any moment given before."""
        current = self.clock()
        current -= timedelta(microseconds=current.microsecond % 1000)
        self._last = max(current, self._last + timedelta(milliseconds=1))
        return self._last


def _progress(patch: Mapping[str, Any]) -> str:
    if patch.get("status") == "ACTIVE":
        return "is charging"
    told = f"{patch['kwh']:.1f} kWh"
    return f"completed, {told}" if "end_date_time" in patch else f"goes on, {told}"
