"""A backlog is bounded by its objects, not by its changes."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.db import connection

from hub.delivery import engine
from hub.models import Change, Subscription
from parties.models import Platform
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, a_location
from tests.hub.location_owner import T2, Owner, pushes, received

OBJECTS = 50
CHANGES = 10_000

# What 200 PATCHes of each Location leave behind, which a test cannot wait for.
_MULTIPLY = """
WITH many AS (
  INSERT INTO hub_change (transaction, module, owner, object_key, part_key, audience, revision,
    method, path, body, correlation_id)
  SELECT pg_current_xact_id()::text::bigint, c.module, c.owner, c.object_key, c.part_key,
    c.audience, c.revision + n, 'PATCH', c.path, c.body, c.correlation_id
  FROM hub_change c, generate_series(1, %(each)s) AS n
  WHERE c.method = 'PATCH' ORDER BY n, c.seq RETURNING object_key)
UPDATE hub_location SET revision = revision + %(each)s"""


@pytest.fixture
def outage(owner: Owner, emsp: SandboxPlatform, deliver_all: Callable[[], int]) -> Owner:
    """NL-CPA, which changed 50 Locations 10,000 times while nobody delivered."""
    names = [f"L{number}" for number in range(1, OBJECTS + 1)]
    for number, name in enumerate(names, start=1):
        owner.put(name, body=a_location(CPA, number, evses=1))
    deliver_all()
    emsp.forget()
    for name in names:
        owner.patch(name, body={"name": "changed", "last_updated": T2})
    with connection.cursor() as cursor:
        cursor.execute(_MULTIPLY, {"each": CHANGES // OBJECTS - 1})
    return owner


def test_ten_thousand_changes_of_fifty_objects_are_fifty_messages(
    outage: Owner, emsp: SandboxPlatform, deliver_all: Callable[[], int]
) -> None:
    """Each object goes out once, as it is now, however many batches its changes fill."""
    assert Change.objects.filter(method="PATCH").count() == CHANGES

    deliver_all()

    errors = list(Subscription.objects.exclude(last_error="").values_list("last_error"))
    assert (len(pushes(emsp)), errors) == (OBJECTS, [])
    assert received(emsp) == {f"NL-CPA/L{n}": outage.get(f"L{n}") for n in range(1, OBJECTS + 1)}


def test_what_was_passed_over_is_in_what_replaces_it(
    owner: Owner,
    emsp: SandboxPlatform,
    deliver_all: Callable[[], int],
    settings: LazySettings,
) -> None:
    """Neither a PUT before the PATCH of an EVSE is lost, nor one field for another's sake."""
    settings.HUB_DELIVERY_BATCH = 1
    for name in ("L1", "L2", "L3"):
        owner.put(name, body=a_location(CPA, 1, evses=2, id=name))
    deliver_all()
    changed = a_location(CPA, 1, evses=2, id="L1", name="changed", last_updated=T2)

    owner.put("L1", body=changed)
    owner.patch("L1", "E1", body={"status": "CHARGING", "last_updated": T2})
    owner.patch("L2", "E1", body={"status": "BLOCKED", "last_updated": T2})
    owner.patch("L2", "E1", body={"floor_level": "4", "last_updated": T2})
    owner.patch("L2", body={"name": "changed too", "last_updated": T2})
    owner.patch("L2", "E2", body={"floor_level": "5", "last_updated": T2})
    for body in ({"status": "RESERVED"}, {"floor_level": "6"}):
        owner.patch("L3", "E1", body={**body, "last_updated": T2})
    deliver_all()

    assert received(emsp) == {f"NL-CPA/{name}": owner.get(name) for name in ("L1", "L2", "L3")}


def test_what_one_task_passed_over_the_next_one_sends(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Callable[[], int], settings: LazySettings
) -> None:
    """Also when nothing of the backlog is passed over any more."""
    settings.HUB_DELIVERY_BATCH = 1
    owner.put("L1", body=a_location(CPA, 1, evses=2, id="L1"))
    deliver_all()
    owner.patch("L1", "E1", body={"status": "RESERVED", "last_updated": T2})
    owner.put("L2", body=a_location(CPA, 2, id="L2"))
    owner.patch("L1", "E1", body={"floor_level": "6", "last_updated": T2})
    emsp.answer("/L2", misbehaviour.every(1, misbehaviour.html(503)))
    deliver_all()
    assert Subscription.objects.get(module="locations").compacted_to > 0
    emsp.rules.clear()
    Platform.objects.update(next_attempt_at=None)
    settings.HUB_DELIVERY_BATCH = 500

    deliver_all()

    assert received(emsp)["NL-CPA/L1"] == owner.get("L1")


def test_a_long_backlog_of_different_objects_stays_as_it_came_in(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Callable[[], int], settings: LazySettings
) -> None:
    """A PATCH stays a PATCH where nothing before it was passed over (LOC-09)."""
    settings.HUB_DELIVERY_BATCH = 1
    names = ("L1", "L2", "L3")
    for name in names:
        owner.put(name, body=a_location(CPA, 1, evses=1, id=name))
    deliver_all()
    emsp.forget()
    for name in names:
        owner.patch(name, "E1", body={"status": "RESERVED", "last_updated": T2})

    deliver_all()

    assert [seen.method for seen in pushes(emsp)] == ["PATCH"] * len(names)


def test_what_changes_all_the_time_is_sent_all_the_same(
    outage: Owner,
    emsp: SandboxPlatform,
    deliver_all: Callable[[], int],
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task that is about to end puts nothing off for what comes later in the feed."""
    monkeypatch.setattr(engine, "_UNCOMPACTED_SECONDS", 3_600.0)
    settings.HUB_DELIVERY_BATCH = CHANGES // 2

    deliver_all()

    assert OBJECTS < len(pushes(emsp)) <= 3 * OBJECTS
