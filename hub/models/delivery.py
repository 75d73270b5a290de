"""Delivery: subscriptions and their snapshots, dead letters and receipts."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from parties.models import Party
from parties.models.columns import module_field


class Subscription(models.Model):
    """One receiver's position in one module's feed. Its lag is the hub's most important metric."""

    receiver = models.ForeignKey(Party, models.CASCADE, related_name="subscriptions")
    module = module_field()
    transaction = models.BigIntegerField(help_text="Delivered up to this transaction")
    seq = models.BigIntegerField(default=0, help_text="and this change within it")
    ahead = models.JSONField(
        db_default=[], help_text="Positions beyond that one that are dealt with already"
    )
    in_doubt = models.JSONField(
        db_default=[],
        help_text="Positions of changes that may have arrived although nobody confirmed it",
    )
    compacted_to = models.BigIntegerField(
        db_default=0,
        help_text="By this transaction whole states replace the changes that were passed over",
    )
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="Failed attempts since the last success")
    last_error = models.TextField(blank=True, default="")
    last_delivered_at = models.DateTimeField(null=True)
    delivered = models.BigIntegerField(default=0, help_text="Messages the receiver accepted")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["receiver", "module"], name="hub_subscription_once"),
        ]

    def __str__(self) -> str:
        return f"{self.module} to {self.receiver}"


class Snapshot(models.Model):
    """All objects of one owner, for a subscriber that newly may have them, and how many are sent.

    It goes out beside the live feed: each object as it is at that moment.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="snapshots")
    owner = models.CharField(max_length=26)
    cursor = models.BigIntegerField(default=0, help_text="Objects sent up to this seq")
    sent = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    strict = models.BooleanField(
        db_default=False, help_text="Its receiver is spared what breaks the tables"
    )

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["subscription", "owner"], name="hub_snapshot_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["subscription"],
                condition=models.Q(finished_at=None),
                name="hub_snapshot_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner} for {self.subscription}"


class DeadLetter(models.Model):
    """A message that a receiver will not get any more, and why; delivery went on with the next one.

    Refused, given up or never sent; the reason has the receiver's own words if it answered.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="dead_letters")
    owner = models.CharField(max_length=26)
    object_key = models.TextField(editable=False, db_default="")
    method = models.CharField(max_length=6)
    path = models.TextField()
    body = models.TextField(null=True)  # noqa: DJ001 - a DELETE has none
    http_status = models.IntegerField(null=True)
    status_code = models.IntegerField(null=True)
    reason = models.TextField()
    correlation_id = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subscription", "-created_at"], name="hub_deadletter_recent"),
            models.Index(fields=["owner", "object_key"], name="hub_deadletter_object"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.reason}"


class Receipt(models.Model):
    """What one receiver took last of an object or a part, and what became of a later attempt.

    docs/decisions/0008-who-has-what.md: one row for each, written with the batch that sent it. What
    was refused is a dead letter, what was not tried lies beyond the subscription's position.
    """

    subscription = models.ForeignKey(
        Subscription, models.CASCADE, related_name="receipts", db_index=False
    )
    owner = models.CharField(max_length=26)
    object_key = models.TextField()
    part_key = models.TextField(default="")
    revision = models.BigIntegerField(null=True, help_text="The object's, with what was taken")
    delivered_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(db_default=Now())
    last_error = models.TextField(default="", help_text="Why a later attempt did not pass")
    in_doubt = models.BooleanField(default=False, help_text="That attempt may have arrived")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["subscription", "owner", "object_key", "part_key"], name="hub_receipt_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner}/{self.object_key} at {self.subscription}"
