"""Stored objects: the text their owner sent, and the columns they are searched by.

Spec: 2.2.1 transport and format, client owned object push; docs/architecture.md#what-is-kept. Rows
are written by `hub.store` alone, in one statement together with their entry in the feed.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from ocpi.types import PartyRef
from parties import holders


class Hour(models.Func):
    """The beginning of a moment's hour.

    PostgreSQL can store it beside the moment: unlike `date_trunc` it depends on no time zone.
    """

    template = "date_bin('1 hour', %(expressions)s, TIMESTAMPTZ '2000-01-01 00:00:00+00')"
    output_field = models.DateTimeField()


class StoredObject(models.Model):
    """What every stored object has in common.

    `text` is the JSON the owner sent, with a hole (a control character no JSON text contains)
    where parts with rows of their own and the moving `last_updated` go: see `hub.store.raw_json`.
    `owner` and `object_key` are folded for lookup; the spelling is kept inside `text`.
    """

    seq = models.BigAutoField(primary_key=True)
    owner = models.CharField(
        max_length=26, help_text="Country and party that own it, as NL-CPA; @ and its platform"
    )
    object_id = models.TextField("id", help_text="As its owner spells it")
    object_key = models.TextField(editable=False)
    audience = models.CharField(
        max_length=26,
        blank=True,
        default="",
        help_text="The only party that may see it; empty: all with access",
    )
    version = models.CharField(max_length=10, help_text="OCPI version of the text")
    text = models.TextField()
    last_updated = models.DateTimeField(help_text="The owner's own value, never the hub's")
    last_updated_text = models.TextField(editable=False)
    revision = models.BigIntegerField(
        default=1, help_text="Counts every change of the object or a part"
    )
    generation = models.BigIntegerField(default=1, help_text="Counts full replacements")
    digest = models.BinaryField(null=True, help_text="Of the last PUT, until something changes it")
    repeated = models.BigIntegerField(db_default=0, help_text="PUTs that changed nothing")
    stale = models.BigIntegerField(db_default=0, help_text="Changes older than what they changed")
    missed = models.SmallIntegerField(
        db_default=0, help_text="Complete pulls in a row that did not have it; 2: it vanished"
    )
    findings = models.IntegerField(
        db_default=0, help_text="Members that break the tables, when it was last written"
    )
    part_findings = models.IntegerField(db_default=0, help_text="The same, in its parts")
    set_aside = models.TextField(
        db_default="", help_text="Parts that were not stored, and why (`hub.store.set_aside`)"
    )
    stored_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    SIDES: ClassVar[tuple[str, ...]] = ("owner", "audience")
    """The columns that name the parties it is of or for."""

    class Meta:
        abstract = True
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["owner", "object_key", "audience"],
                name="%(app_label)s_%(class)s_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner", "seq"], name="%(app_label)s_%(class)s_page"),
            models.Index(
                fields=["audience", "owner", "seq"],
                condition=~models.Q(audience=""),
                name="%(app_label)s_%(class)s_audience",
            ),
            models.Index(
                fields=["owner"],
                condition=models.Q(missed__gt=0),
                name="%(app_label)s_%(class)s_missed",
            ),
            models.Index(
                fields=["owner", "seq"],
                condition=models.Q(findings__gt=0) | models.Q(part_findings__gt=0),
                name="%(app_label)s_%(class)s_odd",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner}/{self.object_id}"


BY_LAST_UPDATED = models.Index(fields=["last_updated"], name="%(app_label)s_%(class)s_updated")
"""Of objects that seldom change: lists are asked for since a moment."""
BY_CHANGE = models.Index(fields=["changed_at"], name="%(app_label)s_%(class)s_changed")
"""Of the same, for readers whose dates are the hub's own (`Quirks.filter_by_arrival`)."""


def _hour_of(moment: str, name: str) -> models.GeneratedField:
    return models.GeneratedField(
        expression=Hour(moment),
        output_field=models.DateTimeField(),
        db_persist=True,
        verbose_name=name,
    )


class Busy(models.Model):
    """What often changes is found by the hour of a moment, and then by that itself.

    An index on `last_updated` or `changed_at` would change with every write, and all other indexes
    with it; these change once an hour at most, so that most writes are HOT updates.
    """

    updated_hour = _hour_of("last_updated", "last updated")
    changed_hour = _hour_of("changed_at", "changed")

    class Meta:
        abstract = True


BY_HOUR = models.Index(fields=["updated_hour"], name="%(app_label)s_%(class)s_hour")
BY_CHANGED_HOUR = models.Index(fields=["changed_hour"], name="%(app_label)s_%(class)s_since")


class StoredPart(models.Model):
    """A part with a row of its own, so that changing it does not rewrite the whole object.

    It is in the object while its `generation` is the object's. A part that a later PUT left out
    keeps its row with generation 0, so that it is recognised if it comes back.
    """

    uid = models.TextField(help_text="As its owner spells it")
    key = models.TextField(editable=False)
    position = models.BigIntegerField(help_text="Its place among its siblings")
    text = models.TextField()
    last_updated = models.DateTimeField()
    revision = models.BigIntegerField(help_text="The object's revision when this part last changed")
    generation = models.BigIntegerField()
    findings = models.IntegerField(db_default=0, help_text="Members that break the tables")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.uid


def of_party(rows: models.QuerySet[Any], ref: PartyRef) -> models.QuerySet[Any]:
    """Filter by what a party owns or is to have, at whichever platform."""
    known = holders.names(ref)
    either = ((f"{side}__in", known) for side in rows.model.SIDES)
    return rows.filter(models.Q(*either, _connector=models.Q.OR))
