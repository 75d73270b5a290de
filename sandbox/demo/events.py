"""The events of a demo process on its standard output: one line each, plain or JSON."""

import json
import sys
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TextIO

from ocpi.printable import escaped
from ocpi.types import PartyRef

PLAIN = {
    "waiting": "{party} waits for the hub: {reason}",
    "registered": "{party} registered with {hub} ({version})",
    "put": "{party} PUT {module} {path} -> {status_code}",
    "patch": "{party} PATCH {module} {path} {status} -> {status_code}",
    "post": "{party} POST {module} {path} -> {status_code}",
    "delete": "{party} DELETE {module} {path} -> {status_code}",
    "received": "{party} received {method} {module} {path} {status} -> {status_code}",
    "refused": "{party} refused: {method} {module} {path} -> {status_code} {reason}",
    "connected": "{party} hears who is connected: {parties}",
    "retry": "{party} tries again: {method} {module} {path}: {reason}",
    "shown": "{party} was shown {module} {path} {status}",
    "step": "{party} {text} [{correlation_id}]",
    "turned_away": "{party} {text}",
    "agrees": "{party} {session} {kwh} kWh, CDR {cdr} {cost} {currency}: agrees",
    "disagrees": "{party} {session}, CDR {cdr}: {reason}",
    "done": "{party} done: {sent} messages accepted",
    "report": "{party} wrote {path}",
    "failed": "{party} failed: {reason}",
    "stopped": "{party} stopped",
}


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""


@dataclass(slots=True)
class Events:
    """Prints events; lines of different threads never mix."""

    party: PartyRef
    as_json: bool = False
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    _lock: Lock = field(default_factory=Lock)

    def emit(self, event: str, *, at: float | None = None, **facts: object) -> None:
        """Print one event; `at` is when it happened, now by default."""
        facts = {"event": event, "party": str(self.party), "at": at or time.time(), **facts}
        line = json.dumps(facts) if self.as_json else PLAIN[event].format_map(_Blank(facts))
        with self._lock:
            print(escaped(line), file=self.stream, flush=True)
