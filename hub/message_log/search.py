"""The search in millions of messages, page after page, each in bounded time.

docs/architecture.md#the-message-log. The most selective condition of a query drives an index,
newest first. The others are tested on a window of the rows that it yields, then on the next and
larger one, until the page is full or the time is up. So a page may have few rows, or none, and say
how far back it looked. Nothing is counted.

Example: PATCHes of Locations by NL-CPA, 50 a page. The index of senders yields the newest 1,000
messages of NL-CPA, 12 of them match; the next window has 4,000, and so on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Self

from hub.message_log import sql as statements
from hub.message_log.entry import LoggedRoute
from hub.message_log.journey import keys
from hub.message_log.sql import Fragment
from hub.models import Exchange
from ocpi.status_codes import StatusCode
from ocpi.types import PartyRef

FAILED = "failed"
"""The value of `code` for every status code but 1000, and for answers without one."""
_FIRST_WINDOW = 1_000
_LARGEST_WINDOW = 64_000
"""Rows."""
_GROWTH = 4
_MOST_WINDOWS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """What an operator looks for; an empty field is no condition.

    `words` is a whole correlation id, request id or object id; `code` is a number or `FAILED`.
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
class LogPosition:
    """The position of a row in the order of the log."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.pk}"

    @classmethod
    def of(cls, row: Exchange) -> Self:
        """Return a row's position."""
        return cls(row.at, row.pk)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; ValueError if it did not."""
        moment, _, pk = text.partition("-")
        try:
            found = cls(_EPOCH + int(moment) * _MICROSECOND, int(pk))
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r:.40} is no position in the log") from None
        if not 0 <= found.pk <= _LARGEST_ID:
            raise ValueError(f"{text!r:.40} is no position in the log")
        return found


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Rows, newest first; `older` is where the next page begins, if there may be one.

    `reached` is set when the time was up before the page was full: how far back the search came.
    """

    rows: list[Exchange]
    older: LogPosition | None = None
    reached: datetime | None = None


def search(
    query: MessageQuery,
    *,
    limit: int,
    before: LogPosition | None = None,
    max_seconds: float | None = None,
) -> MessagePage:
    """Return the newest `limit` messages that match, older than a position.

    Without `max_seconds` the search goes on to the end of the log.
    """
    if query.words:
        query = _with_words_identified(query)
    found: list[Exchange] = []
    started, last = monotonic(), before
    for size in _window_sizes(started, max_seconds):
        rows = _read_window(query, last, size=size, most=limit + 1 - len(found))
        found += (row for row in rows if row.matches)  # type: ignore[attr-defined]  # see statements
        if len(found) > limit:
            return MessagePage(found[:limit], older=LogPosition.of(found[limit - 1]))
        if not rows or rows[-1].number < size:  # type: ignore[attr-defined]
            return MessagePage(found)
        last = LogPosition.of(rows[-1])
    return MessagePage(found, older=last, reached=last.at if last else None)


def _with_words_identified(query: MessageQuery) -> MessageQuery:
    """Return the query with its words as the kind of id under which the log has them."""
    words, plain = query.words, replace(query, words="")
    if Exchange.objects.filter(correlation_id=words).exists():
        return replace(plain, correlation_id=words)
    if Exchange.objects.filter(request_id=words).exists():
        return replace(plain, request_id=words)
    return replace(plain, object_id=words)


def _window_sizes(started: float, max_seconds: float | None) -> Iterator[int]:
    """Yield growing sizes, as long as the next window, `_GROWTH` times as slow, may be in time."""
    size, number, spent = _FIRST_WINDOW, 0, 0.0
    while max_seconds is None or (number < _MOST_WINDOWS and spent * _GROWTH <= max_seconds):
        yield size
        size, number = min(size * _GROWTH, _LARGEST_WINDOW), number + 1
        spent = monotonic() - started


def _read_window(
    query: MessageQuery, last: LogPosition | None, *, size: int, most: int
) -> list[Exchange]:
    """Return the rows that match in a window, and its last row even if it does not."""
    time = list(_time_conditions(query, last))
    driving = [statements.all_of([each, *time]) for each in _driving_conditions(query)]
    matching = statements.all_of(_conditions_but_time(query))
    statement = statements.matches_in_window(driving, matching, size=size, most=most)
    return list(Exchange.objects.raw(statement.text, statement.values))


def _time_conditions(query: MessageQuery, last: LogPosition | None) -> Iterator[Fragment]:
    if last is not None:
        yield statements.older(last.at, last.pk)
    if query.since:
        yield statements.since(query.since)
    if query.until:
        yield statements.until(query.until)


def _driving_conditions(query: MessageQuery) -> list[Fragment]:
    """Return the most selective condition of a query: an id, a failure, a party or a module.

    Each that is returned has an index in the order of time, and no row meets two of them.
    """
    for column in ("correlation_id", "request_id"):
        if value := getattr(query, column):
            return [statements.equal(column, value)]
    if query.object_id:
        return [statements.equal("object_key", key) for key in sorted(keys(query.object_id))]
    return _driving_conditions_of_many(query)


def _driving_conditions_of_many(query: MessageQuery) -> list[Fragment]:
    if query.code == FAILED or query.route == LoggedRoute.REFUSED:
        return [statements.FAILED]
    if query.code and int(query.code) != StatusCode.SUCCESS:
        return [_code_condition(query.code)]
    if query.party:
        party = str(PartyRef.parse(query.party))
        return [statements.equal("sender", party), statements.to_another(party)]
    return [statements.equal("module", query.module) if query.module else statements.EVERY_MESSAGE]


def _conditions_but_time(query: MessageQuery) -> Iterator[Fragment]:
    for column in ("correlation_id", "request_id", "module", "direction", "route"):
        if value := getattr(query, column):
            yield statements.equal(column, value)
    if query.object_id:
        yield statements.any_of("object_key", sorted(keys(query.object_id)))
    if query.party:
        yield statements.from_or_to(str(PartyRef.parse(query.party)))
    if query.code:
        yield _code_condition(query.code)


def _code_condition(code: str) -> Fragment:
    return statements.FAILED if code == FAILED else statements.equal("status_code", int(code))
