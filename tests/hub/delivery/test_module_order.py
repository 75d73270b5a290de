"""In which order a newcomer gets what there is."""

from collections.abc import Callable

import pytest

from hub.delivery import backlog, engine, subscriptions
from hub.models import Snapshot
from ocpi.types import ModuleID
from sandbox import SandboxPlatform, misbehaviour
from tests.cast import CPA, HUB, Cast, a_location, push
from tests.ocpi.objects import a_tariff


@pytest.fixture
def newcomer(cast: Cast) -> SandboxPlatform:
    """P2, newly agreed with a CPO that has a Tariff and a Location."""
    emsp, cpo = cast["P2"], cast["P1"]
    cpo.hub.put("tariffs", "RECEIVER", "NL/CPA/T1", a_tariff(id="T1"), to=HUB, sender=CPA)
    push(cpo, a_location())
    cast.agree(("NL-CPA", "DE-MSA"))
    emsp.forget()
    subscriptions.reconcile()
    return emsp


def behind(module: ModuleID) -> list[int]:
    """Return the subscriptions that somebody should work on."""
    return [pk for pk, _ in backlog.behind(module)]


@pytest.mark.conformance("TAR-13")
def test_tariffs_come_before_the_locations_that_name_them(newcomer: SandboxPlatform) -> None:
    """However many workers there are, locations wait until the tariffs are over (A-121)."""
    [tariffs] = behind(ModuleID.TARIFFS)
    location = Snapshot.objects.get(subscription__module="locations")
    assert behind(ModuleID.LOCATIONS) == []

    engine.deliver_and_wait(location.subscription_id)
    assert newcomer.seen == []

    engine.deliver_and_wait(tariffs)
    assert behind(ModuleID.LOCATIONS) == [location.subscription_id]
    engine.deliver_and_wait(location.subscription_id)
    assert [seen.path.split("/")[-4] for seen in newcomer.seen] == ["tariffs", "locations"]


def test_who_takes_no_tariffs_gets_locations_all_the_same(
    newcomer: SandboxPlatform, monkeypatch: pytest.MonkeyPatch, deliver_all: Callable[[], int]
) -> None:
    """A failing endpoint holds the other modules back for a while, not for ever."""
    monkeypatch.setattr(backlog, "HEAD_START_SECONDS", 0)
    with newcomer.answer("PUT /ocpi/2.2.1/receiver/tariffs", misbehaviour.html(503)):
        location = Snapshot.objects.get(subscription__module="locations")
        engine.deliver_and_wait(location.subscription_id)

    assert [seen.path.split("/")[-4] for seen in newcomer.seen] == ["locations"]
