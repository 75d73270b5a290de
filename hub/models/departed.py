"""Departed platforms: of one that was forgotten, its CDRs, kept for the law, and when it left.

docs/privacy.md. Nothing that answers a peer reads these tables: a platform that registers the same
party later gets nothing of them.
"""

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from parties.models.columns import module_field


class KeptCdr(models.Model):
    """A CDR of or for a party of a forgotten platform, without its driver."""

    platform = models.CharField(max_length=100, help_text="The platform that was forgotten")
    owner = models.CharField(max_length=6)
    recipient = models.CharField(max_length=6)
    object_id = models.TextField("id")
    version = models.CharField(max_length=10)
    text = models.TextField()
    ended_at = models.DateTimeField(null=True)
    kwh = models.FloatField("kWh", null=True)
    cost = models.FloatField("cost without VAT", null=True)
    currency = models.TextField()
    posted_at = models.DateTimeField(help_text="When the hub got it")
    kept_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "kept CDR"
        verbose_name_plural = "kept CDRs"
        indexes: ClassVar[list[models.Index]] = [
            BrinIndex(fields=["posted_at"], autosummarize=True, name="hub_keptcdr_posted"),
        ]

    def __str__(self) -> str:
        return f"{self.owner}/{self.object_id}"


class Departed(models.Model):
    """Until when a party of a forgotten platform received a module.

    What is older, and still in its owner's list, was for that party, not for the one that has its
    name now.
    """

    party = models.CharField(max_length=6)
    module = module_field()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "departed"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["party", "module"], name="hub_departed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.party} ({self.module})"
