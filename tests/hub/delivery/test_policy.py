"""Where the two ways of delivery differ, decided without I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hub.delivery import every_message
from hub.delivery.batch_result import BatchResult
from hub.delivery.leases import Positions
from hub.delivery.policy import DeliveryPolicy, policy_of
from hub.delivery.push import Outcome, Push, Result
from hub.delivery.receiver import Receiver
from hub.delivery.subscriber import Subscriber
from hub.feed import Batch, FedChange, Position
from hub.module_policy import POLICIES
from ocpi.client import Peer
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID

LATEST_STATE, EVERY_MESSAGE = ModuleID.LOCATIONS, ModuleID.SESSIONS
BOTH = pytest.mark.parametrize("module", [LATEST_STATE, EVERY_MESSAGE])


def a_policy(
    module: ModuleID, *, ahead: Sequence[int] = (), in_doubt: Sequence[int] = ()
) -> DeliveryPolicy:
    """Make the policy of a receiver that is at position 0 and patches."""
    receiver = Receiver("https://msa.example/ocpi", Peer("token"), RoutingHeaders(), True)  # noqa: FBT003 - a row of values
    return policy_of(
        Subscriber(
            subscription_id=1,
            platform_id=1,
            is_news=False,
            paused_until=None,
            module=module,
            policy=POLICIES[module],
            party="DE-MSA",
            owners=frozenset({"NL-CPA"}),
            position=at(0),
            ahead=frozenset(map(at, ahead)),
            in_doubt=frozenset(map(at, in_doubt)),
            compacted_to=0,
            has_snapshot=False,
            receiver=receiver,
        )
    )


def at(seq: int) -> Position:
    """Name a position of the feed."""
    return Position(1, seq)


def a_push(seq: int, method: str = "PUT", path: str = "NL/CPA/x") -> Push:
    """Make the push of one change, each of an object of its own."""
    key = ("NL-CPA", f"X{seq}", "")
    return Push(key, method, path, "{}", "NL/CPA/x", f"c{seq}", frozenset({at(seq)}), seq)


def a_batch(*seqs: int) -> Batch:
    """Make a batch that is all there is, read to position 99."""
    changes = tuple(
        FedChange(
            *(at(seq), "NL-CPA", f"X{seq}", "", seq, "PUT", "NL/CPA/x", "{}", f"c{seq}"),
            created_at=datetime(2027, 1, 1, tzinfo=UTC),
        )
        for seq in seqs
    )
    return Batch(changes, at(99), complete=True)


def failing(seq: int, method: str = "PUT") -> Result:
    """Make a push that its receiver fails on."""
    return Result(a_push(seq, method), Outcome.TEMPORARY, "HTTP 500")


@BOTH
def test_what_is_done_without_a_gap_moves_the_position_to_the_end(module: ModuleID) -> None:
    """Everything up to there, also what concerned others."""
    result = BatchResult(delivered=[a_push(1), a_push(2)])

    found = a_policy(module).positions(a_batch(1, 2), result)

    assert found.reached == at(99)
    assert (found.ahead, found.in_doubt) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    "module, expected",
    [
        (LATEST_STATE, Positions(at(1))),
        (EVERY_MESSAGE, Positions(at(1), frozenset({at(3)}), frozenset({at(2)}))),
    ],
)
def test_the_position_stops_before_a_gap(module: ModuleID, expected: Positions) -> None:
    """Where every message counts it is noted what is done beyond, and what may have arrived."""
    result = BatchResult([a_push(1), a_push(3)], left=[a_push(2)], in_doubt={at(2)})

    assert a_policy(module).positions(a_batch(1, 2, 3), result) == expected


def test_what_is_dealt_with_is_in_doubt_no_more() -> None:
    """However it ended; what is held stays in doubt."""
    policy = a_policy(EVERY_MESSAGE, ahead=[4], in_doubt=[1, 2, 3])
    refused = Result(a_push(2, "PATCH"), Outcome.REJECTED, "no")
    result = BatchResult(delivered=[a_push(1)], rejected=[refused], held=[a_push(3)])

    found = policy.positions(a_batch(1, 2, 3), result)

    assert (found.reached, found.in_doubt) == (at(2), frozenset({at(3)}))
    assert found.ahead == frozenset({at(4)})


@pytest.mark.parametrize(
    "module, method, expected",
    [
        (LATEST_STATE, "PATCH", ("PATCH", "{}")),
        (LATEST_STATE, "PUT", ("PUT", None)),
        (EVERY_MESSAGE, "PATCH", ("PUT", None)),
        (EVERY_MESSAGE, "PUT", ("PUT", "{}")),
        (EVERY_MESSAGE, "POST", ("POST", "{}")),
    ],
)
def test_after_a_failure_a_state_is_read_anew_and_nothing_is_added_twice(
    module: ModuleID, method: str, expected: tuple[str, str | None]
) -> None:
    """The newest state, or the message itself but for a PATCH; before what was not tried."""
    untried = a_push(2)

    first, second = a_policy(module).next_attempt([failing(1, method)], [untried])

    assert ((first.method, first.body), second) == (expected, untried)


@pytest.mark.parametrize("delivered, overdue, rejected", [(0, 1, 0), (1, 0, 0), (1, 1, 1)])
def test_where_every_message_counts_the_overdue_is_given_up_beside_others_that_pass(
    delivered: int, overdue: int, rejected: int
) -> None:
    """Until then, and while nothing is delivered, it is held."""
    so_far = BatchResult(delivered=[a_push(9)][:delivered])
    late = frozenset([at(1)][:overdue])

    over, held = a_policy(EVERY_MESSAGE).give_up([failing(1)], so_far, late)

    assert (len(over), len(held)) == (rejected, 1 - rejected)


def test_the_oldest_is_given_up_when_too_many_went_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies ahead of the gap is written with every batch."""
    monkeypatch.setattr(every_message, "_MOST_AHEAD", 2)
    so_far = BatchResult(delivered=[a_push(9)])

    over, held = a_policy(EVERY_MESSAGE, ahead=[3, 4, 5]).give_up(
        [failing(1), failing(2)], so_far, frozenset()
    )

    assert [result.push.revision for result in over] == [1]
    assert [result.push.revision for result in held] == [2]


@pytest.mark.parametrize(
    "module, method, over",
    [(LATEST_STATE, "PATCH", True), (EVERY_MESSAGE, "PATCH", False), (EVERY_MESSAGE, "PUT", True)],
)
def test_a_dead_letter_ends_with_what_makes_up_for_it(
    module: ModuleID,
    method: str,
    over: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A later PATCH of a Session says nothing of the one that was refused."""
    assert a_policy(module).supersedes(a_push(1, method)) is over
