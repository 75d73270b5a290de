"""The store's write and page as Django's ORM would do them, to be measured beside its SQL.

They leave what the statements leave: the object and its parts, the end of older own copies,
the change in the feed behind the object's lock. Imported once Django is set up.
"""

# ruff: noqa: SLF001 - _default_manager is the documented way to a model's rows

from collections.abc import Mapping
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Cast
from django.utils import timezone

from hub.models import Change, Evse
from hub.models.stored import StoredObject
from hub.module_policy import ModulePolicy
from hub.store import raw_json
from hub.store.reads import Viewer

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_NUMBER = Cast(
    Cast(models.Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()
)
_PLAIN = ("object_id", "version", "text", "digest", "last_updated", "last_updated_text")
_OF_CHANGE = ("module", "owner", "audience", "method", "path", "body", "correlation_id")
_OF_PART = ("uid", "text", "last_updated", "revision", "generation", "position")


def put(policy: ModulePolicy, lock: str, values: Mapping[str, Any]) -> None:
    """Store a whole object and feed it, unless the last PUT had the same bytes."""
    key = {"owner": values["owner"], "object_key": values["key"], "audience": values["audience"]}
    columns = {name: values[name] for name in _PLAIN}
    columns |= {name: values[name] for name in policy.columns}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [lock])
        found, created = policy.model._default_manager.get_or_create(**key, defaults=columns)
        if not created and bytes(found.digest or b"") == values["digest"]:
            return
        if not created:
            _replace(found, columns)
        if policy.part_model is not None:
            _put_parts(policy, found, values["parts"])
        _end_own_copies(policy, values)
        _feed(values, found.revision)


def _replace(found: StoredObject, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        setattr(found, name, value)
    found.revision += 1
    found.generation += 1
    found.missed = 0
    found.changed_at = timezone.now()
    found.save()


def _put_parts(policy: ModulePolicy, found: StoredObject, rows: list[dict[str, Any]]) -> None:
    numbers = {"revision": found.revision, "generation": found.generation}
    Evse.objects.bulk_create(
        [Evse(object_id=found.pk, **numbers, **row) for row in rows],
        update_conflicts=True,
        unique_fields=["object", "key"],
        update_fields=[*_OF_PART, *policy.part_columns],
    )


def _end_own_copies(policy: ModulePolicy, values: Mapping[str, Any]) -> None:
    same = policy.model._default_manager.filter(owner=values["owner"], object_key=values["key"])
    same.exclude(audience="").filter(last_updated__lte=values["last_updated"]).delete()


def _feed(values: Mapping[str, Any], revision: int) -> None:
    Change.objects.create(
        transaction=_NUMBER,
        object_key=values["key"],
        part_key=values["changed_part"],
        revision=revision,
        **{name: values[name] for name in _OF_CHANGE},
    )


def page(policy: ModulePolicy, viewer: Viewer, *, limit: int) -> bytes:
    """Return the first page of what a viewer sees, counted like a list's first page."""
    everybody = policy.model._default_manager.filter(owner__in=viewer.owners)
    own = everybody.filter(
        owner=OuterRef("owner"), object_key=OuterRef("object_key"), audience=str(viewer.party)
    )
    seen = everybody.filter(
        Q(audience=str(viewer.party)) | (Q(audience="", missed__lt=2) & ~Exists(own))
    )
    seen.count()
    return b"[" + b",".join(map(_whole, _with_parts(policy, seen.order_by("seq"))[:limit])) + b"]"


def _with_parts(policy: ModulePolicy, found: models.QuerySet[Any]) -> models.QuerySet[Any]:
    if policy.part_model is None:
        return found
    parts = Evse.objects.filter(generation=F("object__generation")).order_by("position", "id")
    return found.prefetch_related(models.Prefetch("parts", parts, to_attr="present"))


def _whole(found: StoredObject) -> bytes:
    """Fill the holes of a text."""
    parts = ",".join(part.text for part in getattr(found, "present", ()))
    text = found.text.replace(raw_json.UPDATED_HOLE.decode(), found.last_updated_text)
    return text.replace(raw_json.PARTS_HOLE.decode(), f"[{parts}]").encode()
