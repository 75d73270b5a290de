"""Charging stations of the demo, where cars come and go: EVSE statuses, Sessions and CDRs.

Spec: 2.2.1 mod_locations (EVSE status), mod_sessions, mod_cdrs, mod_commands. A driver with a good
token gets a Session; one who pays at the station shows in the EVSE's status alone; now and then a
station breaks and is repaired. A Session that a command started goes on until a command stops it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from ocpi.types import PartyRef, fold, format_datetime
from sandbox.demo import session as demo_session
from sandbox.demo.push import Message
from sandbox.demo.session import ChargingPlace
from sandbox.demo.tokens import TYPES, Permission, by_whitelist
from sandbox.object_store import ObjectStore, read_object
from sandbox.patch import elements

Json = dict[str, Any]
NEXT_STATUS = {  # one of these, each as likely as the others
    "AVAILABLE": ("CHARGING",) * 9 + ("OUTOFORDER",),
    "CHARGING": ("AVAILABLE",) * 19 + ("OUTOFORDER",),
    "OUTOFORDER": ("AVAILABLE",),
}
SHARE_WITH_TOKEN = 0.6
"""Of those who come; the others pay at the station."""
SHARE_OF_ONGOING = 0.4
"""Of the events: as many go on with a session under way, if there is one."""
SHARE_OF_UNKNOWN_TOKENS = 0.08
"""Of the tokens shown: nobody has issued them."""


@dataclass(frozen=True, slots=True)
class ChargingEvent:
    """One event: the messages to send, in this order, or why somebody was turned away."""

    messages: tuple[Message, ...] = ()
    turned_away: str = ""


@dataclass(slots=True)
class OngoingSession:
    """A session under way, and the PATCHes of it that are still to be sent."""

    place: ChargingPlace
    name: str
    patches: Iterator[Json]
    is_remote: bool


class Declined(Exception):
    """A station does not carry out a command; the message is the result (CommandResultType)."""


class EvseRef(NamedTuple):
    """What names an EVSE."""

    owner: PartyRef
    location_id: str
    uid: str


Authorize = Callable[[ChargingPlace, str, Mapping[str, Any] | None], Permission]
"""Decides whether a driver may charge: place, uid, and its token if the operator knows it."""


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class ChargingStations:
    """A stream of events, the same sequence for the same seed.

    `own` are the operator's objects by module, `tokens` those it received. Nothing is changed in
    them: the caller sends an event's messages and stores them. No timestamp comes twice.
    """

    own: Mapping[str, ObjectStore]
    tokens: ObjectStore
    seed: int
    clock: Callable[[], datetime] = now
    authorize: Authorize = lambda _place, _uid, token: by_whitelist(token)
    _chance: Random = field(init=False)
    _last: datetime = field(init=False, default=datetime.min.replace(tzinfo=UTC))
    _ongoing: dict[EvseRef, OngoingSession] = field(init=False, default_factory=dict)
    _reserved: dict[tuple[str, str], EvseRef] = field(init=False, default_factory=dict)
    _sessions_begun: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)  # noqa: S311 - nothing here is secret

    def next_event(self) -> ChargingEvent:
        """Choose what happens next."""
        under_way = [
            evse_ref for evse_ref, ongoing in self._ongoing.items() if not ongoing.is_remote
        ]
        if under_way and self._chance.random() < SHARE_OF_ONGOING:
            evse_ref = self._chance.choice(under_way)
            return self._advance(evse_ref.owner, self._ongoing[evse_ref])
        key = self._chance.choice(list(self.own["locations"]))
        owner, location = PartyRef(*key[:2]), read_object(self.own["locations"][key])
        evse = self._chance.choice(elements(location, "evses"))
        evse_ref = EvseRef(owner, str(location["id"]), str(evse["uid"]))
        ongoing = self._ongoing.get(evse_ref)
        if evse["status"] == "RESERVED" or (ongoing and ongoing.is_remote):
            return ChargingEvent()
        if ongoing:
            return self._advance(owner, ongoing)
        status = self._chance.choice(NEXT_STATUS[str(evse["status"])])
        if (
            status == "CHARGING"
            and self._rfid_tokens()
            and self._chance.random() < SHARE_WITH_TOKEN
        ):
            return self._arrive(owner, ChargingPlace(location, evse, self._tariff(owner, evse)))
        return ChargingEvent((self._status_patch(evse_ref, status),))

    # --- commands --------------------------------------------------------------------------------

    def start(
        self, evse_ref: EvseRef, permission: Permission, reserved_by: str = ""
    ) -> ChargingEvent:
        """Carry out START_SESSION; Declined when the EVSE is not free for this driver."""
        place = self._place(evse_ref)
        held = [key for key, kept in self._reserved.items() if kept == evse_ref]
        is_for_them = any(sender == reserved_by for sender, _ in held)
        if place.evse["status"] != "AVAILABLE" and not is_for_them:
            raise Declined("EVSE_OCCUPIED")
        for key in held:
            del self._reserved[key]
        begun = self._begin(evse_ref.owner, place, permission, is_remote=True)
        return ChargingEvent(
            begun.messages + self._advance(evse_ref.owner, self._ongoing[evse_ref]).messages
        )

    def stop(self, name: str) -> ChargingEvent:
        """Carry out STOP_SESSION; Declined when no session of this id is under way."""
        for (owner, *_), ongoing in self._ongoing.items():
            if fold(ongoing.name) == fold(name):
                return self._complete(
                    owner, ongoing, self._dated(demo_session.merged_patch(ongoing.patches))
                )
        raise Declined("FAILED")

    def reserve(self, evse_ref: EvseRef, reservation: tuple[str, str]) -> ChargingEvent:
        """Carry out RESERVE_NOW; Declined when the EVSE is not free.

        `reservation` is who made it, and by which id.
        """
        if self._place(evse_ref).evse["status"] != "AVAILABLE" or reservation in self._reserved:
            raise Declined("EVSE_OCCUPIED")
        self._reserved[reservation] = evse_ref
        return ChargingEvent((self._status_patch(evse_ref, "RESERVED"),))

    def cancel(self, reservation: tuple[str, str]) -> ChargingEvent:
        """Carry out CANCEL_RESERVATION; Declined when there is no such reservation."""
        evse_ref = self._reserved.pop(reservation, None)
        if evse_ref is None:
            raise Declined("UNKNOWN_RESERVATION")
        return ChargingEvent((self._status_patch(evse_ref, "AVAILABLE"),))

    def find_evse(self, location_id: str, evse_uid: str) -> EvseRef:
        """Find an EVSE by the ids of a command; the first free one if that has no uid."""
        location = self.own["locations"].find(location_id) or {}
        owner = PartyRef(str(location["country_code"]), str(location["party_id"]))
        evses = elements(location, "evses")
        named = [each for each in evses if fold(str(each["uid"])) == fold(evse_uid)]
        free = [each for each in evses if each["status"] == "AVAILABLE" and not evse_uid]
        if not named + free:
            raise Declined("EVSE_OCCUPIED")
        return EvseRef(owner, str(location["id"]), str((named + free)[0]["uid"]))

    # --- one session -----------------------------------------------------------------------------

    def _arrive(self, owner: PartyRef, place: ChargingPlace) -> ChargingEvent:
        permission = self.authorize(place, *self._tapped_token())
        if permission.token is None:
            return ChargingEvent(turned_away=f"{place}: {permission.reason}, no session")
        return self._begin(owner, place, permission, is_remote=False)

    def _begin(
        self, owner: PartyRef, place: ChargingPlace, permission: Permission, *, is_remote: bool
    ) -> ChargingEvent:
        self._sessions_begun += 1
        name, evse_ref = f"S{self._sessions_begun}", self._evse_ref(owner, place)
        end = format_datetime(self._next_timestamp().replace(microsecond=0))
        planned = demo_session.periods(place, self._last, self._chance)
        start = planned[0]["start_date_time"]
        session = demo_session.pending(place, permission, name=name, start=start)
        self._ongoing[evse_ref] = OngoingSession(
            place, name, demo_session.progress(place, planned, end), is_remote
        )
        text = f"{name} started at {place}"
        return ChargingEvent(
            (
                self._status_patch(evse_ref, "CHARGING"),
                Message("PUT", "sessions", owner, (name,), self._dated(session), text=text),
            )
        )

    def _advance(self, owner: PartyRef, ongoing: OngoingSession) -> ChargingEvent:
        patch = self._dated(next(ongoing.patches))
        if "end_date_time" in patch:
            return self._complete(owner, ongoing, patch)
        return ChargingEvent((self._session_patch(owner, ongoing, patch),))

    def _session_patch(self, owner: PartyRef, ongoing: OngoingSession, patch: Json) -> Message:
        text = f"{ongoing.name} {_progress_text(patch)}"
        return Message("PATCH", "sessions", owner, (ongoing.name,), patch, text=text)

    def _complete(self, owner: PartyRef, ongoing: OngoingSession, patch: Json) -> ChargingEvent:
        """Complete a session with its last PATCH, free the EVSE and make the CDR."""
        evse_ref = self._evse_ref(owner, ongoing.place)
        del self._ongoing[evse_ref]
        freed = self._status_patch(evse_ref, "AVAILABLE")
        completed = self._session_patch(owner, ongoing, patch)
        return ChargingEvent((completed, freed, self._cdr(owner, ongoing, patch)))

    def _cdr(self, owner: PartyRef, ongoing: OngoingSession, ending: Json) -> Message:
        """Make the CDR of a session that this PATCH completes; the stored one lacks it still."""
        session = read_object(self.own["sessions"].get_text(owner, ongoing.name))
        periods: list[Any] = session.get("charging_periods") or []  # type: ignore[assignment]
        completed = {**session, **ending, "charging_periods": periods + ending["charging_periods"]}
        name = f"C{ongoing.name[1:]}"
        updated = format_datetime(self._next_timestamp())
        body = demo_session.cdr(ongoing.place, completed, name=name, updated=updated)
        text = f"CDR {name} for {ongoing.name}"
        return Message("POST", "cdrs", owner, (name,), body, text=text)

    def _tapped_token(self) -> tuple[str, Json | None]:
        """Choose the RFID card that is tapped: its uid, and the token unless nobody issued it."""
        shown = self._chance.choice(self._rfid_tokens())
        if self._chance.random() < SHARE_OF_UNKNOWN_TOKENS:
            return f"04{self._chance.randrange(16**12):012X}", None
        return str(shown["uid"]), shown

    def _rfid_tokens(self) -> list[Json]:
        tokens = (read_object(self.tokens[key]) for key in self.tokens)
        return [each for each in tokens if each["type"] == TYPES[0]]

    # --- the station -----------------------------------------------------------------------------

    def _place(self, evse_ref: EvseRef) -> ChargingPlace:
        location = self.own["locations"].find(evse_ref.location_id, evse_ref.owner) or {}
        evse = next(each for each in elements(location, "evses") if each["uid"] == evse_ref.uid)
        return ChargingPlace(location, evse, self._tariff(evse_ref.owner, evse))

    def _tariff(self, owner: PartyRef, evse: Mapping[str, Any]) -> Json:
        name = evse["connectors"][0]["tariff_ids"][0]
        return dict(read_object(self.own["tariffs"].get_text(owner, name)))

    def _status_patch(self, evse_ref: EvseRef, status: str) -> Message:
        owner, *ids = evse_ref
        return Message("PATCH", "locations", owner, tuple(ids), self._dated({"status": status}))

    def _evse_ref(self, owner: PartyRef, place: ChargingPlace) -> EvseRef:
        return EvseRef(owner, str(place.location["id"]), str(place.evse["uid"]))

    def _dated(self, body: Json) -> Json:
        return {**body, "last_updated": format_datetime(self._next_timestamp())}

    def _next_timestamp(self) -> datetime:
        """Return the present time, to the millisecond, but later than any returned before."""
        current = self.clock()
        current -= timedelta(microseconds=current.microsecond % 1000)
        self._last = max(current, self._last + timedelta(milliseconds=1))
        return self._last


def _progress_text(patch: Mapping[str, Any]) -> str:
    if patch.get("status") == "ACTIVE":
        return "is charging"
    energy = f"{patch['kwh']:.1f} kWh"
    return f"completed, {energy}" if "end_date_time" in patch else f"goes on, {energy}"
