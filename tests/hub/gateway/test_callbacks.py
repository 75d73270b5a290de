"""What the hub remembers of requests whose results are to come is bounded in number and time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings

from hub.models import Callback
from parties.models import Platform
from tests.cast import Cast
from tests.hub.gateway.commands import answered, emsp_and_cpo

pytestmark = pytest.mark.security("S-07")


def test_a_reservation_until_the_end_of_the_century_counts_for_some_days(
    cast: Cast, settings: LazySettings
) -> None:
    """It is passed on as its eMSP wrote it; the hub remembers it no longer than any."""
    asking = emsp_and_cpo(cast)
    body = asking.body("RESERVE_NOW", expiry_date="2099-12-31T23:59:59Z")

    assert answered(asking.command("RESERVE_NOW", body)) == (200, 1000)

    [kept] = Callback.objects.all()
    days, hours = settings.HUB_RESERVATION_DAYS, settings.HUB_CALLBACK_HOURS
    assert kept.expires_at <= datetime.now(UTC) + timedelta(days=days, hours=hours)
    assert "2099-12-31" in str(asking.asked.seen[-1].body)


def test_a_platform_has_so_many_open_requests(cast: Cast, settings: LazySettings) -> None:
    """One more is refused and reaches nobody; those that ended make room, others' take none."""
    settings.HUB_CALLBACKS_PER_PLATFORM = 2
    asking = emsp_and_cpo(cast)
    assert [answered(asking.command("START_SESSION")) for _ in range(2)] == [(200, 1000)] * 2
    reached = len(asking.asked.seen)

    refused = asking.command("START_SESSION")

    assert answered(refused) == (429, 2000)
    assert int(refused.headers["Retry-After"]) > 0
    assert "can still get results" in str(refused.message)
    assert len(asking.asked.seen) == reached
    Callback.objects.update(expires_at=datetime.now(UTC))
    assert answered(asking.command("START_SESSION")) == (200, 1000)
    Callback.objects.update(
        sender_platform=Platform.objects.get(name="P1"),
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    assert answered(asking.command("START_SESSION")) == (200, 1000)
