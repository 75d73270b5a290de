"""Deviations of platforms from the specification, as the hub met them, for its operators.

Messages pass all the same, and here operators see why something may look odd. Whoever meets a
deviation counts it in memory, which neither blocks nor fails; a thread of the process adds the
counts to the database once a second, so that none is lost in a burst.
"""

import atexit
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from threading import Event, Lock, Thread
from typing import NamedTuple

from database import sql
from ocpi.errors import Finding
from ocpi.types import one_line
from parties.sql import ADD_DEVIATIONS

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_WRITES = 1.0
LONGEST_EXAMPLE = 200


class Deviation(StrEnum):
    """One way to deviate; the value is what the database has."""

    NO_IDS_SENT = "no_ids_sent"
    NO_SENDER_SENT = "no_sender_sent"
    ODD_OBJECTS = "odd_objects"
    URL_NOT_ENCODED = "url_not_encoded"
    RESULT_IN_ENVELOPE = "result_in_envelope"
    NO_ENVELOPE = "no_envelope"
    ODD_ENVELOPE = "odd_envelope"
    UNREADABLE = "unreadable"
    REDIRECTS = "redirects"
    NO_IDS_RETURNED = "no_ids_returned"
    NO_SENDER_RETURNED = "no_sender_returned"
    OBJECT_IN_LIST = "object_in_list"
    LINK_UNUSABLE = "link_unusable"
    LOCATION_UNUSABLE = "location_unusable"
    TO_IGNORED = "to_ignored"


_SENTENCES: dict[Deviation, str] = {
    Deviation.NO_IDS_SENT: "Sends messages without X-Request-ID or X-Correlation-ID; the hub adds"
    " them",
    Deviation.NO_SENDER_SENT: "Sends messages without OCPI-from headers; with several parties of"
    " one role they would be refused",
    Deviation.ODD_OBJECTS: "Sends objects that are not quite as the specification has them; kept as"
    " they are",
    Deviation.URL_NOT_ENCODED: "Puts a response_url into a query as it is; the hub encodes it",
    Deviation.RESULT_IN_ENVELOPE: "Wraps results in a response envelope; the hub takes them out",
    Deviation.NO_ENVELOPE: "Answers without an OCPI envelope; the hub answers its requesters"
    " instead",
    Deviation.ODD_ENVELOPE: "Answers in an envelope that is not quite as the specification has it;"
    " the hub repairs what others could not read",
    Deviation.UNREADABLE: "Gives answers that cannot be read to the end, or too large ones",
    Deviation.REDIRECTS: "Redirects requests; the hub does not follow to other hosts",
    Deviation.NO_IDS_RETURNED: "Answers without the message ids of the request; the hub adds them",
    Deviation.NO_SENDER_RETURNED: "Answers without OCPI-to and OCPI-from; the hub adds them",
    Deviation.OBJECT_IN_LIST: "Answers a single object wrapped in a list; passed on as it is",
    Deviation.LINK_UNUSABLE: "Gives a Link to the next page that leads nowhere; left out of its"
    " lists",
    Deviation.LOCATION_UNUSABLE: "Gives a Location of CDRs that leads nowhere; the hub serves its"
    " copy",
    Deviation.TO_IGNORED: "Answers with one list whatever OCPI-to says; the hub reads it once for"
    " all parties",
}
"""What an operator reads."""


class Met(NamedTuple):
    """A deviation as it was met.

    about      what it is about, of a few words the hub knows: the request, as `GET locations`; or
               of an object its module and the kind of mistake, as `locations: length`
    example    one of it, that holds no secret
    """

    deviation: Deviation
    about: str
    example: str = ""


def odd_object(module: str, findings: Iterable[Finding]) -> Iterator[Met]:
    """Find the kinds of mistakes in an object that was kept; an example is a path, no value."""
    paths: dict[str, str] = {}
    for finding in findings:
        paths.setdefault(finding.fault or "other", finding.path)
    for kind, path in paths.items():
        yield Met(Deviation.ODD_OBJECTS, f"{module}: {kind}", path)


def odd_envelope(request: str, oddities: Iterable[str]) -> Iterator[Met]:
    """Say what is odd about the envelope of an answer to a request such as `GET locations`."""
    return (Met(Deviation.ODD_ENVELOPE, f"{request}: {each}") for each in oddities)


_Key = tuple[int, str, str]
"""Platform, deviation, and what it is about."""


@dataclass(slots=True)
class _Count:
    times: int
    example: str


class Counts:
    """What this process has met and not yet written; its thread starts with the first of it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Begin anew: after a fork, the parent writes what it met."""
        self._met: dict[_Key, _Count] = {}
        self._due = Event()
        self._lock = Lock()
        self._writing = Lock()
        self._thread: Thread | None = None

    def note(self, platform_id: int, met: Iterable[Met]) -> None:
        """Count deviations of a platform."""
        for each in met:
            self._add((platform_id, each.deviation.value, each.about), 1, each.example)
            if self._thread is None:
                self._ensure_thread()
            self._due.set()

    def write(self) -> None:
        """Add what was met to the database; what cannot be added is kept for the next time."""
        with self._writing:
            with self._lock:
                met, self._met = self._met, {}
            try:
                if met:
                    sql.rows(ADD_DEVIATIONS, {"met": json.dumps(_rows(met))})
            except Exception as error:  # noqa: BLE001 - no message and no thread may end with it
                log.warning("deviations of platforms are not noted yet: %s", error)
                for key, count in met.items():
                    self._add(key, count.times, count.example)

    def forget(self) -> None:
        """Forget what was not written."""
        with self._writing, self._lock:
            self._met.clear()

    def _add(self, key: _Key, times: int, example: str) -> None:
        with self._lock:
            count = self._met.setdefault(key, _Count(0, ""))
            count.times += times
            count.example = count.example or one_line(example, longest=LONGEST_EXAMPLE)

    def _ensure_thread(self) -> None:
        with self._lock:
            if self._thread is None:
                atexit.register(self.write)
                self._thread = Thread(target=self._run, name="deviations", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._due.wait():
            self._due.clear()
            self.write()
            sql.release()
            time.sleep(_SECONDS_BETWEEN_WRITES)


def _rows(met: dict[_Key, _Count]) -> list[dict[str, object]]:
    """Return them in one order for all processes: none waits for another in a circle."""
    return [
        {"platform": platform, "deviation": deviation, "about": about, **_counted(count)}
        for (platform, deviation, about), count in sorted(met.items())
    ]


def _counted(count: _Count) -> dict[str, object]:
    return {"times": count.times, "example": count.example}


_counts = Counts()
"""Of this process."""
note = _counts.note
write = _counts.write
forget = _counts.forget


def sentence(deviation: str) -> str:
    """Return what a deviation means; for one that only another release knows, its name."""
    return _SENTENCES[Deviation(deviation)] if deviation in set(Deviation) else deviation
