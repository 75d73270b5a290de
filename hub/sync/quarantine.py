"""The objects of a list that could not be used: kept with the reason until they can be.

Spec: 2.2.1 transport and format, pull; TF-31. How many are kept of one list is bounded: all are
counted, and those that are kept tell what is wrong.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Now

from hub.models import Quarantined
from hub.sync import schedule
from hub.sync.applying import Broken
from ocpi.types import ModuleID, PartyRef
from operators import auditing as changes

MOST = 1_000
_AUDITED = 1_000
_BATCH = 1_000
Rows = QuerySet[Quarantined]


def note(pull_id: int, broken: Sequence[Broken], *, usable: Collection[str]) -> None:
    """Keep what is broken, and let go what is usable by now."""
    kept = Quarantined.objects.filter(pull=pull_id)
    if usable:
        kept.filter(key__in=usable).delete()
    by_key = {each.key: each for each in broken}
    if not by_key:
        return
    known = set(kept.filter(key__in=by_key).values_list("key", flat=True))
    room = MOST - kept.count()
    fresh = [each for key, each in by_key.items() if key not in known][: max(room, 0)]
    Quarantined.objects.bulk_create(
        [
            Quarantined(
                pull_id=pull_id,
                key=each.key,
                object_id=each.object_id,
                text=each.text,
                findings=each.findings,
                last_seen_at=Now(),
            )
            for each in [*fresh, *(by_key[key] for key in known)]
        ],
        update_conflicts=True,
        unique_fields=["pull", "key"],
        update_fields=["object_id", "text", "findings", "last_seen_at"],
    )


def forget_older(pull_id: int, begun: datetime) -> None:
    """Let go what a complete crawl did not meet any more."""
    Quarantined.objects.filter(pull=pull_id, last_seen_at__lt=begun).delete()


def chosen(
    *, ids: Collection[int] | None = None, party: str | None = None, module: str | None = None
) -> Rows:
    """Return the objects with these ids, of this party's lists, of this module."""
    rows = Quarantined.objects.select_related("pull__party")
    if ids:
        rows = rows.filter(pk__in=ids)
    if party:
        rows = rows.filter(pull__party__key=str(PartyRef.parse(party)))
    return rows.filter(pull__module=ModuleID(module).value) if module else rows


def discard(rows: Rows, *, tell: Callable[[int, int], object] = lambda *_: None) -> int:
    """Forget objects, and count them; a reading that meets one as it is brings it back."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    _audit("discarded", ids)
    number = 0
    for start in range(0, len(ids), _BATCH):
        number += Quarantined.objects.filter(pk__in=ids[start : start + _BATCH]).delete()[0]
        tell(min(start + _BATCH, len(ids)), len(ids))
    return number


def read_again(rows: Rows) -> int:
    """Have the lists with these objects read from their beginning; return how many lists."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    _audit("read again", ids)
    lists = sorted(set(Quarantined.objects.filter(pk__in=ids).values_list("pull", flat=True)))
    schedule.order(lists, full=True)
    return len(lists)


def _audit(words: str, ids: Collection[int]) -> None:
    """Write down what an operator does with objects: which, whose, and how many."""
    of = Quarantined.objects.filter(pk__in=ids).values_list("pull__party__key", "pull__module")
    which = {
        "ids": list(ids)[:_AUDITED],
        "of": sorted({f"{key} {module}" for key, module in of.order_by().distinct()}),
    }
    subject = f"{len(ids):,} quarantined objects"
    changes.record(words, subject, before=which, kind=Quarantined._meta.label)  # noqa: SLF001 - a documented name of Django
