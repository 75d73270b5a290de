"""Figures: counted as things happen, so that the dashboard counts nothing when it is looked at.

docs/architecture.md#figures. Written with the message log (`hub.message_log.counters`), or by a
trigger with what they count. No text column takes more than a bounded number of values, whatever a
peer sends.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from parties.models.columns import LONGEST_MODULE, module_field


class Traffic(models.Model):
    """How many messages of a module went which way in a minute."""

    minute = models.DateTimeField()
    module = module_field()
    direction = models.CharField(max_length=3, help_text="in: to the hub; out: from it")
    number = models.BigIntegerField()
    failed = models.BigIntegerField(help_text="Those that were not answered with success")
    milliseconds = models.FloatField(help_text="All of them together")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["minute", "module", "direction"], name="hub_traffic_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.module} {self.direction} at {self.minute:%H:%M}"


class Failure(models.Model):
    """How often in an hour messages of a party failed, and with which code."""

    hour = models.DateTimeField()
    party = models.CharField(max_length=6, help_text="A known party, as NL-CPA; empty: none")
    module = module_field()
    code = models.IntegerField(help_text="OCPI status code, else HTTP status; 0: no answer")
    number = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["hour", "party", "module", "code"], name="hub_failure_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party} {self.code} {self.module}"


class Throttled(models.Model):
    """How many requests were refused in an hour because there were too many of them."""

    hour = models.DateTimeField()
    platform = models.CharField(max_length=100, help_text="Its name; empty: strangers")
    number = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["hour", "platform"], name="hub_throttled_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.platform or 'strangers'}"


class Follower(models.Model):
    """How far the figures of a module follow its feed."""

    module = models.CharField(max_length=LONGEST_MODULE, primary_key=True)
    transaction = models.BigIntegerField(default=0, help_text="Counted up to this transaction")
    seq = models.BigIntegerField(default=0, help_text="and this change within it")
    as_of = models.DateTimeField(
        db_default=Now(), help_text="What was accepted before this moment is counted"
    )
    recounted_to = models.BigIntegerField(
        null=True, help_text="Objects up to this seq were counted anew; empty: all that should be"
    )

    def __str__(self) -> str:
        return f"{self.module} as of {self.as_of}"


class Billed(models.Model):
    """How many CDRs were posted in an hour, and the energy in them.

    Written by a trigger. An hour has several rows, its slots, so that CDRs posted at the same time
    do not wait for one row's lock.
    """

    hour = models.DateTimeField()
    slot = models.SmallIntegerField()
    number = models.BigIntegerField()
    kwh = models.FloatField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["hour", "slot"], name="hub_billed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} CDRs at {self.hour:%H}:00"
