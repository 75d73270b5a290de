"""Locations and EVSEs as they are stored, on the map, and over time. Spec: 2.2.1 mod_locations."""

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from hub.models.stored import BY_CHANGED_HOUR, BY_HOUR, Busy, StoredObject, StoredPart

SPOT_SIZE = 1 << 24
"""Steps of the map from one edge of the world to the other: about two metres each."""


class Location(Busy, StoredObject):
    """A Location without its EVSEs. Spec: 2.2.1 mod_locations."""

    name = models.TextField(blank=True, default="")
    city = models.TextField(blank=True, default="")
    publish = models.BooleanField(default=True)
    latitude = models.FloatField(null=True, editable=False)
    longitude = models.FloatField(null=True, editable=False)

    class Meta(StoredObject.Meta):
        verbose_name_plural = "locations"
        indexes: ClassVar[list[models.Index]] = [
            *StoredObject.Meta.indexes,
            BY_HOUR,
            BY_CHANGED_HOUR,
            models.Index(fields=["version"], name="hub_location_version"),
        ]


class Evse(StoredPart):
    """An EVSE with its Connectors. Spec: 2.2.1 mod_locations, EVSE object."""

    object = models.ForeignKey(
        Location, models.CASCADE, related_name="parts", verbose_name="location"
    )
    evse_id = models.TextField("EVSE id", blank=True, default="", db_index=True)
    status = models.TextField()

    SIDES: ClassVar[tuple[str, ...]] = tuple(f"object__{side}" for side in StoredObject.SIDES)

    class Meta:
        verbose_name = "EVSE"
        verbose_name_plural = "EVSEs"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["object", "key"], name="hub_evse_once"),
        ]


class Unfed(models.Model):
    """A write of an own copy that no receiver is told of, because its only one has it already.

    What follows the feed deletes it: the EVSEs of the Location may have another status.
    """

    location_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.location_id} at {self.at}"


class Spot(models.Model):
    """Where a published Location lies on the map, and how many of its EVSEs have which status.

    It follows the feed (`hub.statistics.follower`); a Location for a single audience has none. `x`
    and `y` are steps of the web map's projection, from its top left.
    """

    location = models.OneToOneField(
        Location, models.CASCADE, primary_key=True, related_name="spot", db_constraint=False
    )
    x = models.IntegerField(null=True)
    y = models.IntegerField(null=True)
    available = models.IntegerField()
    blocked = models.IntegerField()
    charging = models.IntegerField()
    inoperative = models.IntegerField()
    outoforder = models.IntegerField()
    planned = models.IntegerField()
    removed = models.IntegerField()
    reserved = models.IntegerField()
    unknown = models.IntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["x", "y"], name="hub_spot_at")
        ]

    def __str__(self) -> str:
        return f"{self.location_id} at {self.x}, {self.y}"


class EvseStatus(models.Model):
    """The status of an EVSE as far as the feed was followed, and since when it has it.

    `status` is empty when its Location does not have it.
    """

    evse = models.OneToOneField(
        Evse, models.CASCADE, primary_key=True, related_name="followed", db_constraint=False
    )
    status = models.TextField()
    since = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["status", "evse"], name="hub_evsestatus_status")
        ]

    def __str__(self) -> str:
        return f"{self.evse_id}: {self.status}"


class EvseChange(models.Model):
    """A change of an EVSE's status, as it follows the feed; of several in a minute only the last.

    `before` is the status when the minute began, empty if the EVSE was not there yet. `status` is
    empty if a PUT of its Location left it out.
    """

    evse = models.ForeignKey(
        Evse, models.CASCADE, related_name="changes", db_constraint=False, db_index=False
    )
    minute = models.DateTimeField()
    at = models.DateTimeField()
    before = models.TextField()
    status = models.TextField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["evse", "minute"], name="hub_evsechange_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            BrinIndex(fields=["minute"], autosummarize=True, name="hub_evsechange_age"),
        ]

    def __str__(self) -> str:
        return f"{self.evse_id}: {self.before} to {self.status}"
