"""The epoch of the parties: which changes end it, when they are seen, and who asks for it."""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from database import own_connection, sql
from hub.gateway import sql as gateway_sql
from parties import epoch
from parties import sql as parties_sql
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, Credentials, Endpoint, Party, Platform
from parties.quirks import Quirks
from sandbox import SandboxPlatform
from tests.factories import (
    AgreementFactory,
    CredentialsFactory,
    EndpointFactory,
    PlatformFactory,
)
from tests.hub.concurrency import at_once, closing, wait_for_a_lock
from tests.parties.conftest import Start
from tests.parties.wire import Wire, invited

pytestmark = pytest.mark.usefixtures("transactional_db")
LATER = timezone.now() + timedelta(days=1)
Rows = dict[str, Any]


@pytest.fixture
def rows() -> Rows:
    """Give a row of each table that the answers about parties come from."""
    agreement: Any = AgreementFactory.create()
    platform = agreement.cpo.platform
    return {
        "platform": platform,
        "party": agreement.cpo,
        "agreement": agreement,
        "credentials": CredentialsFactory.create(platform=platform),
        "endpoint": EndpointFactory.create(platform=platform),
    }


def present() -> epoch.Epoch:
    """Ask which epoch it is, outside of transactions."""
    found = epoch.current()
    assert found
    return found


def raised_by(change: Callable[[], object]) -> int:
    """Return by how much a change raises the number of the epoch."""
    before = present().number
    change()
    return present().number - before


DECISIVE: list[tuple[str, Rows]] = [
    ("platform", {"status": ConnectionStatus.SUSPENDED.value}),
    ("platform", {"version": "2.2"}),
    ("platform", {"quirks": Quirks(base64_out=False)}),
    ("platform", {"name": "renamed"}),
    ("party", {"is_active": False}),
    ("party", {"role": "NAP"}),
    ("party", {"party_id": "NEW"}),
    ("party", {"reported_status": ConnectionStatus.OFFLINE.value}),
    ("agreement", {"state": "SUSPENDED"}),
    ("agreement", {"modules": ["cdrs"]}),
    ("agreement", {"valid_from": LATER}),
    ("agreement", {"valid_until": LATER}),
    ("credentials", {"revoked_at": LATER}),
    ("credentials", {"valid_until": LATER}),
    ("credentials", {"first_used_at": LATER}),
    ("credentials", {"digest": "0" * 64}),
    ("endpoint", {"url": "https://example.org/elsewhere"}),
]
OF_TRAFFIC: list[tuple[str, Rows]] = [
    *(
        ("platform", {column: LATER})
        for column in ("last_seen_at", "last_ping_at", "next_attempt_at", "doubted_at")
    ),
    ("platform", {"circuit_until": LATER, "unanswered": 7}),
    ("platform", {"failures": 3, "unreachable": 3, "last_error": "odd", "last_error_at": LATER}),
    ("platform", {"alarm": "refused", "alarm_at": LATER, "handshake_until": LATER}),
    ("platform", {"status": ConnectionStatus.CONNECTED.value}),
    ("party", {"reported_at": LATER, "website": "https://example.org"}),
    ("credentials", {"form": "RAW"}),
]


@pytest.mark.parametrize("table, change", DECISIVE)
def test_what_decides_begins_an_epoch(rows: Rows, table: str, change: Rows) -> None:
    """Each change of a token, party, agreement or endpoint, and a platform's few, counts once."""
    row = rows[table]
    assert raised_by(lambda: type(row).objects.filter(pk=row.pk).update(**change)) == 1


@pytest.mark.parametrize("table, change", OF_TRAFFIC)
def test_what_traffic_writes_begins_none(rows: Rows, table: str, change: Rows) -> None:
    """How a platform is heard of changes all the time, and no answer about who may what."""
    row = rows[table]
    assert raised_by(lambda: type(row).objects.filter(pk=row.pk).update(**change)) == 0


HEALTH = {"failures", "next_attempt_at", "unanswered", "circuit_until", "last_seen_at", "alarm"}
"""How a platform is connected: what tells of it is remembered for a second only."""
REMEMBERED = [
    (parties_sql.PRESENTED_TOKEN.text, "p"),
    (parties_sql.OUTBOUND_TOKEN.text, "p"),
    (gateway_sql.REGISTRATIONS.text, "f"),
    (parties_sql.PAIRS_BY_AGREEMENT, "(?:owner|receiver)_platform"),
    (parties_sql.PAIRS_IN_OPEN_ACCESS, "(?:owner|receiver)_platform"),
]


@pytest.mark.parametrize("statement, alias", REMEMBERED)
def test_what_is_remembered_of_a_platform_counts_or_is_its_health(
    statement: str, alias: str
) -> None:
    """An answer depends on no other column of a platform: a change of it would not be noticed."""
    counted = {
        "id",
        *(column for table, change in DECISIVE if table == "platform" for column in change),
    }
    read = set(re.findall(rf"\b{alias}\.(\w+)", statement))
    assert "id" in read
    assert read - counted - HEALTH == set()


def test_a_row_written_as_it_was_begins_none(rows: Rows) -> None:
    """A form that is saved without a change costs nobody anything."""
    for row in rows.values():
        row.refresh_from_db()
        assert raised_by(row.save) == 0


def test_rows_that_come_and_go_begin_one(rows: Rows) -> None:
    """A row of any of the tables counts when it comes and when it is deleted."""
    for model in (Agreement, Endpoint, Credentials, Party, Platform):
        assert raised_by(model.objects.filter(pk=rows[str(model._meta.model_name)].pk).delete) == 1
    for made in (PlatformFactory, EndpointFactory, CredentialsFactory):
        assert raised_by(made.create) > 0


def test_emptied_tables_begin_one(rows: Rows) -> None:
    """TRUNCATE, which fires no trigger of a row, counts as well."""
    with own_connection.connect("tests") as other:
        assert raised_by(lambda: other.execute("TRUNCATE parties_agreement")) == 1
    assert rows


def test_a_transaction_begins_one_however_much_it_changes(rows: Rows) -> None:
    """The row is locked and written once, by the first of many changes."""

    @transaction.atomic
    def many() -> None:
        for day in range(5):
            until = LATER + timedelta(days=day)
            Agreement.objects.update(valid_until=until)
            with transaction.atomic():
                Endpoint.objects.update(url=f"https://example.org/{day}")

    assert raised_by(many) == 1
    assert rows


def test_what_is_rolled_back_begins_none(rows: Rows) -> None:
    """A change that did not happen is none; not one of a savepoint either."""

    @transaction.atomic
    def nothing() -> None:
        with transaction.atomic():
            Endpoint.objects.update(url="https://example.org/never")
            transaction.set_rollback(True)

    assert raised_by(nothing) == 0

    @transaction.atomic
    def deleted() -> None:
        rows["agreement"].delete()
        transaction.set_rollback(True)

    assert raised_by(deleted) == 0


def test_an_epoch_begins_with_the_commit(rows: Rows) -> None:
    """Before it nobody else sees the change, and nobody else is told of one."""
    before = present()
    with transaction.atomic():
        rows["agreement"].delete()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(present).result() is before
    assert present().number == before.number + 1


def test_a_change_waits_for_nobody_until_its_commit(rows: Rows) -> None:
    """Of two transactions that change parties, neither holds up the other before it commits."""
    with own_connection.connect("tests") as other, other.transaction():
        other.execute("UPDATE parties_endpoint SET url = 'https://example.org/one'")
        with transaction.atomic():
            Agreement.objects.update(valid_until=LATER)
            Platform.objects.filter(pk=rows["platform"].pk).update(version="2.2")
        other.execute("UPDATE parties_party SET reported_status = 'OFFLINE'")


def test_changes_in_opposite_order_do_not_block_each_other(rows: Rows) -> None:
    """The epoch's row is locked last: who holds it waits for no row that another has."""
    party, endpoint = rows["party"], rows["endpoint"]
    with own_connection.connect("tests") as observer, ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Party.objects.filter(pk=party.pk).update(is_active=False)

            @transaction.atomic
            def other_way() -> None:
                Endpoint.objects.filter(pk=endpoint.pk).update(url="https://example.org/b")
                Party.objects.filter(pk=party.pk).update(reported_status="OFFLINE")

            later = pool.submit(closing(other_way))
            wait_for_a_lock(observer, "transactionid")
            Agreement.objects.update(valid_until=LATER)
        later.result()
    assert Party.objects.get(pk=party.pk).reported_status == "OFFLINE"


def test_registrations_at_the_same_time_all_succeed(wire: Wire, start: Start) -> None:
    """Eight platforms register, change tokens and leave at once: none meets a lock of another."""
    roles = [f"CPO:NL:{n:03}" for n in range(8)]
    tokens = [invited(role, name=role).token for role in roles]
    platforms = [start(role) for role in roles]

    def come_and_go(platform: SandboxPlatform, token: str) -> None:
        steps = [platform.register_with(wire.versions_url, token)]
        steps += [platform.rotate(), platform.unregister()]
        assert [step.status_code for step in steps] == [1000] * 3

    before = _deadlocks()
    at_once([partial(come_and_go, *each) for each in zip(platforms, tokens, strict=True)])
    assert Platform.objects.filter(status=ConnectionStatus.SUSPENDED).count() == len(roles)
    assert _deadlocks() == before


def _deadlocks() -> object:
    found = sql.row(
        "SELECT pg_stat_force_next_flush(), deadlocks FROM pg_stat_database"
        " WHERE datname = current_database()",
        {},
    )
    assert found
    return found[1]


def test_who_comes_while_a_question_is_under_way_waits_for_the_next(rows: Rows) -> None:
    """A change is seen by each who asks after its commit, also by those who join a question."""
    asked = 200
    seen: list[tuple[int, int]] = []

    def ask() -> None:
        for _ in range(asked):
            least = committed[0]
            seen.append((least, present().number))

    committed = [present().number]

    def change() -> None:
        for n in range(asked):
            Endpoint.objects.update(url=f"https://example.org/{n}")
            committed[0] += 1

    at_once([change, *[ask] * 8])
    assert len(seen) == asked * 8
    assert [pair for pair in seen if pair[1] < pair[0]] == []
    assert rows


def test_who_waits_shares_a_question() -> None:
    """Thirty who come while a question waits for the database are all answered by the next."""
    counted = CountedQuestion()
    with own_connection.connect("tests") as other, ThreadPoolExecutor(31) as pool:
        with other.transaction():
            other.execute("LOCK TABLE parties_epoch")
            first = pool.submit(counted.current)
            wait_for_a_lock(other, "relation")
            waiting = [pool.submit(counted.current) for _ in range(30)]
            while counted.waiting < len(waiting) + 1:
                time.sleep(0.01)
        epochs = {each.result() for each in (first, *waiting)}
    counted.close()
    assert len(epochs) == 1
    assert counted.asked == 2


def test_coroutines_share_a_question() -> None:
    """Thirty that come while a question is under way are answered by the next, which is one."""
    counted = CountedQuestion()
    awaited = epoch.Awaited(counted.current)

    async def ask() -> set[epoch.Epoch]:
        with own_connection.connect("tests") as other:
            with other.transaction():
                other.execute("LOCK TABLE parties_epoch")
                first = asyncio.create_task(awaited.current())
                await asyncio.to_thread(wait_for_a_lock, other, "relation")
                waiting = [asyncio.create_task(awaited.current()) for _ in range(30)]
                await asyncio.sleep(0)
                waiting[0].cancel()
            return {await each for each in (first, *waiting[1:])}

    try:
        assert len(asyncio.run(ask())) == 1
    finally:
        awaited.close()
        counted.close()
    assert counted.asked == 2


def test_a_coroutine_that_asks_after_a_commit_sees_it(rows: Rows) -> None:
    """Whoever else asks at the same moment, no coroutine gets an answer older than itself."""
    awaited = epoch.Awaited()
    committed = present().number

    def change(number: int) -> None:
        nonlocal committed
        with own_connection.connect("tests") as other:
            other.execute("UPDATE parties_endpoint SET url = %s", [f"https://example.org/{number}"])
        committed += 1

    async def ask() -> list[int]:
        late = []
        for _ in range(100):
            least = committed
            late.append((await awaited.current()).number - least)
        return late

    async def all_of_it() -> list[list[int]]:
        asking = [asyncio.create_task(ask()) for _ in range(8)]
        for number in range(50):
            await asyncio.to_thread(change, number)
        return [await each for each in asking]

    try:
        seen = asyncio.run(all_of_it())
    finally:
        awaited.close()
    assert min(map(min, seen)) >= 0
    assert rows


def test_coroutines_are_told_that_the_database_is_gone() -> None:
    """Each hears of it, and the next question is asked anew."""
    failures = [OperationalError("gone")]

    def ask() -> epoch.Epoch:
        if failures:
            raise failures.pop()
        return present()

    awaited = epoch.Awaited(ask)

    async def twice() -> epoch.Epoch:
        with pytest.raises(OperationalError, match="gone"):
            await awaited.current()
        return await awaited.current()

    try:
        assert asyncio.run(twice()) is present()
    finally:
        awaited.close()


class CountedQuestion(epoch.EpochQuestion):
    """Counts how often the database is asked, and for how many."""

    asked = waiting = 0

    def current(self) -> epoch.Epoch:
        """Count who asks."""
        self.waiting += 1
        return super().current()

    def _ask(self) -> epoch.Epoch | psycopg.Error:
        self.asked += 1
        return super()._ask()


def test_an_epoch_ends_when_something_begins_or_ends_by_itself(rows: Rows) -> None:
    """The passing of a moment is noticed as a change is, without one."""
    begins = timezone.now() + timedelta(seconds=0.3)
    Agreement.objects.filter(pk=rows["agreement"].pk).update(valid_until=begins)
    before = present()
    assert epoch.last() is before
    while timezone.now() < begins:
        time.sleep(0.02)
    assert not before.lasts
    assert epoch.last() is None
    after = present()
    assert after is not before
    assert (after.number, after.until) == (before.number, float("inf"))


def test_a_lost_connection_ends_the_epoch(rows: Rows) -> None:
    """The server behind a new connection may be another, restored from a copy: nothing stays."""
    before = present()
    with own_connection.connect("tests") as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'hub: epoch'"
        )
    after = present()
    assert after.number == before.number
    assert after is not before
    assert rows
