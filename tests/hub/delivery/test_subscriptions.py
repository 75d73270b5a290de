"""Who gets what: subscriptions follow access, roles and endpoints."""

import time
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from hub import feed, store
from hub.delivery import backlog, engine, leases, subscriptions
from hub.delivery.leases import Advance, Lease, LeaseLost, Positions
from hub.delivery.subscriber import find_subscriber, find_subscribers
from hub.feed import Position, Selection
from hub.models import Change, Snapshot, Subscription
from ocpi.types import ModuleID, Role
from parties.models import Credentials, Party
from sandbox import misbehaviour
from sandbox.server import Call
from tests.cast import CPA, Cast, a_location
from tests.factories import (
    AgreementFactory,
    CredentialsFactory,
    EndpointFactory,
    PartyFactory,
)
from tests.hub.concurrency import at_once
from tests.hub.location_owner import Owner
from tests.hub.store.write_requests import location_write

LOCATIONS = ModuleID.LOCATIONS
pytestmark = pytest.mark.usefixtures("transactional_db")


def a_party(party_id: str, role: Role, *, endpoint: bool = True, country: str = "NL") -> Party:
    """Make a party on a platform of its own."""
    party: Party = PartyFactory.create(role=role.value, country_code=country, party_id=party_id)
    if endpoint:
        EndpointFactory.create(platform=party.platform)
    CredentialsFactory.create(platform=party.platform, outbound=True)
    return party


def put(number: int = 1) -> None:
    """Store a Location of NL-CPA."""
    store.apply(location_write("PUT", f"L{number}", body=a_location(CPA, number)))


def behind() -> list[int]:
    """Return who is behind, once nobody else's transaction holds the feed up."""
    end = time.monotonic() + 10
    while feed.is_pending(LOCATIONS):
        assert time.monotonic() < end
        time.sleep(0.01)
    return [pk for pk, _ in backlog.behind(LOCATIONS)]


def test_reconciling_twice_changes_nothing() -> None:
    """One subscription a receiver, one snapshot an owner, whatever happens how often."""
    cpo, emsp = a_party("CPA", Role.CPO), a_party("MSA", Role.EMSP)
    AgreementFactory.create(cpo=cpo, emsp=emsp)

    for _ in range(3):
        subscriptions.reconcile()

    assert [s.receiver for s in Subscription.objects.all()] == [emsp]
    assert [s.owner for s in Snapshot.objects.all()] == ["NL-CPA"]


def test_a_receiver_without_the_endpoint_is_not_subscribed() -> None:
    """And one that lost it is not behind, whatever changes."""
    cpo = a_party("CPA", Role.CPO)
    with_it, without = a_party("MSA", Role.EMSP), a_party("MSB", Role.EMSP, endpoint=False)
    for emsp in (with_it, without):
        AgreementFactory.create(cpo=cpo, emsp=emsp)
    subscriptions.reconcile()
    [subscription] = Subscription.objects.all()
    assert subscription.receiver == with_it
    put()
    assert behind() == [subscription.pk]

    with_it.platform.endpoints.all().delete()

    assert behind() == []
    engine.deliver_and_wait(subscription.pk)
    subscriptions.reconcile()
    assert Subscription.objects.get(module="locations") == subscription


def test_a_new_subscription_starts_where_its_snapshot_begins() -> None:
    """What is stored before is in the snapshot, what comes after is in the feed: no gap."""
    cpo, emsp = a_party("CPA", Role.CPO), a_party("MSA", Role.EMSP)
    AgreementFactory.create(cpo=cpo, emsp=emsp)
    put(1)
    with transaction.atomic():
        put(2)  # an open transaction: neither in the snapshot yet nor passed over
        position = _subscribed_by_another_connection()
        assert position < Position(Change.objects.get(object_key="L2").transaction, 0)

    assert behind()
    selection = Selection(LOCATIONS, owners=["NL-CPA"])
    batch = feed.read(selection, position, limit=9, most_bytes=10**6)
    assert "L2" in [change.object_key for change in batch.changes]


def _subscribed_by_another_connection() -> Position:
    at_once([subscriptions.reconcile])
    found: list[Position] = []

    def look() -> None:
        row = Subscription.objects.get(module="locations")
        found.append(Position(row.transaction, row.seq))

    at_once([look])
    return found[0]


def test_one_name_on_two_platforms_is_two_receivers() -> None:
    """NL-TNM is eMSP here and NSP there: each gets what its own agreements allow (A-30)."""
    cpo, other = a_party("CPA", Role.CPO), a_party("CPB", Role.CPO)
    emsp, nsp = a_party("TNM", Role.EMSP), a_party("TNM", Role.NSP)
    AgreementFactory.create(cpo=cpo, emsp=emsp)
    AgreementFactory.create(cpo=other, emsp=nsp)
    subscriptions.reconcile()

    visible = {s.receiver: backlog.owners(s.pk, LOCATIONS) for s in Subscription.objects.all()}

    assert visible == {emsp: {"NL-CPA"}, nsp: {"NL-CPB"}}
    put()
    Snapshot.objects.update(finished_at="2026-01-01T00:00:00Z")
    assert behind() == [Subscription.objects.get(receiver=emsp).pk]


def a_charging_party(cpo: Party, role: Role) -> Party:
    """Make NL-TNM in one more role, on its platform that takes Sessions, agreed with a CPO."""
    known = Party.objects.filter(country_code="NL", party_id="TNM").first()
    if known is None:
        party = a_party("TNM", role, endpoint=False)
        EndpointFactory.create(platform=party.platform, module="sessions")
    else:
        party = PartyFactory.create(
            platform=known.platform, role=role.value, country_code="NL", party_id="TNM"
        )
    AgreementFactory.create(cpo=cpo, emsp=party)
    return party


@pytest.mark.parametrize(
    "roles, expected",
    [
        ([Role.OTHER, Role.EMSP], [Role.EMSP]),
        ([Role.SCSP, Role.EMSP], [Role.EMSP]),
        ([Role.SCSP, Role.OTHER], [Role.OTHER]),
        ([Role.SCSP], []),
    ],
)
def test_what_is_for_the_owner_of_a_token_reaches_one_of_its_roles(
    roles: list[Role], expected: list[Role]
) -> None:
    """Its feed knows no roles: two subscriptions would bring each Session twice (A-26)."""
    cpo = a_party("CPA", Role.CPO)
    for role in roles:
        a_charging_party(cpo, role)

    for _ in range(2):
        subscriptions.reconcile()

    found = Subscription.objects.filter(module="sessions")
    assert [row.receiver.role for row in found] == expected


def test_the_one_subscription_of_a_party_is_not_doubled_by_a_later_role() -> None:
    """It gets what any role of the party that owns tokens may have."""
    first, second = a_party("CPA", Role.CPO), a_party("CPB", Role.CPO)
    other = a_charging_party(first, Role.OTHER)
    subscriptions.reconcile()
    a_charging_party(second, Role.EMSP)
    a_charging_party(a_party("CPC", Role.CPO), Role.SCSP)

    subscriptions.reconcile()

    subscription = Subscription.objects.get(module="sessions")
    assert subscription.receiver == other
    assert backlog.owners(subscription.pk, ModuleID.SESSIONS) == {"NL-CPA", "NL-CPB"}


def test_a_dual_role_party_does_not_subscribe_to_itself() -> None:
    """BE-MIX the eMSP does not get what BE-MIX the CPO says (A-24)."""
    cpo = a_party("MIX", Role.CPO, country="BE")
    emsp: Party = PartyFactory.create(
        platform=cpo.platform, role=Role.EMSP.value, country_code="BE", party_id="MIX"
    )
    AgreementFactory.create(cpo=cpo, emsp=emsp)

    subscriptions.reconcile()

    assert Subscription.objects.count() == 0


def test_who_stands_still_is_moved_along() -> None:
    """Changes nobody may see are passed over for good, so that looking stays cheap."""
    cpo, emsp = a_party("CPB", Role.CPO), a_party("MSA", Role.EMSP)
    AgreementFactory.create(cpo=cpo, emsp=emsp)
    subscriptions.reconcile()
    before = Subscription.objects.get(module="locations")
    for number in range(5):
        put(number + 1)
    subscriptions.reconcile()
    assert Subscription.objects.get(module="locations").transaction == before.transaction

    Subscription.objects.update(transaction=1)
    subscriptions.reconcile()

    assert Subscription.objects.get(module="locations").transaction >= before.transaction


def test_who_is_behind_is_not_moved_along() -> None:
    """However far: what it may see has to be sent."""
    cpo, emsp = a_party("CPA", Role.CPO), a_party("MSA", Role.EMSP)
    AgreementFactory.create(cpo=cpo, emsp=emsp)
    subscriptions.reconcile()
    put()
    Subscription.objects.update(transaction=1)
    Snapshot.objects.update(finished_at="2026-01-01T00:00:00Z")

    behind()
    subscriptions.reconcile()

    assert Subscription.objects.get(module="locations").transaction == 1


# --- leases ------------------------------------------------------------------------------------


def a_subscription() -> Subscription:
    """Make a subscription."""
    cpo, emsp = a_party("CPA", Role.CPO), a_party("MSA", Role.EMSP)
    AgreementFactory.create(cpo=cpo, emsp=emsp)
    subscriptions.reconcile()
    return Subscription.objects.get(module="locations")


def test_one_worker_at_a_time() -> None:
    """Who claims second gets nothing, and the subscription is nobody's to dispatch."""
    subscription = a_subscription()
    lease = leases.claim(subscription.pk)
    assert lease is not None

    assert leases.claim(subscription.pk) is None
    assert behind() == []
    lease.release()
    assert leases.claim(subscription.pk) is not None


def two_subscriptions() -> list[int]:
    """Make two receivers of NL-CPA's Locations."""
    cpo = a_party("CPA", Role.CPO)
    for name in ("MSA", "MSB"):
        AgreementFactory.create(cpo=cpo, emsp=a_party(name, Role.EMSP))
    subscriptions.reconcile()
    return sorted(Subscription.objects.filter(module="locations").values_list("pk", flat=True))


def test_of_several_each_is_claimed_or_not() -> None:
    """One that another worker holds, or that is asked for twice, is nobody else's."""
    first, second = two_subscriptions()
    assert leases.claim(first) is not None

    held, mine, twice, unknown = leases.claim_all([first, second, second, second + 1_000])

    assert (held, unknown) == (None, None)
    assert [lease for lease in (mine, twice) if lease] == [mine or twice]
    assert {lease.subscription_id for lease in (mine, twice) if lease} == {second}


def test_who_claims_at_the_same_moment_waits_for_nobody() -> None:
    """What another worker is just claiming is left to it: waiting for each other would not end."""
    first, second = two_subscriptions()
    found: list[list[Lease | None]] = []
    with transaction.atomic():
        Subscription.objects.select_for_update().get(pk=first)
        at_once([lambda: found.append(leases.claim_all([first, second]))])

    [[locked, free]] = found
    assert locked is None
    assert free is not None


def test_of_several_that_advance_only_a_held_one_moves() -> None:
    """A lease that was lost meanwhile is told apart, whatever became of the others."""
    one, other = (leases.claim(each) for each in two_subscriptions())
    assert one is not None
    assert other is not None
    one.release()
    to = Positions(Position(10**15, 1))

    held = leases.advance_all([Advance(other, to, 1, []), Advance(one, to, 1, [])])

    assert held == [True, False]
    moved = Subscription.objects.filter(transaction=10**15)
    assert [each.pk for each in moved] == [other.subscription_id]


def test_of_several_that_are_released_a_successor_keeps_its_own() -> None:
    """Who lost a lease gives back nothing of another worker's."""
    one, other = (leases.claim(each) for each in two_subscriptions())
    assert one is not None
    assert other is not None
    Subscription.objects.filter(pk=one.subscription_id).update(lease_until="2026-01-01T00:00:00Z")
    assert leases.claim(one.subscription_id) is not None

    leases.release_all([one, other])

    assert leases.claim(one.subscription_id) is None
    assert leases.claim(other.subscription_id) is not None


def test_several_subscribers_are_found_as_each_by_itself() -> None:
    """Each with its own party, endpoint, token and owners; who unregistered is none."""
    first, second = two_subscriptions()
    apart = [find_subscriber(each, LOCATIONS) for each in (first, second)]
    assert None not in apart
    assert find_subscribers([second, first], LOCATIONS) == apart[::-1]

    gone = Party.objects.get(party_id="MSA").platform
    Credentials.objects.filter(platform=gone, direction="OUT").delete()
    left = find_subscribers([first, second, second + 1_000], LOCATIONS)
    assert sorted(each.party for each in left if each) == ["NL-MSB"]


def test_a_lost_lease_moves_nothing() -> None:
    """A worker that comes back too late changes neither position nor lease."""
    subscription = a_subscription()
    late = leases.claim(subscription.pk)
    assert late is not None
    Subscription.objects.update(lease_until="2026-01-01T00:00:00Z")
    successor = leases.claim(subscription.pk)
    assert successor is not None
    before = Subscription.objects.values("transaction", "seq", "lease", "delivered").get(
        module="locations"
    )

    with pytest.raises(LeaseLost):
        late.advance(Positions(Position(10**15, 1)), delivered=3)
    with pytest.raises(LeaseLost):
        late.prolong()
    late.failed("too late")
    late.release()

    assert (
        Subscription.objects.values("transaction", "seq", "lease", "delivered").get(
            module="locations"
        )
        == before
    )
    successor.advance(Positions(Position(10**15, 1)), delivered=3)
    assert Subscription.objects.get(module="locations").delivered == 3


@pytest.mark.parametrize("configured, request_seconds", [(60, 10), (5, 2), (5, 30), (5, 10)])
def test_the_last_message_ends_within_the_lease(
    settings: LazySettings, configured: int, request_seconds: float
) -> None:
    """However short the lease is configured: sending, waiting and the pause before fit into it."""
    settings.HUB_DELIVERY_LEASE_SECONDS = configured
    settings.HUB_REQUEST_TIMEOUT = request_seconds

    longest_pause = 0.1 * 2**4 * 1.5
    assert leases.sending_seconds() >= 1
    assert leases.sending_seconds() + request_seconds + longest_pause < leases.lease_seconds()


def test_a_worker_that_lost_its_lease_sends_nothing_more(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """It stops before its next attempt; the position is its successor's to move."""
    owner, emsp = Owner(cast["P1"]), cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    owner.put("L1", body=a_location(CPA, 1))
    before = Subscription.objects.values("transaction", "seq").get(module="locations")

    def lose(call: Call) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE hub_subscription SET lease = gen_random_uuid()")
        connection.close()
        misbehaviour.html(500)(call)

    emsp.answer("PUT", lose)
    engine.deliver_and_wait(Subscription.objects.get(module="locations").pk)

    assert len([seen for seen in emsp.seen if seen.method == "PUT"]) == 1
    assert Subscription.objects.values("transaction", "seq").get(module="locations") == before
