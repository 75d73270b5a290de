"""Finding messages among millions: page after page, each in bounded time.

docs/architecture.md#the-message-log. The most telling condition drives an index, newest first; the
rest is asked of a window of what it yields, then of a larger one below, as long as there is
patience. So a page may have few rows, or none, and say how far back it looked. Nothing is counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Self

from hub.message_log.entry import Way
from hub.message_log.journey import BODIES, keys
from hub.message_log.rows import COLUMNS
from hub.models import Exchange
from ocpi.types import PartyRef

FAILED = "failed"
"""Every OCPI status code but 1000, and none."""
_FIRST_WINDOW = 1_000
_LARGEST_WINDOW = 64_000
_GROWTH = 4
_MOST_ROUNDS = 6
_GOOD = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_ID = 2**63 - 1
_SHOWN = ", ".join(("id", *(name for name in COLUMNS if name not in BODIES)))

_NEWEST_FIRST = "ORDER BY at DESC, id DESC LIMIT %s"


@dataclass(frozen=True, slots=True)
class _Sql:
    """A condition or a query, and what stands for its marks."""

    sql: str
    values: list[object]


_HAS_FAILED = _Sql(f"NOT (status_code = {_GOOD} AND status_code IS NOT NULL)", [])
"""As the index spells it."""


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """What an operator looks for; what is empty does not matter.

    `words` are a whole correlation id, request id or object id; `code` is a number or `FAILED`.
    """

    words: str = ""
    correlation_id: str = ""
    request_id: str = ""
    object_id: str = ""
    party: str = ""
    module: str = ""
    code: str = ""
    direction: str = ""
    route: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """The place of a row in the order of the log."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.pk}"

    @classmethod
    def of(cls, row: Exchange) -> Self:
        """Return a row's place."""
        return cls(row.at, row.pk)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; ValueError if it did not."""
        moment, _, pk = text.partition("-")
        try:
            found = cls(_EPOCH + int(moment) * _MICROSECOND, int(pk))
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r:.40} is no place in the log") from None
        if not 0 <= found.pk <= _LARGEST_ID:
            raise ValueError(f"{text!r:.40} is no place in the log")
        return found


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Rows, newest first; `older` is where the next page begins, if there may be one.

    `reached` is how far back was looked when the page is not full for lack of patience.
    """

    rows: list[Exchange]
    older: Key | None = None
    reached: datetime | None = None


def search(
    wanted: MessageQuery, *, limit: int, before: Key | None = None, patience: float | None = None
) -> MessagePage:
    """Return the newest messages that are wanted, below a place; with no limit of patience, all."""
    if wanted.words:
        wanted = _told_apart(wanted)
    found: list[Exchange] = []
    started, last = monotonic(), before
    for window in _windows(started, patience):
        rows = _look(wanted, last, window=window, most=limit + 1 - len(found))
        found += (row for row in rows if row.fits)  # type: ignore[attr-defined]  # see _look
        if len(found) > limit:
            return MessagePage(found[:limit], older=Key.of(found[limit - 1]))
        if not rows or rows[-1].place < window:  # type: ignore[attr-defined]
            return MessagePage(found)
        last = Key.of(rows[-1])
    return MessagePage(found, older=last, reached=last.at if last else None)


def _windows(started: float, patience: float | None) -> Iterator[int]:
    """Return larger and larger windows; the next one is expected to take as much longer."""
    size, number, spent = _FIRST_WINDOW, 0, 0.0
    while patience is None or (number < _MOST_ROUNDS and spent * _GROWTH <= patience):
        yield size
        size, number = min(size * _GROWTH, _LARGEST_WINDOW), number + 1
        spent = monotonic() - started


def _look(wanted: MessageQuery, last: Key | None, *, window: int, most: int) -> list[Exchange]:
    """Return what fits in a window, and its last row whether it fits or not."""
    fits = _joined(_conditions(wanted))
    inner = _window(wanted, last, window)
    sql = f"""
SELECT * FROM (
    SELECT *, ({fits.sql}) AS fits, row_number() OVER () AS place FROM (
        SELECT * FROM ({inner.sql}) driven {_NEWEST_FIRST}
    ) one
) two
WHERE fits OR place = %s LIMIT %s"""
    values = [*fits.values, *inner.values, window, window, most]
    return list(Exchange.objects.raw(sql, values))


def _window(wanted: MessageQuery, last: Key | None, size: int) -> _Sql:
    """Write what is looked through: by one index in the order of time, or by two.

    Each is limited for itself: of a limited UNION PostgreSQL would read and sort all.
    """
    time = list(_times(wanted, last))
    parts = [_joined([driving, *time]) for driving in _driving(wanted)]
    sql = " UNION ALL ".join(
        f"(SELECT {_SHOWN} FROM hub_exchange WHERE {part.sql} {_NEWEST_FIRST})" for part in parts
    )
    return _Sql(sql, [value for part in parts for value in (*part.values, size)])


def _times(wanted: MessageQuery, last: Key | None) -> Iterator[_Sql]:
    if last is not None:
        yield _Sql("at <= %s AND (at, id) < (%s, %s)", [last.at, last.at, last.pk])
    if wanted.since:
        yield _Sql("at >= %s", [wanted.since])
    if wanted.until:
        yield _Sql("at < %s", [wanted.until])


def _driving(wanted: MessageQuery) -> list[_Sql]:
    """Return conditions of which each has an index in the order of time, without rows in common."""
    for column in ("correlation_id", "request_id"):
        if value := getattr(wanted, column):
            return [_Sql(f"{column} = %s", [value])]
    if wanted.object_id:
        return [_Sql("object_key = %s", [key]) for key in sorted(keys(wanted.object_id))]
    return _of_many(wanted)


def _of_many(wanted: MessageQuery) -> list[_Sql]:
    if wanted.code == FAILED or wanted.route == Way.REFUSED:
        return [_HAS_FAILED]
    if wanted.code and int(wanted.code) != _GOOD:
        return [_Sql("status_code = %s", [int(wanted.code)])]
    if wanted.party:
        key = str(PartyRef.parse(wanted.party))
        return [_Sql("sender = %s", [key]), _Sql("receiver = %s AND sender <> %s", [key, key])]
    return [_Sql("module = %s", [wanted.module]) if wanted.module else _Sql("TRUE", [])]


def _conditions(wanted: MessageQuery) -> Iterator[_Sql]:
    """Write all but the time."""
    for column in ("correlation_id", "request_id", "module", "direction", "route"):
        if value := getattr(wanted, column):
            yield _Sql(f"{column} = %s", [value])
    if wanted.object_id:
        yield _Sql("object_key = ANY(%s)", [sorted(keys(wanted.object_id))])
    if wanted.party:
        yield _Sql("%s IN (sender, receiver)", [str(PartyRef.parse(wanted.party))])
    if wanted.code:
        is_number = wanted.code != FAILED
        yield _Sql("status_code = %s", [int(wanted.code)]) if is_number else _HAS_FAILED


def _joined(parts: Iterable[_Sql]) -> _Sql:
    found = list(parts)
    sql = " AND ".join(part.sql for part in found) or "TRUE"
    return _Sql(sql, [value for part in found for value in part.values])


def _told_apart(wanted: MessageQuery) -> MessageQuery:
    """Return the same with what its words turn out to be: the first that anything is found by."""
    words, plain = wanted.words, replace(wanted, words="")
    if Exchange.objects.filter(correlation_id=words).exists():
        return replace(plain, correlation_id=words)
    if Exchange.objects.filter(request_id=words).exists():
        return replace(plain, request_id=words)
    return replace(plain, object_id=words)
