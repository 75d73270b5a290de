"""From a batch of changes to what is sent where every message counts: decided without I/O.

Sessions and CDRs (docs/decisions/0006-every-message-counts.md): an object's messages go out as they
came in, one after the other. What may not be sent any more is rejected with a reason, never passed
over.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from hub.delivery.push import Outcome, PartKey, Plan, Push, Result, path_of
from hub.feed import FedChange, Position

EXPIRED = "not sent: expired"
"""How the reason of a dead letter begins whose message waited too long."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decides whether and how a change is sent.

    `in_doubt` may have arrived already: a PATCH of it, applied again, could add something twice,
    and a PUT from before it would take its object back to an older state. What was accepted by the
    hub before `expired_before` is not sent; what is older than `overdue_before` is given up if it
    fails while others pass.
    """

    owners: frozenset[str]
    expired_before: datetime
    overdue_before: datetime
    in_doubt: frozenset[Position]
    patch_supported: bool


def plan(changes: Iterable[FedChange], conditions: Conditions) -> Plan:
    """Decide what becomes of each change; objects that failed before come after all others."""
    changes = list(changes)
    last_in_doubt = _last_in_doubt(changes, conditions)
    pushes, refused = [], []
    for change in changes:
        objection = _objection(change, conditions)
        if objection:
            refused.append(Result(_verbatim(change), Outcome.REJECTED, objection))
        else:
            pushes.append(_push(change, conditions, last_in_doubt.get(_key(change))))
    failed = {push.key for push in pushes if push.settles & conditions.in_doubt}
    # Session S1 hung last time: first, it would hang again while S2 to S9 wait behind it. The sort
    # is stable, so S1's own messages keep their order.
    in_turn = sorted(pushes, key=lambda push: push.key in failed)
    overdue = frozenset(
        each.position for each in changes if each.created_at < conditions.overdue_before
    )
    return Plan(in_turn, refused, overdue, doubtful(in_turn))


def doubtful(pushes: Iterable[Push]) -> frozenset[Position]:
    """Return what must not be repeated as it was if its outcome stays unknown.

    That is every PATCH, and what follows another message about its object.
    """
    found: set[Position] = set()
    before: set[PartKey] = set()
    for push in pushes:
        # PUT {kWh 1} and PUT {kWh 2} may both have arrived when the worker dies. Sent again, the
        # first would take the Session back to 1 for a moment: a state goes out instead.
        if push.method == "PATCH" or push.key in before:
            found |= push.settles
        before.add(push.key)
    return frozenset(found)


def as_state(push: Push) -> Push:
    """Return the PUT of the whole object that takes the place of a message about it."""
    return replace(push, method="PUT", path=push.object_path, body=None)


def _objection(change: FedChange, conditions: Conditions) -> str:
    """Return why a change must not be sent; empty if it may."""
    if change.owner not in conditions.owners:
        return f"not sent: the receiver may no longer have anything of {change.owner}"
    if change.created_at < conditions.expired_before:
        return f"{EXPIRED}, it waited since {change.created_at:%Y-%m-%d %H:%M} UTC"
    return ""


def _last_in_doubt(changes: Iterable[FedChange], conditions: Conditions) -> dict[PartKey, Position]:
    """Return the last message about each object that may have arrived."""
    return {_key(each): each.position for each in changes if each.position in conditions.in_doubt}


def _push(change: FedChange, conditions: Conditions, last_in_doubt: Position | None) -> Push:
    """Send a message as it came in, unless it could add twice or take its object back."""
    push = _verbatim(change)
    if change.method == "PATCH":
        may_be_sent = conditions.patch_supported and change.position not in conditions.in_doubt
        return push if may_be_sent else as_state(push)
    is_overtaken = last_in_doubt is not None and change.position < last_in_doubt
    return as_state(push) if change.method == "PUT" and is_overtaken else push


def _key(change: FedChange) -> PartKey:
    return (change.owner, change.object_key, "")


def _verbatim(change: FedChange) -> Push:
    key = _key(change)
    return Push(
        key,
        change.method,
        change.path,
        change.body or "",
        path_of(change.path, key),
        change.correlation_id,
        frozenset({change.position}),
        change.revision,
    )
