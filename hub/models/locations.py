"""Where drivers can charge. Spec: 2.2.1 mod_locations."""

from typing import Any, ClassVar

from django.db import models

from hub.models.stored import StoredObject, StoredPart


class Location(StoredObject):
    """A Location without its EVSEs. Spec: 2.2.1 mod_locations."""

    name = models.TextField(blank=True, default="")
    city = models.TextField(blank=True, default="")
    publish = models.BooleanField(default=True)

    class Meta(StoredObject.Meta):
        verbose_name_plural = "locations"


class Evse(StoredPart):
    """An EVSE with its Connectors. Spec: 2.2.1 mod_locations, EVSE object."""

    object = models.ForeignKey(
        Location, models.CASCADE, related_name="parts", verbose_name="location"
    )
    evse_id = models.TextField("EVSE id", blank=True, default="", db_index=True)
    status = models.TextField()

    class Meta:
        verbose_name = "EVSE"
        verbose_name_plural = "EVSEs"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["object", "key"], name="hub_evse_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["status"], name="hub_evse_status")
        ]
