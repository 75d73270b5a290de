"""Deviations of platforms from the specification, as the hub met them, for its operators.

Messages pass all the same, and here operators see why something may look odd. A deviation is
written down once a minute at most, however often it is met; if that fails, no message suffers.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from threading import Lock
from time import monotonic

from django.db import DatabaseError

from database import sql
from ocpi.types import one_line
from parties.sql import ADD_DEVIATION

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_WRITES = 60.0
"""Meanwhile a process only counts how often it meets a deviation of a platform."""
LONGEST_EXAMPLE = 200


class Deviation(StrEnum):
    """One way to deviate; the value is what the database has."""

    NO_IDS_SENT = "no_ids_sent"
    NO_SENDER_SENT = "no_sender_sent"
    ODD_OBJECTS = "odd_objects"
    URL_NOT_ENCODED = "url_not_encoded"
    RESULT_IN_ENVELOPE = "result_in_envelope"
    NO_ENVELOPE = "no_envelope"
    UNREADABLE = "unreadable"
    REDIRECTS = "redirects"
    NO_IDS_RETURNED = "no_ids_returned"
    NO_SENDER_RETURNED = "no_sender_returned"
    OBJECT_IN_LIST = "object_in_list"
    LINK_UNUSABLE = "link_unusable"
    LOCATION_UNUSABLE = "location_unusable"


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
    Deviation.UNREADABLE: "Gives answers that cannot be read to the end, or too large ones",
    Deviation.REDIRECTS: "Redirects requests; the hub does not follow to other hosts",
    Deviation.NO_IDS_RETURNED: "Answers without the message ids of the request; the hub adds them",
    Deviation.NO_SENDER_RETURNED: "Answers without OCPI-to and OCPI-from; the hub adds them",
    Deviation.OBJECT_IN_LIST: "Answers a single object wrapped in a list; passed on as it is",
    Deviation.LINK_UNUSABLE: "Gives a Link to the next page that leads nowhere; left out of its"
    " lists",
    Deviation.LOCATION_UNUSABLE: "Gives a Location of CDRs that leads nowhere; the hub serves its"
    " copy",
}
"""What an operator reads."""

_Key = tuple[int, Deviation]
_met: Counter[_Key] = Counter()
_written: dict[_Key, float] = {}
_lock = Lock()


def sentence(deviation: str) -> str:
    """Return what a deviation means; for one that only another release knows, its name."""
    return _SENTENCES[Deviation(deviation)] if deviation in set(Deviation) else deviation


def note(platform_id: int, met: Iterable[tuple[Deviation, str]]) -> None:
    """Count deviations of a platform, each with an example that holds no secret."""
    for deviation, example in met:
        times = _due((platform_id, deviation))
        if times:
            _write(platform_id, deviation, times, example)


def _due(key: _Key) -> int:
    """Count once more; return how many times to write now, 0 if it was written a moment ago."""
    now = monotonic()
    with _lock:
        _met[key] += 1
        last = _written.get(key)
        if last is not None and now - last < _SECONDS_BETWEEN_WRITES:
            return 0
        _written[key] = now
        return _met.pop(key)


def _write(platform_id: int, deviation: Deviation, times: int, example: str) -> None:
    row = {
        "platform": platform_id,
        "deviation": deviation.value,
        "times": times,
        "example": one_line(example, longest=LONGEST_EXAMPLE),
    }
    try:
        sql.rows(ADD_DEVIATION, row)
    except DatabaseError as error:  # its platform was deleted, or no database
        log.warning("a deviation of platform %s is not noted: %s", platform_id, error)


def forget() -> None:
    """Forget what was counted, as a new process does: what is met next is written at once."""
    with _lock:
        _met.clear()
        _written.clear()
