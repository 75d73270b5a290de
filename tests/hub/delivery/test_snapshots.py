"""Whoever newly may have an owner's objects gets them all, and misses no change meanwhile."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from hub import feed
from hub.delivery import backlog, engine, subscriptions
from hub.models import Snapshot, Subscription
from hub.module_policy import POLICIES
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, AgreementState, Platform
from parties.registration.inbound import disconnect
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from sandbox.server import Call
from tests.cast import CPA, MIX, Cast, a_location
from tests.hub.concurrency import closing
from tests.hub.exchange import LOCATIONS, TARIFFS, TOKENS, Kind, Trade, each
from tests.hub.location_owner import T2, Owner, pushes, received

Deliver = Callable[[], int]


@pytest.fixture(autouse=True)
def _locations_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait for tariffs."""
    monkeypatch.setattr(backlog, "HEAD_START_SECONDS", 0)


def test_a_new_agreement_brings_what_is_there(
    cast: Cast, owner: Owner, deliver_all: Deliver
) -> None:
    """Every object once, in the order of creation; then nothing more to do."""
    for number in range(1, 4):
        owner.put(f"L{number}", body=a_location(CPA, number))
    emsp = cast["P2"]
    deliver_all()
    assert pushes(emsp) == []

    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()

    assert {seen.method for seen in pushes(emsp)} == {"PUT"}
    assert received(emsp) == {f"NL-CPA/L{n}": a_location(CPA, n) for n in (1, 2, 3)}
    assert len(pushes(emsp)) == 3
    snapshot = Snapshot.objects.get(subscription__module="locations")
    assert (snapshot.owner, snapshot.sent) == ("NL-CPA", 3)
    assert snapshot.finished_at is not None
    assert deliver_all() == 0


def test_a_new_platform_gets_what_its_agreements_allow(
    cast: Cast, owner: Owner, deliver_all: Deliver
) -> None:
    """The agreement may be older than the registration."""
    owner.put("L1", body=a_location(CPA, 1))
    emsp = cast.start("P2")
    token = cast.token_a("P2")
    cast.agree(("NL-CPA", "DE-MSA"))
    assert deliver_all() == 0

    emsp.register_with(cast.versions_url, token)
    deliver_all()

    assert set(received(emsp)) == {"NL-CPA/L1"}


def test_a_new_registration_begins_from_nothing(
    cast: Cast, owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Who unregisters and registers anew may have lost everything: it gets all again."""
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    emsp.unregister()
    emsp.objects["locations"].clear()
    emsp.forget()
    emsp.register_with(cast.versions_url, cast.token_a("P2"))

    deliver_all()

    assert [seen.method for seen in pushes(emsp)] == ["PUT"]
    assert set(received(emsp)) == {"NL-CPA/L1"}


def test_a_snapshot_goes_on_where_it_stopped(
    cast: Cast, owner: Owner, deliver_all: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces: what a piece brought is not sent again after a failure."""
    monkeypatch.setattr("hub.delivery.snapshots._CHUNK", 4)
    emsp = cast["P2"]
    for number in range(1, 11):
        owner.put(f"L{number}", body=a_location(CPA, number, evses=1))
    cast.agree(("NL-CPA", "DE-MSA"))
    rule = emsp.answer("PUT /L6", misbehaviour.reset())
    deliver_all()
    assert Snapshot.objects.get(subscription__module="locations").finished_at is None
    rule.cancel()
    emsp.hub.get("locations", "SENDER", to=emsp.hub.party, sender=emsp.party)
    deliver_all()

    tried = [seen.path.rpartition("/")[2] for seen in pushes(emsp)]
    assert len(received(emsp)) == 10
    assert all(tried.count(f"L{number}") == 1 for number in (1, 2, 3, 4, 5, 9, 10))
    assert all(tried.count(f"L{number}") == 2 for number in (7, 8))


def test_a_change_during_its_snapshot_is_not_lost(
    cast: Cast, owner: Owner, emsp: SandboxPlatform, settings: LazySettings
) -> None:
    """Access is opened while a worker is busy; what it sends of the new owner changes at once.

    The worker must not pass the change over with the owners it knew when it began.
    """
    settings.HUB_DELIVERY_BATCH = 1
    other = Owner(cast["P4"], MIX)
    other.put("L1", body=a_location(MIX, 1))
    for number in (1, 2):
        owner.put(f"L{number}", body=a_location(CPA, number))

    @closing
    def agree() -> None:
        cast.agree(("BE-MIX", "DE-MSA"))
        subscriptions.reconcile()

    def open_access(call: Call) -> None:
        agree()
        misbehaviour.behave()(call)

    def change(call: Call) -> None:
        other.patch("L1", "E1", body={"status": "CHARGING", "last_updated": T2})
        misbehaviour.behave()(call)

    emsp.answer("PUT /NL/CPA/L1", misbehaviour.first(1, open_access))
    emsp.answer("PUT /BE/MIX/L1", misbehaviour.first(1, change))
    subscription = Subscription.objects.get(receiver__platform__name="P2", module="locations")
    _deliver_until_done(subscription.pk)

    assert received(emsp)["BE-MIX/L1"] == other.get("L1")
    assert received(emsp)["BE-MIX/L1"]["evses"][0]["status"] == "CHARGING"


def _deliver_until_done(subscription_id: int) -> None:
    """Deliver until nothing is left, nor stored and not to be read yet."""
    while any(
        feed.is_pending(module) or backlog.behind(module, only=[subscription_id])
        for module in POLICIES
    ):
        engine.deliver_and_wait(subscription_id)


def test_access_that_ends_stops_delivery_at_once(
    cast: Cast, owner: Owner, emsp: SandboxPlatform, settings: LazySettings
) -> None:
    """Also in the middle of a backlog: the message after the next is not sent."""
    settings.HUB_DELIVERY_BATCH = 1
    for number in range(1, 6):
        owner.put(f"L{number}", body=a_location(CPA, number))

    @closing
    def suspend() -> None:
        Agreement.objects.update(state=AgreementState.SUSPENDED)

    def end(call: Call) -> None:
        suspend()
        misbehaviour.behave()(call)

    emsp.answer("PUT /L2", end)
    engine.deliver_and_wait(
        Subscription.objects.get(receiver__platform__name="P2", module="locations").pk
    )

    assert set(received(emsp)) == {"NL-CPA/L1", "NL-CPA/L2"}


def test_what_is_queued_when_access_ends_is_not_sent_either(
    cast: Cast,
    owner: Owner,
    emsp: SandboxPlatform,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a batch that is being sent only what goes out within a moment."""
    monkeypatch.setattr("hub.delivery.leases._LONGEST_SENDING_SECONDS", 0.2)
    settings.HUB_REQUESTS_PER_PEER = 1
    for number in range(1, 21):
        owner.put(f"L{number}", body=a_location(CPA, number, evses=1))

    @closing
    def suspend() -> None:
        Agreement.objects.update(state=AgreementState.SUSPENDED)

    def end(call: Call) -> None:
        suspend()
        misbehaviour.hang(0.1)(call)

    emsp.answer("PUT", end)
    subscription = Subscription.objects.get(receiver__platform__name="P2", module="locations")
    engine.deliver_and_wait(subscription.pk)
    emsp.rules.clear()
    engine.deliver_and_wait(subscription.pk)

    assert 0 < len(pushes(emsp)) < 6


def test_access_that_ends_stops_a_snapshot(
    cast: Cast, owner: Owner, emsp: SandboxPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not sent of it stays with its owner."""
    monkeypatch.setattr("hub.delivery.snapshots._CHUNK", 1)
    other = Owner(cast["P4"], MIX)
    for number in range(1, 6):
        other.put(f"L{number}", body=a_location(MIX, number))
    subscription = Subscription.objects.get(receiver__platform__name="P2", module="locations")
    engine.deliver_and_wait(subscription.pk)
    cast.agree(("BE-MIX", "DE-MSA"))
    subscriptions.reconcile()

    @closing
    def suspend() -> None:
        Agreement.objects.filter(cpo__party_id="MIX").update(state=AgreementState.SUSPENDED)

    def end(call: Call) -> None:
        suspend()
        misbehaviour.behave()(call)

    emsp.answer("PUT /BE/MIX/L2", end)
    engine.deliver_and_wait(subscription.pk)

    assert set(received(emsp)) == {"BE-MIX/L1", "BE-MIX/L2"}
    assert not Snapshot.objects.filter(owner="BE-MIX", subscription__module="locations").exists()


@pytest.mark.parametrize("reconciled", [True, False])
def test_access_that_comes_back_brings_what_was_missed(
    owner: Owner,
    emsp: SandboxPlatform,
    deliver_all: Deliver,
    reconciled: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Changes passed over meanwhile return by a new snapshot, whether or not beat came by."""
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    Agreement.objects.update(state=AgreementState.SUSPENDED)
    owner.put("L1", body=a_location(CPA, 1, name="changed meanwhile"))
    if reconciled:
        assert deliver_all() == 0
    else:
        engine.deliver_and_wait(
            Subscription.objects.get(receiver__platform__name="P2", module="locations").pk
        )
    assert received(emsp)["NL-CPA/L1"] == a_location(CPA, 1)

    Agreement.objects.update(state=AgreementState.ACTIVE)
    deliver_all()

    assert received(emsp)["NL-CPA/L1"]["name"] == "changed meanwhile"


def test_a_suspended_platform_gets_nothing(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Its subscription ends; what it gets later begins anew."""
    owner.put("L1", body=a_location(CPA, 1))
    disconnect(Platform.objects.get(name="P2"), status=ConnectionStatus.SUSPENDED)
    engine.deliver_and_wait(
        Subscription.objects.get(receiver__platform__name="P2", module="locations").pk
    )

    assert deliver_all() == 0
    assert emsp.seen == []
    states = Subscription.objects.filter(receiver__platform__name="P2", module="locations")
    assert not states.exists()


@each(TARIFFS, LOCATIONS, TOKENS)
@pytest.mark.parametrize("hiccups", [0, 1])
def test_a_snapshot_has_what_was_said_to_its_receiver_alone(
    cast: Cast, deliver_all: Deliver, kind: Kind, hiccups: int
) -> None:
    """Its own copy instead of everybody's, as in its list; nobody else gets that one (A-34)."""
    trade = Trade(kind, cast).agree(0, 1)
    everybodys, own = (kind.make(1, x_name=name) for name in ("for all", "for one"))
    assert trade.push(everybodys).status_code == 1000
    assert trade.push(own, to=kind.readers[0][1]).status_code == 1000
    emsp = trade.reader()
    emsp.objects[kind.module].clear()
    emsp.forget()
    emsp.answer("PUT", misbehaviour.first(hiccups, misbehaviour.html(500)))

    deliver_all()

    assert [seen.json for seen in trade.pushes()] == [own] * (1 + hiccups)
    assert [seen.json for seen in trade.pushes(1)] == [everybodys]
