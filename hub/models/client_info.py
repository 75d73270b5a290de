"""Client info: the status of each party as each platform sees it, and whether it was sent there.

Spec: 2.2.1 mod_hub_client_info, ClientInfo object.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from ocpi.types import Role
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from parties.models.columns import choices


class ClientInfo(models.Model):
    """One party in one role, as one platform sees it; it outlives the party.

    It is to be sent while `sent_status` differs from `status`.
    """

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="client_info")
    country_code = models.CharField(max_length=2)
    party_id = models.CharField(max_length=3)
    role = models.CharField(max_length=5, choices=choices(Role))
    status = models.CharField(max_length=10, choices=choices(ConnectionStatus))
    last_updated = models.DateTimeField(help_text="When that became its status for this platform")
    sent_status = models.CharField(
        max_length=10,
        blank=True,
        default="",
        help_text="The status the platform was last sent, and took or refused",
    )
    sent_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True, help_text="It is not sent before")
    verified_at = models.DateTimeField(
        null=True, help_text="When the platform's own copy was last looked at"
    )
    refusal = models.TextField(
        blank=True, default="", help_text="Why the platform would not take it"
    )

    class Meta:
        verbose_name_plural = "client info"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["platform", "country_code", "party_id", "role"],
                name="hub_clientinfo_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["platform"],
                condition=~Q(sent_status=F("status")),
                name="hub_clientinfo_unsent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country_code}-{self.party_id} ({self.role}) for {self.platform}"
