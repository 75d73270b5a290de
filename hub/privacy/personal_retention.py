"""Retention of personal data: one row for each kind, with its setting and how it ends.

docs/privacy.md has the reasons. Beat starts it every hour; it runs for half a minute at most, in
batches, each a transaction of its own. What is left then is done in the next hour.
"""

# ruff: noqa: SLF001 - _meta and _default_manager are documented names of Django

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from database import sql
from hub.models import Cdr, DeadLetter, KeptCdr, Quarantined, Session, Token
from hub.models.charging import ERASED
from hub.privacy import sql as statements
from hub.store import anonymity
from operators.models import Change as Audited
from parties.models import ObservedDeviation

_BATCH = 500
_LONGEST_SECONDS = 30.0

Rows = QuerySet[Any]


def _delete(batch: Rows) -> int:
    return batch.delete()[0]


def _delete_objects(batch: Rows) -> int:
    """Delete stored objects, with their receipts and dead letters."""
    known = [(owner, key) for owner, key in batch.values_list("owner", "object_key")]
    sql.rows(
        statements.DELETE_DELIVERY_OF_OBJECTS,
        {
            "owners": [owner for owner, _ in known],
            "keys": [key for _, key in known],
            "module": _MODULES[batch.model],
        },
    )
    return batch.delete()[0]


def _make_anonymous(batch: Rows) -> int:
    """Take the driver out of CDRs; one that was written meanwhile comes again in a later batch."""
    done = 0
    for row in batch:
        text = anonymity.anonymous(row.text.encode()).decode()
        same = Cdr.objects.filter(pk=row.pk, text=row.text)
        done += same.update(text=text, token_key=ERASED, contract_key="")
    return done


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One kind: the setting of its days, which rows are older than a moment, and what ends them.

    `end` deletes rows or makes them anonymous, and returns how many.
    """

    setting: str
    name: str
    old_rows: Callable[[datetime], Rows]
    end: Callable[[Rows], int] = _delete


LIFETIMES: tuple[Lifetime, ...] = (
    Lifetime(
        "HUB_TOKEN_DAYS",
        "tokens",
        lambda old: Token.objects.filter(Q(valid=False) | Q(missed__gte=2), changed_at__lt=old),
        _delete_objects,
    ),
    Lifetime(
        "HUB_SESSION_DAYS",
        "sessions",
        lambda old: Session.objects.filter(
            updated_hour__lt=old, last_updated__lt=old, changed_at__lt=old
        ),
        _delete_objects,
    ),
    Lifetime(
        "HUB_DRIVER_DAYS",
        "drivers of CDRs",
        lambda old: Cdr.objects.filter(~Q(token_key=ERASED), posted_at__lt=old),
        _make_anonymous,
    ),
    Lifetime(
        "HUB_CDR_DAYS",
        "CDRs",
        lambda old: Cdr.objects.filter(posted_at__lt=old),
        _delete_objects,
    ),
    Lifetime("HUB_CDR_DAYS", "kept CDRs", lambda old: KeptCdr.objects.filter(posted_at__lt=old)),
    Lifetime(
        "HUB_DEAD_LETTER_DAYS",
        "dead letters",
        lambda old: DeadLetter.objects.filter(created_at__lt=old),
    ),
    Lifetime(
        "HUB_QUARANTINE_DAYS",
        "quarantined",
        lambda old: Quarantined.objects.filter(last_seen_at__lt=old),
    ),
    Lifetime(
        "HUB_FIGURES_DAYS",
        "deviations",
        lambda old: ObservedDeviation.objects.filter(last_at__lt=old),
    ),
    Lifetime("HUB_AUDIT_DAYS", "audit", lambda old: Audited.objects.filter(at__lt=old)),
    Lifetime(
        "HUB_AUDIT_DAYS",
        "console's history",
        lambda old: LogEntry.objects.filter(action_time__lt=old),
    ),
)
_MODULES: dict[type[Model], str] = {Token: "tokens", Session: "sessions", Cdr: "cdrs"}


def prune() -> Counter[str]:
    """End what is too old, for half a minute at most; return how many of each kind."""
    done: Counter[str] = Counter()
    end = time.monotonic() + _LONGEST_SECONDS
    for each in LIFETIMES:
        days = getattr(settings, each.setting)
        if days:
            done[each.name] += _end_old(each, timezone.now() - timedelta(days=days), end)
    return +done


def _end_old(lifetime: Lifetime, old: datetime, end: float) -> int:
    number = 0
    rows = lifetime.old_rows(old)
    while time.monotonic() < end:
        keys = list(rows.order_by().values_list("pk", flat=True)[:_BATCH])
        if not keys:
            break
        ended = lifetime.end(rows.model._default_manager.filter(pk__in=keys))
        number += ended
        if not ended:
            break
    return number
