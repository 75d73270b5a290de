"""The audit: which changes of the configuration are in it, and how one becomes a row.

While somebody acts, every saved or deleted row of `AUDITED` becomes an entry by itself. Where one
action changes several rows, `audited_action` makes one entry of it: `invited P1`, not `created` for
a platform, each party it may register and each token.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Model

from operators.actor import HUB, Actor, actor
from operators.models import Change

log = logging.getLogger(__name__)
Facts = dict[str, Any]

AUDITED: Mapping[str, tuple[str, ...]] = {
    "parties.Platform": ("name", "status", "quirks"),
    "parties.AllowedParty": ("platform", "role", "country_code", "party_id"),
    "parties.Agreement": ("cpo", "emsp", "state", "modules", "valid_from", "valid_until"),
    "auth.User": (
        *("username", "first_name", "last_name", "email", "password"),
        *("is_active", "is_staff", "is_superuser"),
    ),
    "auth.Group": ("name",),
}
"""The models a person configures, and of each the fields that are configuration."""
_SECRET = {"password"}
_BEFORE = "_audited_before"
_within_action: ContextVar[bool] = ContextVar("within_action", default=False)


def record(
    action: str,
    thing: Model | str,
    *,
    before: Facts | None = None,
    after: Facts | None = None,
    by: Actor | None = None,
    kind: str = "",
) -> None:
    """Write an entry; while nobody acts, the hub did it by itself."""
    by = by or actor() or HUB
    row = thing if isinstance(thing, Model) else None
    # Texts are cut to what the columns hold: no change goes unrecorded for a long name.
    change = Change.objects.create(
        who=by.who[:150],
        channel=by.channel,
        address=by.address,
        doing=by.doing[:200],
        action=action[:60],
        kind=kind or (row._meta.label if row is not None else ""),
        object_id=str(row.pk)[:40] if row is not None else "",
        subject=str(thing)[:200],
        before=before,
        after=after,
    )
    _log_line(change)


def _log_line(change: Change) -> None:
    """Write the process's log as well, which no account of the database can change (ASVS 7.3.3).

    Only the action and the row: before and after may name a driver.
    """
    about = f"{change.kind} {change.object_id}".strip()
    by = (change.who, change.channel, change.address or "-")
    log.info("audit %d: %s (%s, %s) %s %s", change.pk, *by, change.action, about)


@contextmanager
def audited_action(
    action: str, subject: str, facts: Callable[[], Facts | None], *, kind: str
) -> Iterator[None]:
    """Make one entry of all that the block changes; of a failed one only if something changed."""
    before, token = facts(), _within_action.set(True)
    try:
        yield
    except Exception:
        with suppress(DatabaseError):  # the first error is the one to raise
            _record_trace(f"{action} (failed)", subject, before, facts, kind=kind)
        raise
    finally:
        _within_action.reset(token)
    was, now = _differing(before, facts())
    record(action, subject, before=was, after=now, kind=kind)


def _record_trace(
    action: str, subject: str, before: Facts | None, facts: Callable[[], Facts | None], *, kind: str
) -> None:
    """Record what a failed action changed; inside a transaction all of it is rolled back."""
    if connection.in_atomic_block:
        return
    was, now = _differing(before, facts())
    if was != now:
        record(action, subject, before=was, after=now, kind=kind)


def remember(sender: type[Model], instance: Model, **_: object) -> None:
    """Before a row is saved: keep its audited fields as they are."""
    del sender
    if _is_watched():
        setattr(instance, _BEFORE, audited_fields(instance))


def saved(sender: type[Model], instance: Model, *, created: bool, **_: object) -> None:
    """After that: record which differ."""
    del sender
    before = instance.__dict__.pop(_BEFORE, None)
    if not _is_watched():
        return
    after = audited_fields(instance)
    if before != after:
        was, now = _differing(before, after)
        record("created" if created else "changed", instance, before=was, after=now)


def deleted(sender: type[Model], instance: Model, **_: object) -> None:
    """Record a deleted row as it was."""
    del sender
    if _is_watched():
        record("deleted", instance, before=_facts(instance))


def relations_changed(
    sender: type[Model],
    instance: Model,
    action: str,
    model: type[Model],
    pk_set: set[Any] | None,
    **_: object,
) -> None:
    """Record groups and permissions that were given or taken."""
    del sender
    word = {"post_add": "gave", "post_remove": "took away", "pre_clear": "took away all"}.get(
        action
    )
    if word is None or not _is_watched():
        return
    chosen = model._default_manager.filter(pk__in=pk_set) if pk_set is not None else []
    names = {str(model._meta.verbose_name_plural): [str(each) for each in chosen]}
    gave = word == "gave"
    record(word, instance, before=None if gave else names, after=names if gave else None)


def audited_fields(instance: Model) -> Facts | None:
    """Return the audited fields of a row as the database has them."""
    row = type(instance)._base_manager.filter(pk=instance.pk).first() if instance.pk else None
    return None if row is None else _facts(row)


def _is_watched() -> bool:
    return actor() is not None and not _within_action.get()


def _facts(row: Model) -> Facts:
    return {name: _shown(name, getattr(row, name)) for name in AUDITED[row._meta.label]}


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401 - of any column
    """Return a value as JSON takes it; of a secret only whether it is the same."""
    if name in _SECRET:
        return f"secret {hashlib.sha256(str(value).encode()).hexdigest()[:8]}"
    if hasattr(value, "as_mapping"):
        return value.as_mapping()
    return str(value) if isinstance(value, Model) else value


def _differing(before: Facts | None, after: Facts | None) -> tuple[Facts | None, Facts | None]:
    """Leave out what is the same in both."""
    if before is None or after is None:
        return before, after
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}
