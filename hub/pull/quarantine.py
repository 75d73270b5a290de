"""Quarantine: the objects of a list that could not be used, kept with the reason until they can.

Spec: 2.2.1 transport and format, pull; TF-31. At most `MOST` of one list are kept, enough to see
what is wrong with it; `PullState.quarantined` counts all that the crawl met.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Now

from database import sql
from hub.models import PullState, Quarantined
from hub.pull import schedule
from hub.pull import sql as statements
from hub.pull.page_objects import BrokenObject
from hub.review_queue import ReviewQueue
from ocpi.errors import Fault

_HINTS: Mapping[str, str] = {
    Fault.FOREIGN_OWNER: (
        "The platform lists objects of a party it does not represent here; add the party to its "
        "list of allowed parties, or ask it to honour OCPI-to."
    ),
    Fault.IMMUTABLE: (
        "A CDR is immutable: the platform has to correct it by a credit CDR and a new one."
    ),
    Fault.NOT_JSON: "The platform has to mend the JSON of this object.",
    Fault.NOT_AN_OBJECT: "The list holds something that is no object at all.",
    Fault.REQUIRED: "The field is mandatory in OCPI; the platform has to send it.",
    Fault.TIMESTAMP: "OCPI wants RFC 3339 in UTC, like 2026-11-21T05:32:00Z.",
    Fault.LENGTH: "The value is longer or shorter than the specification allows.",
    Fault.CHARACTERS: "The text has characters that the specification does not allow there.",
    Fault.VALUE: "The value is none of those that the specification allows.",
    Fault.RANGE: "The number is beyond what the specification allows.",
    Fault.FORMAT: "The value is not written as the specification asks.",
    Fault.RELATION: "Two members of the object contradict each other.",
    Fault.TYPE: "The value has another type than the specification gives it.",
    Fault.REPEATED_ID: (
        "Two parts of the object have the same id; the platform has to keep them apart."
    ),
    Fault.NO_TOKEN_OWNER: (
        "Nothing says whose this is: cdr_token has to name its country_code and party_id."
    ),
}

_BETWEEN = ", "
MOST = 1_000
QUARANTINE = ReviewQueue(
    Quarantined,
    "quarantined objects",
    party="pull__party__key",
    module="pull__module",
    owned="key",
)


def note(pull_id: int, broken: Sequence[BrokenObject], *, usable: Collection[str]) -> None:
    """Keep what is broken, and remove what is usable by now."""
    sql.rows(statements.LEAVE_QUARANTINE, {"pull": pull_id, "keys": list(usable)})
    kept = Quarantined.objects.filter(pull=pull_id)
    # Of each key the last: one INSERT … ON CONFLICT cannot change a row twice.
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
                fault=_BETWEEN.join(each.faults),
                last_seen_at=Now(),
            )
            for each in [*fresh, *(by_key[key] for key in known)]
        ],
        update_conflicts=True,
        unique_fields=["pull", "key"],
        update_fields=["object_id", "text", "findings", "fault", "last_seen_at"],
    )


def forget_older(pull_id: int, begun: datetime) -> None:
    """Remove what a complete crawl did not meet any more."""
    Quarantined.objects.filter(pull=pull_id, last_seen_at__lt=begun).delete()


def forget(pull_id: int) -> None:
    """Remove all of a list: it is kept with another."""
    Quarantined.objects.filter(pull=pull_id).delete()


def read_again(rows: QuerySet[Quarantined]) -> int:
    """Have the lists with these objects read in full; return how many lists."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    QUARANTINE.audit("read again", ids)
    lists = sorted(set(Quarantined.objects.filter(pk__in=ids).values_list("pull", flat=True)))
    schedule.request(lists, full=True)
    return len(lists)


def owner_of(row: Quarantined) -> str:
    """Return the party whose an object says that it is; without one, that whose list has it."""
    owner, slash, _ = row.key.partition("/")
    return owner if slash else row.pull.party.key


def not_kept(rows: QuerySet[Quarantined]) -> dict[PullState, int]:
    """Return the lists of these objects that have more than are kept: how many more."""
    kept = Counter(Quarantined.objects.order_by().values_list("pull", flat=True))
    full = [pull for pull, number in kept.items() if number >= MOST]
    lists = PullState.objects.filter(pk__in=full, quarantine__in=rows.order_by()).distinct()
    left = {each: each.quarantined - MOST for each in lists.select_related("party")}
    return {each: number for each, number in left.items() if number > 0}


def hint(faults: str) -> str:
    """Return what would help against each kind of fault, as `note` has written them down."""
    helping = [_HINTS[each] for each in faults.split(_BETWEEN) if each in _HINTS]
    return " ".join(helping) or "Compare the object with the specification's table."
