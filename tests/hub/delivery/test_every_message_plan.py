"""What a batch sends where every message counts: decided without I/O."""

from datetime import UTC, datetime

import pytest

from hub.delivery import every_message_plan
from hub.delivery.every_message_plan import Conditions
from hub.feed import FedChange, Position

MONDAY, SUNDAY = datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 10, tzinfo=UTC)


def a_change(seq: int, method: str = "PATCH", owner: str = "NL-CPA", key: str = "S1") -> FedChange:
    """Make a change of a Session."""
    return FedChange(
        position=Position(1, seq),
        owner=owner,
        object_key=key,
        part_key="",
        revision=seq,
        method=method,
        path="" if method == "POST" else "NL/CPA/s1",
        body=f"body {seq}",
        correlation_id=f"c{seq}",
        created_at=MONDAY,
    )


def conditions(
    *in_doubt: int,
    expired_before: datetime = MONDAY,
    overdue_before: datetime = MONDAY,
    patch_supported: bool = True,
) -> Conditions:
    """Make the conditions of a receiver that may have all of NL-CPA."""
    places = frozenset(Position(1, seq) for seq in in_doubt)
    return Conditions(
        frozenset({"NL-CPA"}), expired_before, overdue_before, places, patch_supported
    )


@pytest.mark.parametrize(
    "change, given, expected",
    [
        (a_change(1, "PUT"), conditions(), ("PUT", "NL/CPA/s1", "body 1")),
        (a_change(1, "PUT"), conditions(1), ("PUT", "NL/CPA/s1", "body 1")),
        (a_change(1, "POST"), conditions(1), ("POST", "", "body 1")),
        (a_change(1), conditions(), ("PATCH", "NL/CPA/s1", "body 1")),
        (a_change(1), conditions(2), ("PATCH", "NL/CPA/s1", "body 1")),
        (a_change(1), conditions(1), ("PUT", "NL/CPA/s1", None)),
        (a_change(1), conditions(patch_supported=False), ("PUT", "NL/CPA/s1", None)),
    ],
)
def test_a_message_goes_out_as_it_came_in_unless_it_could_be_applied_twice(
    change: FedChange, given: Conditions, expected: tuple[str, str, str | None]
) -> None:
    """A PATCH in doubt, or one the receiver has no way to take, is the object's state instead."""
    plan = every_message_plan.plan([change], given)

    [push] = plan.pushes
    assert plan.refused == []
    assert (push.method, push.path, push.body) == expected
    assert (push.settles, push.correlation_id) == (frozenset({change.position}), "c1")


def test_what_stands_before_a_message_in_doubt_does_not_take_its_object_back() -> None:
    """The second PUT may have arrived: the first is the object's state; S2 has nothing in doubt."""
    changes = [a_change(1, "PUT"), a_change(2, "PUT", key="S2"), a_change(3, "PUT")]

    plan = every_message_plan.plan(changes, conditions(3))

    bodies = {push.correlation_id: push.body for push in plan.pushes}
    assert bodies == {"c1": None, "c2": "body 2", "c3": "body 3"}


def test_what_follows_another_message_is_in_doubt_while_it_is_on_its_way() -> None:
    """And so is every PATCH; a first PUT may be repeated as it was."""
    changes = [a_change(1, "PUT"), a_change(2, "PUT"), a_change(3, key="S2")]

    pushes = every_message_plan.plan(changes, conditions()).pushes

    assert {place.seq for place in every_message_plan.doubtful(pushes)} == {2, 3}


@pytest.mark.parametrize(
    "change, given, sentence",
    [
        (a_change(1), conditions(expired_before=SUNDAY), "expired, it waited since 2027-01-04"),
        (a_change(1, owner="NL-CPB"), conditions(), "may no longer have anything of NL-CPB"),
    ],
)
def test_what_must_not_be_sent_is_refused_with_a_sentence(
    change: FedChange, given: Conditions, sentence: str
) -> None:
    """It is on record as it came in."""
    plan = every_message_plan.plan([change], given)

    [refused] = plan.refused
    assert plan.pushes == []
    assert sentence in refused.reason
    assert (refused.push.method, refused.push.body) == ("PATCH", "body 1")
    assert refused.push.settles == {change.position}


def test_every_message_has_its_place_in_the_order() -> None:
    """Nothing is collapsed."""
    plan = every_message_plan.plan(
        [a_change(1, "PUT"), a_change(2), a_change(3), a_change(4)], conditions()
    )

    assert [push.body for push in plan.pushes] == [f"body {seq}" for seq in (1, 2, 3, 4)]
    assert len({push.key for push in plan.pushes}) == 1


def test_an_object_that_failed_before_comes_after_all_others() -> None:
    """With all that waits behind it, in order."""
    changes = [a_change(1), a_change(2), a_change(3, key="S2"), a_change(4)]

    plan = every_message_plan.plan(changes, conditions(1))

    assert [push.correlation_id for push in plan.pushes] == ["c3", "c1", "c2", "c4"]


@pytest.mark.parametrize("since, overdue", [(MONDAY, 0), (SUNDAY, 1)])
def test_what_is_old_is_tried_and_need_not_pass(since: datetime, overdue: int) -> None:
    """Unlike what has expired."""
    plan = every_message_plan.plan([a_change(1)], conditions(overdue_before=since))

    assert (len(plan.pushes), len(plan.overdue)) == (1, overdue)
