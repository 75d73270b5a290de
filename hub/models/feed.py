"""The feed: every accepted change, in order, exactly as it came in."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from parties.models.columns import module_field


class Change(models.Model):
    """One accepted write of a stored object.

    The order of the feed is (`transaction`, `seq`): a transaction number is taken only after the
    object's lock, so two changes of one object never swap, and everything below the oldest running
    transaction is final (`hub.feed`).
    """

    seq = models.BigAutoField(primary_key=True)
    transaction = models.BigIntegerField()
    module = module_field()
    owner = models.CharField(max_length=26)
    object_key = models.TextField()
    part_key = models.TextField(
        default="", help_text="The part it changes; empty: the whole object"
    )
    audience = models.CharField(max_length=26, default="")
    revision = models.BigIntegerField(help_text="The object's revision after it")
    method = models.CharField(max_length=6)
    path = models.TextField(help_text="Raw path below the endpoint, as the receiver will see it")
    body = models.TextField(null=True)  # noqa: DJ001 - a DELETE has none
    correlation_id = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["module", "transaction", "seq"], name="hub_change_order"),
            models.Index(
                fields=["module", "owner", "transaction", "seq"], name="hub_change_of_owner"
            ),
            models.Index(
                fields=["owner", "object_key", "part_key", "transaction", "seq"],
                name="hub_change_of_object",
            ),
            models.Index(
                fields=["module", "audience", "transaction", "seq"],
                condition=~models.Q(audience=""),
                name="hub_change_for_audience",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.module}/{self.path}"
