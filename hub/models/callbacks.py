"""Callbacks: the hub's own URL for every `response_url` that passed through it.

Spec: 2.2.1 mod_commands and mod_charging_profiles, `response_url`; A-107.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from parties.models import Platform
from parties.models.columns import LONGEST_MODULE, module_field


class Callback(models.Model):
    """A request whose results are still to come, and where they go.

    Its id is in the URL that the receiver got instead of `url`. Only that receiver's platform may
    use it, as often as it likes until it expires.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    module = module_field()
    kind = models.CharField(
        max_length=LONGEST_MODULE, help_text="The command, or the method about a profile"
    )
    about = models.TextField(blank=True, default="", help_text="Folded session or reservation id")
    sender = models.CharField(max_length=6, help_text="Who gets the results, as DE-MSA")
    sender_platform = models.ForeignKey(Platform, models.CASCADE, related_name="+")
    url = models.TextField(help_text="Its response_url")
    receiver = models.CharField(max_length=6, help_text="Who sends them, as NL-CPA")
    receiver_platform = models.ForeignKey(Platform, models.CASCADE, related_name="+")
    correlation_id = models.TextField()
    is_accepted = models.BooleanField(default=False, help_text="The receiver said so at once")
    results = models.IntegerField(default=0, help_text="Results that came")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["about", "module"], name="hub_callback_about"),
            models.Index(fields=["expires_at"], name="hub_callback_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.sender} at {self.receiver}"
