"""The message log: every request and its response, masked.

docs/architecture.md#the-message-log. The table is partitioned by the day of `at` (hub.message_log).
"""

from typing import ClassVar

from django.db import models

from parties.models.columns import module_field


class Exchange(models.Model):
    """One request, in or out, and its answer; nothing secret is in it.

    Parties and platforms are there by name, not by foreign key: the log outlives them.
    """

    at = models.DateTimeField(help_text="When the request began")
    direction = models.CharField(max_length=3, help_text="in: to the hub; out: from it")
    platform = models.TextField(help_text="At the other end")
    sender = models.CharField(max_length=6, help_text="Who speaks, as NL-CPA")
    receiver = models.CharField(max_length=6, help_text="To whom")
    version = models.CharField(max_length=10)
    module = module_field()
    interface = models.CharField(max_length=8)
    method = models.CharField(max_length=10)
    endpoint = models.TextField()
    path = models.TextField(help_text="What follows the endpoint's URL")
    object_key = models.TextField(help_text="Folded id of the object; of a token its end")
    route = models.CharField(max_length=10, help_text="What the hub did with it, or why it sent it")
    http_status = models.IntegerField(null=True)
    status_code = models.IntegerField(null=True)
    status_message = models.TextField(help_text="The answer's words, or why there is none")
    milliseconds = models.FloatField()
    request_id = models.TextField()
    correlation_id = models.TextField()
    request_body = models.TextField()
    response_body = models.TextField()

    class Meta:
        verbose_name = "message"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["correlation_id", "at"], name="hub_exchange_correlation"),
            models.Index(fields=["request_id"], name="hub_exchange_request"),
            models.Index(fields=["object_key", "at"], name="hub_exchange_object"),
            models.Index(fields=["sender", "at"], name="hub_exchange_sender"),
            models.Index(fields=["receiver", "at"], name="hub_exchange_receiver"),
            models.Index(fields=["module", "at"], name="hub_exchange_module"),
            models.Index(
                fields=["status_code", "at"],
                condition=~models.Q(status_code=1000),
                name="hub_exchange_failed",
            ),
            models.Index(
                fields=["at"],
                condition=~models.Q(status_code=1000),
                name="hub_exchange_failures",
            ),
            models.Index(fields=["platform", "at"], name="hub_exchange_platform"),
            models.Index(fields=["at"], name="hub_exchange_at"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.module}/{self.path}"
