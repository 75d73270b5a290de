"""A journey as a picture: each hop as a bar in time, with what was said on it.

What is shown is what the log keeps: masked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.safestring import SafeString

from console.base import laid_out
from console.message_links import object_of
from hub.message_log import journey
from hub.message_log.curl import as_curl, headers, url
from hub.models import Exchange
from ocpi.status_codes import is_success
from parties.hub_identity import hub_party

_WIDTH = 1_000
"""Of the drawing that a bar is in: `timeline.html` says so in its viewBox."""
_MOST_BODIES = 40
"""A journey of more messages is shown without bodies."""
_MOST_OBJECTS = 5
_THINNEST = 4
"""The least width of a bar: what took no time is visible too."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a journey, and its bar: from `x`, `width` wide; it began after `offset` ms.

    It `has_bodies` unless the journey is long: they are deferred then, and each would be a query.
    """

    row: Exchange
    offset: float
    x: float
    width: float
    has_bodies: bool

    @property
    def good(self) -> bool:
        """Whether it was answered with success."""
        return self.row.status_code is not None and is_success(self.row.status_code)

    @property
    def is_between_parties(self) -> bool:
        """Whether both sides are named and neither is the hub: a missing agreement may be why."""
        sides = {self.row.sender, self.row.receiver}
        return not sides & {"", str(hub_party())}

    @property
    def headers(self) -> dict[str, str]:
        """The headers as far as they are kept."""
        return headers(self.row)

    @property
    def url(self) -> str:
        """The whole URL."""
        return url(self.row)

    @property
    def curl(self) -> str:
        """The request as a command."""
        return as_curl(self.row)

    @property
    def request_text(self) -> str:
        """The request's body, laid out."""
        return laid_out(self.row.request_body.encode())

    @property
    def answer_text(self) -> str:
        """The answer's body, laid out."""
        return laid_out(self.row.response_body.encode())


@dataclass(frozen=True, slots=True)
class Journey:
    """What carried one correlation id; the newest of it, and maybe not all, when it `is_cut`."""

    hops: Sequence[Hop]
    began: datetime
    milliseconds: float
    objects: Sequence[SafeString | str]
    is_cut: bool

    @property
    def failed(self) -> int:
        """How many hops were not answered with success."""
        return sum(not hop.good for hop in self.hops)


def read(correlation_id: str) -> Journey | None:
    """Return a journey, if anything carried this id."""
    rows = journey.journey(correlation_id, bodies=_MOST_BODIES)
    if not rows:
        return None
    began = min(row.at for row in rows)
    ended = max(row.at + timedelta(milliseconds=row.milliseconds) for row in rows)
    total = _milliseconds(began, ended) or 1.0  # bars are shares of it
    return Journey(
        hops=[_hop(row, began, total, has_bodies=len(rows) <= _MOST_BODIES) for row in rows],
        began=began,
        milliseconds=total,
        objects=list(_objects(rows)),
        is_cut=len(rows) == journey.MOST_OF_A_JOURNEY,
    )


def _hop(row: Exchange, began: datetime, total: float, *, has_bodies: bool) -> Hop:
    offset = _milliseconds(began, row.at)
    width = max(_THINNEST, row.milliseconds / total * _WIDTH)
    x = min(offset / total * _WIDTH, _WIDTH - width)
    # A timedelta is rounded to microseconds, a row's time is not: a bar may come out too wide.
    return Hop(row, offset, round(max(0.0, x), 1), round(min(width, _WIDTH), 1), has_bodies)


def _milliseconds(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(milliseconds=1)


def _objects(rows: Sequence[Exchange]) -> Iterator[SafeString | str]:
    """Return links to what the journey is about: mostly one object, named by all its hops."""
    different = {(row.module, row.object_key): row for row in rows if row.object_key}
    yield from map(object_of, list(different.values())[:_MOST_OBJECTS])
