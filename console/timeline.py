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

WIDTH = 1_000
"""How many steps a bar's place has."""
_MOST_BODIES = 40
_MOST_OBJECTS = 5
_THINNEST = 4


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a journey, and where its bar stands."""

    row: Exchange
    offset: float
    x: float
    width: float
    whole: bool

    @property
    def good(self) -> bool:
        """Whether it was answered with success."""
        return self.row.status_code is not None and is_success(self.row.status_code)

    @property
    def is_between_parties(self) -> bool:
        """Whether both sides are parties that agree on something: the hub is none of them."""
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
    def asked(self) -> str:
        """The request's body, laid out."""
        return laid_out(self.row.request_body.encode())

    @property
    def answered(self) -> str:
        """The answer's body, laid out."""
        return laid_out(self.row.response_body.encode())


@dataclass(frozen=True, slots=True)
class Journey:
    """All that carried one correlation id."""

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
    rows = journey.journey(correlation_id, bodies=_MOST_BODIES) if correlation_id else []
    if not rows:
        return None
    began = min(row.at for row in rows)
    ended = max(row.at + timedelta(milliseconds=row.milliseconds) for row in rows)
    total = _milliseconds(began, ended) or 1.0
    return Journey(
        hops=[_hop(row, began, total, whole=len(rows) <= _MOST_BODIES) for row in rows],
        began=began,
        milliseconds=total,
        objects=list(_objects(rows)),
        is_cut=len(rows) == journey.MOST_OF_A_JOURNEY,
    )


def _hop(row: Exchange, began: datetime, total: float, *, whole: bool) -> Hop:
    offset = _milliseconds(began, row.at)
    width = max(_THINNEST, row.milliseconds / total * WIDTH)
    x = min(offset / total * WIDTH, WIDTH - width)
    return Hop(row, offset, round(max(0.0, x), 1), round(min(width, WIDTH), 1), whole)


def _milliseconds(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(milliseconds=1)


def _objects(rows: Sequence[Exchange]) -> Iterator[SafeString | str]:
    """Lead to what the journey is about: mostly one object, in all its hops."""
    different = {(row.module, row.object_key): row for row in rows if row.object_key}
    yield from map(object_of, list(different.values())[:_MOST_OBJECTS])
