"""The demo in plain words: the events of the sandbox platforms, put together into deliveries.

A delivery is a receipt that carries the correlation id of a push. The hub delivers states, not
messages: when an object changed twice before its turn, the receipt of the second covers both.
Each receiver gets its own delivery.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]
_PUSHES = ("put", "patch", "post", "delete")
_KEPT_SECONDS = 10.0
"""How long a receipt waits for its push: platforms write their logs independently."""
_REMEMBERED_SECONDS = 60.0
"""How long a push may still be delivered to somebody."""
_SUMMARY_SECONDS = 5.0
"""Between two summaries of the deliveries that got no line of their own."""
_LINES_PER_SECOND = 4
_ID_CHARACTERS = 8
"""Of a correlation id: enough to find it in the console."""
_RARE = ("tokens", "tariffs")
_ALL_SAID = (*_RARE, "sessions")
"""Modules whose deliveries are all said; of the others a person reads a few lines a second."""


@dataclass(slots=True)
class Tail:
    """The events a platform wrote to its log, each once."""

    log: Path
    _position: int = 0

    def events(self) -> Iterator[Event]:
        """Yield the events since last time; other lines, such as warnings, stay in the log."""
        with self.log.open("rb") as file:
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                event = _event(line)
                if event is not None:
                    yield event


def _event(line: bytes) -> Event | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "event" in value else None


@dataclass(slots=True)
class Push:
    """What a platform sent, and who has it by now."""

    event: Event
    known_to: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Story:
    """Takes events in and says what they come to, by `say`."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.time
    registered: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    pushes: dict[str, list[Push]] = field(default_factory=dict)
    receipts: list[Event] = field(default_factory=list)
    delivered: int = 0
    _unsaid: list[float] = field(default_factory=list)
    _said_at: list[float] = field(default_factory=list)
    _summary_at: float = 0.0

    def hear(self, event: Event) -> None:
        """Take in one event."""
        kind = event["event"]
        if kind in _PUSHES:
            self._remember(event)
        elif kind == "received":
            self.receipts.append(event)
        else:
            self._remark(event)

    def narrate(self) -> None:
        """Match receipts with pushes and say what has become known."""
        for receipt in self.receipts:
            for push in self._covered_by(receipt):
                push.known_to.add(receipt["party"])
                self._say_delivery(push.event, receipt)
        young = self.clock() - _KEPT_SECONDS
        self.receipts = [each for each in self.receipts if each["at"] > young]
        self._say_summary()

    def _remember(self, event: Event) -> None:
        """Keep a push with the others of its object, as long as somebody may still receive it."""
        young = self.clock() - _REMEMBERED_SECONDS
        kept = [each for each in self.pushes.get(_object(event), []) if each.event["at"] > young]
        self.pushes[_object(event)] = [*kept, Push(event)]

    def _covered_by(self, receipt: Event) -> list[Push]:
        """Return the push a receipt carries and those before it that it covers."""
        kept = self.pushes.get(_object(receipt), [])
        correlation_id = receipt.get("correlation_id")
        carrying = (push for push in kept if push.event["correlation_id"] == correlation_id)
        carried = next(carrying, None)
        until = carried.event["at"] if carried else receipt["at"]
        covered = [
            push
            for push in kept
            if receipt["party"] not in push.known_to
            and (push is carried or (push.event["at"] < until and _covers(receipt, push.event)))
        ]
        return sorted(covered, key=lambda push: float(push.event["at"]))

    def _say_delivery(self, push: Event, receipt: Event) -> None:
        milliseconds = max(0.0, (receipt["at"] - push["at"]) * 1000)
        self.delivered += 1
        if push["event"] == "post":
            return
        now = self.clock()
        self._said_at = [at for at in self._said_at if at > now - 1]
        if push["module"] not in _ALL_SAID:
            if len(self._said_at) >= _LINES_PER_SECOND:
                self._summary_at = self._summary_at if self._unsaid else now
                self._unsaid.append(milliseconds)
                return
            self._said_at.append(now)
        sentence = f"{_what(push)} → {_reached(push, receipt)} in {_rounded(milliseconds)} ms"
        self.say(f"{sentence} [{_short(push)}]")

    def _say_summary(self) -> None:
        now = self.clock()
        if not self._unsaid or now - self._summary_at < _SUMMARY_SECONDS:
            return
        self._summary_at = now
        middle, slowest = statistics.median(self._unsaid), max(self._unsaid)
        self.say(
            f"… and {len(self._unsaid)} more delivered,"
            f" median {_rounded(middle)} ms, slowest {_rounded(slowest)} ms"
        )
        self._unsaid.clear()

    def _remark(self, event: Event) -> None:
        kind, party = event["event"], event.get("party", "?")
        if kind == "registered":
            self.registered.add(party)
            self.say(f"{party} registered (OCPI {event.get('version', '?')})")
        elif kind == "done":
            self.done.add(party)
        elif kind in _REMARKS:
            known = {**event, "party": party, "billed": _billed(event), "id": _short(event)}
            self.say(_REMARKS[kind].format_map(_Known(known)))


_REMARKS = {
    "refused": "{party}: {method} {path} was refused: {reason}",
    "retry": "{party}: {method} {path} is tried again: {reason}",
    "failed": "{party} failed: {reason}",
    "turned_away": "{text}",
    "step": "{party} {text} [{id}]",
    "agrees": "{billed} → {party}, agrees with its session [{id}]",
    "disagrees": "{billed} → {party}, DISAGREES: {reason} [{id}]",
}


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _object(event: Event) -> str:
    """Name the object an event is about: of L1/E2, the location."""
    return "/".join((event["module"], *event["path"].split("/")[:3]))


def _covers(receipt: Event, push: Event) -> bool:
    """Whether a receipt holds what was pushed: the same object, or the whole around it."""
    received, pushed = receipt["path"], push["path"]
    return bool(pushed == received or pushed.startswith(f"{received}/"))


def _what(push: Event) -> str:
    """Say `DE-MSA issued …`, `S7 started …`, or of a location `PATCH L1/E2 CHARGING`."""
    if text := str(push.get("text") or ""):
        return f"{push['party']} {text}" if push["module"] in _RARE else text
    own = "/".join(push["path"].split("/")[2:])
    return f"{push['event'].upper()} {own} {push.get('status') or ''}".rstrip()


def _reached(push: Event, receipt: Event) -> str:
    party = str(receipt["party"])
    if push["module"] in _RARE:
        return f"known to {party}"
    return party if push.get("text") else f"delivered to {party}"


def _short(event: Event) -> str:
    """Give the beginning of a correlation id, by which the hub's console finds the exchange."""
    return str(event.get("correlation_id") or "?")[:_ID_CHARACTERS]


def _billed(event: Event) -> str:
    """Say `S7 12.4 kWh → CDR C7 € 6.21`."""
    if "cdr" not in event:
        return "?"
    currency = {"EUR": "€"}.get(event["currency"], event["currency"])
    return (
        f"{event['session']} {event['kwh']:.1f} kWh"
        f" → CDR {event['cdr']} {currency} {event['cost']:.2f}"
    )


def _rounded(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 1 else "1"
