"""Looking for messages among millions: pages by key, in windows, without counting."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hub.message_log.search import FAILED, LogPosition, MessageQuery, search
from hub.models import Exchange

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def exchanges(number: int, **values: Any) -> list[Exchange]:
    """Write some, the newest first, each a second older than the one before."""
    usual = {
        "direction": "in",
        "sender": "NL-CPA",
        "receiver": "DE-MSA",
        "module": "locations",
        "status_code": 1000,
        "milliseconds": 1.0,
        "correlation_id": "c",
    }
    rows = [
        Exchange(**{"at": NOW - timedelta(seconds=age), **usual, **values}) for age in range(number)
    ]
    return Exchange.objects.bulk_create(rows)


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    """Also where messages began in the same microsecond."""
    rows = exchanges(3) + exchanges(4, at=NOW - timedelta(minutes=1))
    seen: list[int] = []
    before = None
    while True:
        page = search(MessageQuery(), limit=2, before=before)
        seen += [row.pk for row in page.rows]
        if page.older is None:
            break
        before = LogPosition.parse(str(page.older))
    expected = sorted(rows, key=lambda row: (row.at, row.pk), reverse=True)
    assert seen == [row.pk for row in expected]


@pytest.mark.parametrize(
    "query",
    [
        MessageQuery(words="its-correlation"),
        MessageQuery(words="its-request"),
        MessageQuery(words="l77"),
        MessageQuery(object_id="L77", module="tokens"),
        MessageQuery(party="FR-MSB"),
        MessageQuery(party="NL-CPX"),
        MessageQuery(party="NL-CPX", module="tokens", direction="out"),
        MessageQuery(module="tokens"),
        MessageQuery(code="4003"),
        MessageQuery(code=FAILED),
        MessageQuery(code=FAILED, party="FR-MSB"),
        MessageQuery(direction="out"),
        MessageQuery(route="refused"),
        MessageQuery(until=NOW - timedelta(hours=1)),
    ],
)
def test_everything_can_be_looked_for(query: MessageQuery) -> None:
    """Alone and together, whichever index leads there."""
    exchanges(3)
    [its] = exchanges(
        1,
        at=NOW - timedelta(hours=2),
        direction="out",
        sender="NL-CPX",
        receiver="FR-MSB",
        module="tokens",
        status_code=4003,
        route="refused",
        object_key="L77",
        correlation_id="its-correlation",
        request_id="its-request",
    )
    assert [row.pk for row in search(query, limit=10).rows] == [its.pk]


def test_no_answer_is_a_failure() -> None:
    """As is any code but 1000; not what went well."""
    [silent] = exchanges(1, status_code=None)
    [wrong] = exchanges(1, status_code=2001)
    exchanges(2)
    assert {row.pk for row in search(MessageQuery(code=FAILED), limit=9).rows} == {
        silent.pk,
        wrong.pk,
    }


def test_no_match_is_skipped_between_windows() -> None:
    """One message behind thousands that do not match is found, in a few queries."""
    exchanges(6_000)
    [its] = exchanges(1, at=NOW - timedelta(days=1), direction="out")
    with CaptureQueriesContext(connection) as queries:
        assert [row.pk for row in search(MessageQuery(direction="out"), limit=5).rows] == [its.pk]
    assert len(queries) <= 3
    assert not [query for query in queries if "COUNT" in query["sql"].upper()]


def test_when_its_time_is_up_it_says_how_far_it_came() -> None:
    """The next page goes on below, though this one is empty."""
    rows = exchanges(1_500)
    [its] = exchanges(1, at=NOW - timedelta(days=1), direction="out")
    page = search(MessageQuery(direction="out"), limit=5, max_seconds=0)
    assert (page.rows, page.reached) == ([], rows[999].at)
    page = search(MessageQuery(direction="out"), limit=5, max_seconds=0, before=page.older)
    assert ([row.pk for row in page.rows], page.reached) == ([its.pk], None)


@pytest.mark.parametrize("text", ["", "x", "1-", "1--1", "9" * 40 + "-1", f"1-{2**63}"])
def test_a_position_that_is_none_is_refused(text: str) -> None:
    """With a sentence."""
    with pytest.raises(ValueError, match="is no position in the log"):
        LogPosition.parse(text)
