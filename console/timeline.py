"""The timeline of a journey: each message as a bar in time, with its masked bodies."""

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
"""Of the drawing, in its own units, as in the viewBox of `timeline.html`."""
_MOST_BODIES = 40
"""A journey of more messages is shown without bodies."""
_MOST_OBJECTS = 5
_LEAST_WIDTH = 4
"""Of a bar, so that a message that took no time can be seen."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a journey and its bar, `width` wide from `x`; it began after `offset` ms.

    `has_bodies` is false in a long journey, whose bodies are not read: each would be a query.
    """

    row: Exchange
    offset: float
    x: float
    width: float
    has_bodies: bool

    @property
    def good(self) -> bool:
        """Whether it has a successful answer."""
        return self.row.status_code is not None and is_success(self.row.status_code)

    @property
    def is_between_parties(self) -> bool:
        """Whether two parties are named, neither of them the hub: they may lack an agreement."""
        sides = {self.row.sender, self.row.receiver}
        return not sides & {"", str(hub_party())}

    @property
    def headers(self) -> dict[str, str]:
        """The headers as far as the log has them."""
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
    """The messages with one correlation id; if it `is_cut`, only the newest of them."""

    hops: Sequence[Hop]
    began: datetime
    milliseconds: float
    objects: Sequence[SafeString | str]
    is_cut: bool

    @property
    def failed(self) -> int:
        """How many hops have no successful answer."""
        return sum(not hop.good for hop in self.hops)


def read(correlation_id: str) -> Journey | None:
    """Return the journey with a correlation id, if there is one."""
    rows = journey.journey(correlation_id, most_with_bodies=_MOST_BODIES)
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
    width = max(_LEAST_WIDTH, row.milliseconds / total * _WIDTH)
    x = min(offset / total * _WIDTH, _WIDTH - width)
    # `total` is rounded to microseconds and `row.milliseconds` is not: a bar may be too wide.
    return Hop(row, offset, round(max(0.0, x), 1), round(min(width, _WIDTH), 1), has_bodies)


def _milliseconds(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(milliseconds=1)


def _objects(rows: Sequence[Exchange]) -> Iterator[SafeString | str]:
    """Return links to the objects that the journey is about, mostly one."""
    different = {(row.module, row.object_key): row for row in rows if row.object_key}
    yield from map(object_of, list(different.values())[:_MOST_OBJECTS])
