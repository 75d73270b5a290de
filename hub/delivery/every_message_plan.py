"""From a batch of changes to what is sent where every message counts: decided without I/O.

Sessions and CDRs (docs/decisions/0006-every-message-counts.md): an object's messages go out as they
came in, one after the other. What cannot be sent any more is refused with a sentence, never passed
over.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from hub.delivery.push import Outcome, PartKey, Plan, Push, Result, path_of
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
            pushes.append(_push(change, terms, suspect.get(_key(change), change.position)))
    failed = {push.key for push in pushes if push.settles & terms.in_doubt}
    # Session S1 hung last time: first, it would hang again while S2 to S9 wait behind it. The sort
    # is stable, so S1's own messages keep their order.
    in_turn = sorted(pushes, key=lambda push: push.key in failed)
    overdue = frozenset(each.position for each in changes if each.created_at < terms.patient_since)
    return Plan(in_turn, refused, overdue, doubtful(in_turn))


def doubtful(pushes: Iterable[Push]) -> frozenset[Position]:
    """Return what is not repeated as it was, should nobody say what came of it.

    That is every PATCH, and what comes after another message about its object.
    """
    found: set[Position] = set()
    before: set[PartKey] = set()
    for push in pushes:
        # Of PUT {kWh 1}, PUT {kWh 2} both may have arrived when the worker dies. Sent again from
        # the first, they would take the Session back to 1 for a moment: a state goes out instead.
        if push.method == "PATCH" or push.key in before:
            found |= push.settles
        before.add(push.key)
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


def _last_in_doubt(changes: Iterable[FedChange], terms: Terms) -> dict[PartKey, Position]:
    """Return the last message of each object that may have arrived."""
    return {_key(each): each.position for each in changes if each.position in terms.in_doubt}


def _push(change: FedChange, terms: Terms, suspect: Position) -> Push:
    """Send a message as it came in, if it neither adds twice nor takes its object back."""
    push = _verbatim(change)
    is_patch = change.method == "PATCH"
    if is_patch and (not terms.patch_supported or change.position in terms.in_doubt):
        return as_state(push)
    return as_state(push) if change.method == "PUT" and change.position < suspect else push


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
