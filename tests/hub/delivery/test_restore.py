"""Bringing subscriptions in line: also in another cluster, and never for long."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction

from hub.delivery import subscriptions
from hub.models import Change, Snapshot, Subscription
from hub.module_policy import Delivery
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, Cast, a_location
from tests.hub.concurrency import at_once
from tests.hub.location_owner import Owner, received

Deliver = Callable[[], int]
_ELSEWHERE = 2**60


def test_positions_from_another_cluster_are_given_up(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Everybody gets everything once more, and what comes later."""
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    emsp.forget()
    Change.objects.update(transaction=_ELSEWHERE)
    Subscription.objects.update(transaction=_ELSEWHERE, compacted_to=_ELSEWHERE)

    owner.put("L2", body=a_location(CPA, 2))
    deliver_all()

    assert set(received(emsp)) == {"NL-CPA/L1", "NL-CPA/L2"}
    assert not Subscription.objects.filter(transaction__gte=_ELSEWHERE).exists()
    assert not Subscription.objects.filter(module="locations", compacted_to__gt=0).exists()
    emsp.forget()
    owner.put("L3", body=a_location(CPA, 3))
    deliver_all()
    assert "NL-CPA/L3" in received(emsp)


def test_a_backlog_from_another_cluster_is_not_lost(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Changes above the counter would wait for ages; a snapshot brings what they were about."""
    owner.put("L1", body=a_location(CPA, 1))
    Change.objects.update(transaction=_ELSEWHERE)

    deliver_all()

    assert set(received(emsp)) == {"NL-CPA/L1"}
    assert set(Change.objects.values_list("transaction", flat=True)) == {0}


def test_nobody_starts_anew_without_need(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """A position just behind the last transaction is its own cluster's."""
    before = set(Snapshot.objects.values_list("pk", flat=True))
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()

    subscriptions.reconcile()

    assert set(Snapshot.objects.values_list("pk", flat=True)) == before


def test_a_step_that_takes_too_long_is_left_for_later(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends, the log has it, and the other steps are taken."""
    cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    monkeypatch.setattr(subscriptions, "_RECONCILE_TIMEOUT", "100ms")
    steps = ("SELECT pg_sleep(10)", *subscriptions._STEPS[Delivery.LATEST_STATE])
    monkeypatch.setitem(subscriptions._STEPS, Delivery.LATEST_STATE, steps)

    subscriptions.reconcile()

    assert "brought in line later" in caplog.text
    assert Snapshot.objects.filter(owner="NL-CPA").exists()


def test_one_process_at_a_time_brings_subscriptions_in_line(cast: Cast) -> None:
    """Whoever comes second leaves it to the first and does not wait."""
    cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    Subscription.objects.all().delete()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [subscriptions._RECONCILE_LOCK])
        at_once([subscriptions.reconcile])
        assert not Subscription.objects.exists()

    subscriptions.reconcile()
    assert Subscription.objects.exists()
