"""The demo in plain words: what the sandbox platforms tell, put together into deliveries.

A delivery is a receipt that carries the correlation id of a push. The hub delivers states, not
messages: when an object changed twice before its turn, the receipt of the second settles both.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]
_PUSHES = ("put", "patch")
_KEPT_SECONDS = 10.0
_SUMMARY_SECONDS = 5.0
_LINES_PER_SECOND = 4


@dataclass(slots=True)
class Tail:
    """The events a platform wrote to its log, each told once."""

    log: Path
    _position: int = 0

    def events(self) -> Iterator[Event]:
        """Yield the events since last time; what is no event (a warning, say) stays in the log."""
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
class Story:
    """Listens to events and tells them through `say`."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.time
    registered: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    pending: dict[str, Event] = field(default_factory=dict)
    receipts: list[Event] = field(default_factory=list)
    delivered: int = 0
    _untold: list[float] = field(default_factory=list)
    _told_at: list[float] = field(default_factory=list)
    _summary_at: float = 0.0

    def hear(self, event: Event) -> None:
        """Take in one event."""
        kind = event["event"]
        if kind in _PUSHES:
            self.pending[event["correlation_id"]] = event
        elif kind == "received":
            self.receipts.append(event)
        else:
            self._remark(event)

    def tell(self) -> None:
        """Match receipts with pushes and say what has become known."""
        for receipt in self.receipts:
            for push in self._settled_by(receipt):
                del self.pending[push["correlation_id"]]
                self._tell_delivery(push, receipt)
        young = self.clock() - _KEPT_SECONDS
        self.receipts = [each for each in self.receipts if each["at"] > young]
        self._tell_summary()

    def _settled_by(self, receipt: Event) -> list[Event]:
        """Return the push a receipt carries and those before it that it covers."""
        carried = self.pending.get(receipt.get("correlation_id", ""))
        until = carried["at"] if carried else receipt["at"]
        covered = [
            push
            for push in self.pending.values()
            if push is carried or (push["at"] < until and _covers(receipt["path"], push["path"]))
        ]
        return sorted(covered, key=lambda push: float(push["at"]))

    def _tell_delivery(self, push: Event, receipt: Event) -> None:
        milliseconds = max(0.0, (receipt["at"] - push["at"]) * 1000)
        self.delivered += 1
        now = self.clock()
        self._told_at = [at for at in self._told_at if at > now - 1]
        if len(self._told_at) >= _LINES_PER_SECOND:
            self._summary_at = self._summary_at if self._untold else now
            self._untold.append(milliseconds)
            return
        self._told_at.append(now)
        self.say(f"{_what(push)} → delivered to {receipt['party']} in {_rounded(milliseconds)} ms")

    def _tell_summary(self) -> None:
        now = self.clock()
        if not self._untold or now - self._summary_at < _SUMMARY_SECONDS:
            return
        self._summary_at = now
        middle, slowest = statistics.median(self._untold), max(self._untold)
        self.say(
            f"… and {len(self._untold)} more delivered,"
            f" median {_rounded(middle)} ms, slowest {_rounded(slowest)} ms"
        )
        self._untold.clear()

    def _remark(self, event: Event) -> None:
        kind, party = event["event"], event.get("party", "?")
        if kind == "registered":
            self.registered.add(party)
            self.say(f"{party} registered (OCPI {event.get('version', '?')})")
        elif kind == "done":
            self.done.add(party)
        elif kind in _REMARKS:
            self.say(_REMARKS[kind].format_map(_Known({**event, "party": party})))


_REMARKS = {
    "refused": "{party}: {method} {path} was refused: {reason}",
    "retry": "{party}: {method} {path} is tried again: {reason}",
    "failed": "{party} failed: {reason}",
}


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _covers(received: str, pushed: str) -> bool:
    """Tell whether a receipt holds what was pushed: the same object, or the whole around it."""
    return pushed == received or pushed.startswith(f"{received}/")


def _what(push: Event) -> str:
    """Say `PUT L1` or `PATCH L1/E2 CHARGING`: without the owner, who is the only one."""
    own = "/".join(push["path"].split("/")[2:])
    return f"{push['event'].upper()} {own} {push.get('status') or ''}".rstrip()


def _rounded(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 1 else "1"
