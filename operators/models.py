"""The audit: one row for every change to the hub's configuration, never changed itself.

Spec: none; architecture chapter 10.
"""

from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now


class Change(models.Model):
    """Who changed what, when, and what it was before and after."""

    at = models.DateTimeField(db_default=Now(), editable=False, db_index=True)
    who = models.CharField(max_length=150, db_index=True)
    channel = models.CharField(max_length=12)
    address = models.GenericIPAddressField(null=True)
    doing = models.CharField(max_length=200, blank=True, default="")
    deed = models.CharField(max_length=60)
    kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40, blank=True, default="")
    subject = models.CharField(max_length=200)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["kind", "object_id"], name="operators_change_object")
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.deed} {self.subject}"
