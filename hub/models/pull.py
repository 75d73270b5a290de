"""Pull: how far each party's lists are read, what could not be used, and when the hub was there."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from parties.models import Party
from parties.models.columns import module_field


class PullState(models.Model):
    """One party's list of one module: when it was read, how far a crawl is, when the next is due.

    The counts are those of the crawl under way, or else of the last one; `passed_over` is counted
    since the last full crawl began.
    """

    class Phase(models.TextChoices):
        """Which crawl is under way."""

        IDLE = "IDLE"
        FULL = "FULL"
        CHANGES = "CHANGES"

    party = models.ForeignKey(Party, models.CASCADE, related_name="pulls")
    module = module_field()
    phase = models.CharField(max_length=7, choices=Phase.choices, default=Phase.IDLE)
    full_requested = models.BooleanField(default=True, help_text="The next crawl reads everything")
    date_from = models.DateTimeField(null=True, help_text="Of the crawl under way")
    next_url = models.TextField(blank=True, default="", help_text="Where it goes on")
    by_offset = models.BooleanField(default=False, help_text="Its Links do not lead on")
    is_gapless = models.BooleanField(default=True, help_text="Every object of it was recognised")
    pages = models.IntegerField(default=0)
    total = models.BigIntegerField(null=True, help_text="X-Total-Count, as the party says")
    seen = models.BigIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    older = models.BigIntegerField(
        default=0, help_text="The hub had a newer one, or keeps none so old"
    )
    passed_over = models.BigIntegerField(default=0, help_text="Nobody here may have it")
    quarantined = models.BigIntegerField(default=0)
    remark = models.TextField(blank=True, default="", help_text="What was odd about the list")
    started_at = models.DateTimeField(null=True, help_text="When the crawl began")
    tried_at = models.DateTimeField(null=True, help_text="Last attempt to go on with it")
    complete_since = models.DateTimeField(null=True, help_text="Begin of the last complete crawl")
    full_since = models.DateTimeField(null=True, help_text="Begin of the last complete full one")
    last_success_at = models.DateTimeField(null=True, help_text="End of the last complete crawl")
    due_at = models.DateTimeField(db_default=Now())
    read_again_at = models.DateTimeField(
        null=True, editable=False, help_text="A crawl that began before may have missed something"
    )
    requested_at = models.DateTimeField(
        null=True, editable=False, help_text="What was read before for another party is too old"
    )
    first_page = models.TextField(
        default="", db_default="", editable=False, help_text="A digest of what it names"
    )
    read_with = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        related_name="readers",
        help_text="The list of another party that is the same, and was read for both",
    )
    failures = models.IntegerField(default=0, help_text="Failed attempts since the last success")
    last_error = models.TextField(blank=True, default="")
    last_error_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "pull"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["party", "module"], name="hub_pullstate_once"),
        ]

    def __str__(self) -> str:
        return f"{self.module} of {self.party.ref}"


class Listed(models.Model):
    """An object that the full crawl under way has met; what it does not meet is missing (A-58)."""

    pull = models.ForeignKey(PullState, models.CASCADE, related_name="listed")
    object_key = models.TextField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["pull", "object_key"], name="hub_listed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.object_key} in {self.pull}"


class Quarantined(models.Model):
    """An object of a list that the hub could not use, and why; the others of its page are stored.

    `key` is its owner and folded id, or a digest of its text when it has none.
    """

    pull = models.ForeignKey(PullState, models.CASCADE, related_name="quarantine")
    key = models.TextField(editable=False)
    object_id = models.TextField("id", blank=True, default="")
    text = models.TextField(help_text="As received, its beginning when it is long")
    findings = models.TextField(help_text="What is wrong, one finding a line")
    fault = models.TextField(default="", db_default="", editable=False)
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "quarantined"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["pull", "key"], name="hub_quarantined_once"),
        ]

    def __str__(self) -> str:
        return f"{self.object_id or 'an object without id'}: {self.findings}"


class Presence(models.Model):
    """One row: when a web process last wrote that it and the database were there.

    A long gap between two writes is an outage: what was pushed then is missing, and all lists are
    read again (`hub.pull.outages`).
    """

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"there at {self.at}"
