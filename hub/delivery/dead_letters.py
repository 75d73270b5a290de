"""What a receiver would not take, kept for people to look at and to send again."""

from collections.abc import Callable, Collection, Sequence

from django.db.models import QuerySet

from hub.delivery.lanes import Push, whole
from hub.delivery.pushing import Result
from hub.models import DeadLetter
from ocpi.types import ModuleID, PartyRef
from operators import auditing as changes
from parties import database

_AUDITED = 1_000
_BATCH = 1_000


def record(subscription_id: int, results: Sequence[Result], *, superseded: Sequence[Push]) -> None:
    """Record what the receiver refused, and forget what was refused before of some paths.

    What was refused of a part ends with the whole object too.
    """
    if superseded:
        _forget(subscription_id, superseded)
    DeadLetter.objects.bulk_create(
        DeadLetter(
            subscription_id=subscription_id,
            owner=result.push.lane[0],
            object_key=result.push.lane[1],
            method=result.push.method,
            path=result.push.path,
            body=result.push.body or None,
            http_status=result.http_status,
            status_code=result.status_code,
            reason=result.told,
            correlation_id=result.push.correlation_id,
        )
        for result in results
    )


def chosen(
    *, ids: Collection[int] | None = None, party: str | None = None, module: str | None = None
) -> QuerySet[DeadLetter]:
    """Return the letters with these ids, of this receiver, of this module: of all that is said."""
    letters = DeadLetter.objects.all()
    if ids:
        letters = letters.filter(pk__in=ids)
    if party:
        letters = letters.filter(subscription__receiver__key=str(PartyRef.parse(party)))
    if module:
        letters = letters.filter(subscription__module=ModuleID(module).value)
    return letters


def discard(
    letters: QuerySet[DeadLetter], *, tell: Callable[[int, int], object] = lambda *_: None
) -> int:
    """Forget letters, send nothing, and count them; tell how many of all of them are gone."""
    ids = list(letters.order_by("pk").values_list("pk", flat=True))
    audit("discarded", ids)
    number = 0
    for start in range(0, len(ids), _BATCH):
        number += DeadLetter.objects.filter(pk__in=ids[start : start + _BATCH]).delete()[0]
        tell(min(start + _BATCH, len(ids)), len(ids))
    return number


def audit(words: str, ids: Collection[int]) -> None:
    """Write down what an operator does with letters: which, whose, and how many."""
    told = DeadLetter.objects.filter(pk__in=ids).order_by("pk")
    of = told.values_list("subscription__receiver__key", "subscription__module").distinct()
    which = {
        "ids": list(ids)[:_AUDITED],
        "of": sorted(f"{key} {module}" for key, module in of.order_by()),
    }
    changes.record(
        words,
        f"{len(ids):,} dead letters",
        before=which,
        kind=DeadLetter._meta.label,  # noqa: SLF001 - a documented name of Django
    )


def _forget(subscription_id: int, superseded: Sequence[Push]) -> None:
    wholes = {
        push.lane[:2] for push in superseded if push.is_state and push.lane == whole(push.lane)
    }
    database.rows(
        _FORGET,
        {
            "subscription": subscription_id,
            "paths": list({push.path for push in superseded}),
            "owners": [owner for owner, _ in wholes],
            "keys": [key for _, key in wholes],
        },
    )


_FORGET = """
DELETE FROM hub_deadletter WHERE subscription_id = %(subscription)s::bigint AND (
  path = ANY(%(paths)s::text[]) OR (owner, object_key) IN (
    SELECT owner, key FROM unnest(%(owners)s::text[], %(keys)s::text[]) AS w(owner, key)))
RETURNING NULL"""
