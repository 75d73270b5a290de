"""From a batch of changes to what is sent where every message counts: decided without I/O.

Sessions and CDRs (docs/decisions/0006-every-message-counts.md): an object's messages go out as they
came in, one after the other. What cannot be sent any more is refused with a sentence, never passed
over.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.delivery.plan_latest import LaneKey, Push, path_of
from hub.delivery.push import Outcome, Result
from hub.feed import FedChange, Position

EXPIRED = "not sent: expired"
"""How the reason of what waited too long begins."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides whether and how a change is sent.

    `in_doubt` may have arrived already: a PATCH of it, applied again, could add something twice,
    and a PUT from before it would take its object back.
    What is older than `patient_since` is given up if it fails while others pass.
    """

    owners: frozenset[str]
    not_before: datetime
    patient_since: datetime
    in_doubt: frozenset[Position]
    patch_supported: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The messages to send, each object's in order, and those that are refused unsent.

    `overdue` of what is sent must not hold up the position any longer should it fail.
    """

    pushes: list[Push]
    refused: list[Result] = field(default_factory=list)
    overdue: frozenset[Position] = frozenset()


def plan(changes: Iterable[FedChange], terms: Terms) -> Plan:
    """Decide what becomes of each change; objects that failed before come after all others."""
    changes = list(changes)
    suspect = _last_in_doubt(changes, terms)
    pushes, refused = [], []
    for change in changes:
        objection = _objection(change, terms)
        if objection:
            refused.append(Result(_verbatim(change), Outcome.REJECTED, objection))
        else:
            pushes.append(_push(change, terms, suspect.get(_lane(change), change.position)))
    failed = {push.lane for push in pushes if push.settles & terms.in_doubt}
    return Plan(
        sorted(pushes, key=lambda push: push.lane in failed),
        refused,
        frozenset(each.position for each in changes if each.created_at < terms.patient_since),
    )


def doubtful(pushes: Iterable[Push]) -> frozenset[Position]:
    """Return what is not repeated as it was, should nobody say what came of it.

    That is every PATCH, and what comes after another message about its object.
    """
    found: set[Position] = set()
    before: set[LaneKey] = set()
    for push in pushes:
        if push.method == "PATCH" or push.lane in before:
            found |= push.settles
        before.add(push.lane)
    return frozenset(found)


def as_state(push: Push) -> Push:
    """Return the PUT of the whole object that takes the place of a message about it."""
    return replace(push, method="PUT", path=push.object_path, body=None)


def _objection(change: FedChange, terms: Terms) -> str:
    if change.owner not in terms.owners:
        return f"not sent: the receiver may no longer have anything of {change.owner}"
    if change.created_at < terms.not_before:
        return f"{EXPIRED}, it waited since {change.created_at:%Y-%m-%d %H:%M} UTC"
    return ""


def _last_in_doubt(changes: Iterable[FedChange], terms: Terms) -> dict[LaneKey, Position]:
    """Return the last message of each object that may have arrived."""
    return {_lane(each): each.position for each in changes if each.position in terms.in_doubt}


def _push(change: FedChange, terms: Terms, suspect: Position) -> Push:
    """Send a message as it came in, if it neither adds twice nor takes its object back."""
    push = _verbatim(change)
    is_patch = change.method == "PATCH"
    if is_patch and (not terms.patch_supported or change.position in terms.in_doubt):
        return as_state(push)
    return as_state(push) if change.method == "PUT" and change.position < suspect else push


def _lane(change: FedChange) -> LaneKey:
    return (change.owner, change.object_key, "")


def _verbatim(change: FedChange) -> Push:
    lane = _lane(change)
    return Push(
        lane,
        change.method,
        change.path,
        change.body or "",
        path_of(change.path, lane),
        change.correlation_id,
        frozenset({change.position}),
        change.revision,
    )
