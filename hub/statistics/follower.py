"""What follows the feed of Locations: their places on the map, and the statuses of their EVSEs.

docs/architecture.md#figures. A write does not wait for its figures: beat has the feed read every
second, each batch in one statement together with the position it leads to, so that a follower that
dies loses nothing and counts nothing twice. Places are counted as things stand; the past of a
status is read from the feed, so that it is whole however late. Whoever shows figures says as of
when they are.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.utils import timezone

from database import sql
from hub.feed import END_OF_TRANSACTION
from hub.models import Follower
from hub.statistics import evse_statuses
from hub.statistics import follower_sql as statements
from hub.statistics.evse_statuses import NOT_THERE, Changed, Known, Said
from hub.statistics.follower_sql import FollowedRow, KnownRow, UnfedRow
from ocpi.types import ModuleID, format_datetime

_BATCH = 100
"""Changes that one statement follows: delivery of what is written meanwhile waits for it."""
_OCTETS = 8_000_000
"""Of bodies in memory."""
_LONGEST_SECONDS = 0.8
"""Less than the second after which beat starts the next run."""


def follow(*, seconds: float = _LONGEST_SECONDS) -> None:
    """Follow the feed to its end, or for so long."""
    end = time.monotonic() + seconds
    while _step() and time.monotonic() < end:
        pass


def recount() -> None:
    """Have `follow` count all Locations anew, batch by batch; again is as good as once."""
    sql.rows(statements.BEGIN, {})
    sql.rows(statements.RECOUNT, {})


def state() -> Follower | None:
    """Return how far figures of Locations follow the feed; None before the first of them."""
    return Follower.objects.filter(pk=ModuleID.LOCATIONS).first()


def as_of() -> str | None:
    """Return the moment that all figures of Locations include, as OCPI writes one."""
    found = state()
    return format_datetime(found.as_of) if found else None


@dataclass(slots=True)
class _Location:
    """One that was written: its EVSEs as they are, their ids, and what is known of them, by key."""

    present: dict[str, str] = field(default_factory=dict)
    evses: dict[str, int] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def add(self, row: KnownRow) -> None:
        if row.evse is None:
            return
        self.present[row.key], self.evses[row.key] = row.present, row.evse
        self.known[row.key] = Known(row.status or NOT_THERE, row.since)
        if row.status is None:
            self.unknown.add(row.key)

    def take_as_known(self, since: Any) -> None:  # noqa: ANN401 - a moment
        """Take EVSEs of which nothing is known to have been as they are."""
        for key in self.unknown:
            self.known[key] = Known(self.present[key], since)


def _step() -> bool:
    """Follow one batch; return whether there may be more."""
    read = _read()
    place, changes = read[0], [row for row in read if row.seq is not None]
    unfed = sql.rows(statements.READ_UNFED, {"limit": _BATCH})
    after = 0 if _is_too_old(place) else place.recounted_to
    recounted = _recounted(place, after)
    written = _Written(changes, unfed, [seq for seq, is_pending in recounted if not is_pending])
    statuses, noted = written.statuses()
    last = changes[-1] if changes else None
    reached = (last.transaction, last.seq) if last else (place.below - 1, END_OF_TRANSACTION)
    done = sql.row(
        statements.ADVANCE,
        {
            "from_transaction": place.from_transaction,
            "from_seq": place.from_seq,
            "from_as_of": place.as_of,
            "from_recounted": place.recounted_to,
            "transaction": max(reached, (place.from_transaction, place.from_seq))[0],
            "seq": max(reached, (place.from_transaction, place.from_seq))[1],
            "as_of": max(place.as_of, last.created_at) if last else place.final_until,
            "recounted_to": recounted[-1][0] if recounted else None,
            "locations": list(written.locations),
            "statuses": _json(statuses),
            "changes": _json(noted),
            "unfed": [row.id for row in unfed],
        },
    )
    return bool(done and done[0]) and bool(changes or unfed or recounted)


def _read() -> list[FollowedRow]:
    batch = {"limit": _BATCH, "octets": _OCTETS}
    found = sql.rows(statements.READ, batch)
    if not found:
        sql.rows(statements.BEGIN, {})
        found = sql.rows(statements.READ, batch)
    return found


def _is_too_old(place: FollowedRow) -> bool:
    """Whether changes may be gone from the feed that were not followed."""
    return timezone.now() - place.as_of > timedelta(days=settings.HUB_FEED_DAYS)


def _recounted(place: FollowedRow, after: int | None) -> Sequence[tuple[Any, ...]]:
    """Return the next to be counted anew, and of each whether a change of it is still to come."""
    if after is None:
        return ()
    position = {"transaction": place.from_transaction, "seq": place.from_seq}
    return sql.rows(statements.RECOUNTED, {**position, "after": after, "limit": _BATCH})


class _Written:
    """The Locations of one batch: those that changed, own copies, and those counted anew."""

    def __init__(
        self, changes: Sequence[FollowedRow], unfed: Sequence[UnfedRow], recounted: Sequence[int]
    ) -> None:
        self.changes, self.unfed, self.recounted = changes, unfed, recounted
        named = {(row.owner, row.object_key) for row in changes}
        found = sql.rows(
            statements.KNOWN,
            {
                "locations": [*{row.location for row in unfed}, *recounted],
                "owners": [owner for owner, _ in named],
                "keys": [key for _, key in named],
            },
        )
        self.locations: dict[int, _Location] = defaultdict(_Location)
        self._by_name: dict[tuple[str, str], int] = {}
        for row in found:
            self.locations[row.location].add(row)
            if not row.audience:
                self._by_name[row.owner, row.object_key] = row.location

    def statuses(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the statuses that are other than known, and the changes that led to them."""
        now = timezone.now()
        for seq in self.recounted:
            self.locations[seq].take_as_known(now)
        statuses, noted = [], []
        for seq, said in self._said().items():
            location = self.locations[seq]
            changed = evse_statuses.follow(location.known, said)
            new = location.unknown if seq in self.recounted else set()
            for key in {*changed, *new}:
                evse = location.evses[key]
                statuses.append({"evse": evse, **asdict(location.known[key])})
                noted += [{"evse": evse, **asdict(each)} for each in _of(changed, key)]
        return statuses, noted

    def _said(self) -> Mapping[int, list[Said]]:
        """Return what is said of each Location's EVSEs: by its changes, or by how they are."""
        found: dict[int, list[Said]] = defaultdict(list)
        for row in self.changes:
            seq = self._by_name.get((row.owner, row.object_key))
            if seq is not None:
                said = evse_statuses.said(row.method, row.path, row.body, row.created_at)
                found[seq].append(said)
        for seq, at in self._as_they_are():
            if seq in self.locations:
                found[seq].append(Said(self.locations[seq].present, at))
        return found

    def _as_they_are(self) -> Iterator[tuple[int, Any]]:
        yield from ((row.location, row.at) for row in self.unfed)
        yield from ((seq, timezone.now()) for seq in self.recounted)


def _of(changed: Mapping[str, list[Changed]], key: str) -> Iterable[Changed]:
    return changed.get(key, ())


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
