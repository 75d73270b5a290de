"""POSTs in flight: what is on its way to its receiver, so that it is not sent twice meanwhile.

Spec: 2.2.1 mod_cdrs (POST); A-96.
"""

from typing import Any, ClassVar

from django.db import models


class Posting(models.Model):
    """The claim of one process to post an object, and for a moment the answer it got.

    The claim ends at `until` at the latest. Without `http_status` there is no answer yet.
    """

    owner = models.CharField(max_length=26)
    object_key = models.TextField()
    audience = models.CharField(max_length=26)
    digest = models.BinaryField(help_text="Of what is posted, byte for byte")
    claim = models.UUIDField()
    until = models.DateTimeField(db_index=True)
    http_status = models.IntegerField(null=True)
    status_code = models.IntegerField(null=True, help_text="Of an error of the hub; else none")
    headers = models.JSONField(db_default={})
    body = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["owner", "object_key", "audience"], name="hub_posting_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner}/{self.object_key} to {self.audience}"
