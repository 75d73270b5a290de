"""How long the feed is kept, and that nobody loses anything by it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from hub.delivery import feed_retention
from hub.models import Change, DeadLetter, Snapshot, Subscription
from parties.models import Platform
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, Cast, a_location
from tests.hub.delivery import sessions_and_cdrs
from tests.hub.exchange import TARIFFS, Trade
from tests.hub.location_owner import Owner, pushes, received

Deliver = Callable[[], int]


def grow_old(days: int = 15) -> None:
    """Let every change be so many days old."""
    Change.objects.update(created_at=timezone.now() - timedelta(days=days))


def test_what_is_old_and_delivered_goes(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """What is young stays, and nobody gets a snapshot for what it had."""
    for number in (1, 2):
        owner.put(f"L{number}", body=a_location(CPA, number))
    deliver_all()
    grow_old()
    owner.put("L3", body=a_location(CPA, 3))
    deliver_all()
    before = set(Snapshot.objects.values_list("pk", flat=True))

    assert feed_retention.prune() == (2, 0)

    assert [change.object_key for change in Change.objects.all()] == ["L3"]
    assert set(Snapshot.objects.values_list("pk", flat=True)) == before
    assert deliver_all() == 0


def test_batches_are_bounded_and_together_complete(
    owner: Owner, emsp: SandboxPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, a statement removes so many at most."""
    monkeypatch.setattr(feed_retention, "_BATCH", 2)
    for number in range(1, 8):
        owner.put(f"L{number}", body=a_location(CPA, number))
    grow_old()

    assert feed_retention.prune()[0] == 7


def test_a_receiver_that_fell_behind_the_feed_gets_a_full_snapshot(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """What it missed is gone from the feed; it ends with exactly what the owner has."""
    owner.put("L1", body=a_location(CPA, 1))
    owner.put("L2", body=a_location(CPA, 2))
    deliver_all()
    rule = emsp.answer("PUT", misbehaviour.reset())
    owner.put("L1", body=a_location(CPA, 1, name="missed"))
    deliver_all()
    grow_old()

    assert feed_retention.prune() == (3, 1)
    rule.cancel()
    emsp.forget()
    Platform.objects.update(next_attempt_at=None)
    deliver_all()

    assert received(emsp) == {f"NL-CPA/L{n}": owner.get(f"L{n}") for n in (1, 2)}
    assert len(pushes(emsp)) == 2
    assert deliver_all() == 0


def test_a_delete_stays_until_everybody_was_told(cast: Cast, deliver_all: Deliver) -> None:
    """No snapshot says what is not there any more."""
    tariffs = Trade(TARIFFS, cast).agree(0)
    tariffs.push_new(TARIFFS.make(1), TARIFFS.make(2))
    deliver_all()
    emsp = tariffs.reader()
    with emsp.answer("/tariffs/", misbehaviour.reset()):
        tariffs.send("DELETE", "X1")
        deliver_all()
        grow_old()
        feed_retention.prune()
        assert [change.method for change in Change.objects.all()] == ["DELETE"]

    Platform.objects.update(next_attempt_at=None)
    deliver_all()
    assert set(emsp.objects["tariffs"].objects()) == {"NL-CPA/X2"}
    feed_retention.prune()
    assert not Change.objects.exists()


@pytest.mark.parametrize("days", [15, 5])
def test_what_counts_is_kept_until_it_is_delivered_or_given_up(
    cast: Cast, deliver_all: Deliver, settings: LazySettings, days: int
) -> None:
    """A CDR nobody took is not pruned, however old; it arrives, or leaves a dead dead_letter."""
    settings.HUB_FEED_DAYS = 1
    trade = sessions_and_cdrs.cdrs(cast)
    rule = trade.reader().answer("/cdrs", misbehaviour.reset())
    trade.push_new(trade.kind.make(1))
    deliver_all()
    grow_old(days)

    assert feed_retention.prune() == (0, 0)
    rule.cancel()
    sessions_and_cdrs.retry_now()
    deliver_all()

    assert len(trade.reader().objects["cdrs"]) + DeadLetter.objects.count() == 1
    assert feed_retention.prune() == (1, 0)


def test_what_counts_waits_for_a_receiver_that_is_not_there_yet(
    cast: Cast, settings: LazySettings
) -> None:
    """Until it expires: somebody may come for it."""
    settings.HUB_FEED_DAYS = 1
    trade = sessions_and_cdrs.cdrs(cast)
    trade.push_new(trade.kind.make(1))
    Subscription.objects.all().delete()
    grow_old(5)
    assert feed_retention.prune() == (0, 0)

    grow_old(15)
    assert feed_retention.prune() == (1, 0)
