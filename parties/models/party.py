"""Parties: which the operator allows on a platform, and which the platform named.

Spec: 2.2.1 terminology (Party); credentials, CredentialsRole class; A-30, A-31.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Concat, Now

from ocpi.types import PartyRef, Role
from parties.connection_status import REGISTERED, ConnectionStatus
from parties.models.columns import choices, folded, one_of
from parties.models.platform import Platform


class PartyIdentity(models.Model):
    """A role with its country code and party id, in upper case; unique in the whole hub."""

    role = models.CharField(max_length=5, choices=choices(Role))
    country_code = models.CharField(max_length=2)
    party_id = models.CharField(max_length=3)

    class Meta:
        abstract = True
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["role", "country_code", "party_id"], name="%(app_label)s_%(class)s_once"
            ),
            one_of("role", Role, name="%(app_label)s_%(class)s_role"),
            folded("country_code", length=2, name="%(app_label)s_%(class)s_country"),
            folded("party_id", length=3, name="%(app_label)s_%(class)s_id"),
        ]

    def __str__(self) -> str:
        return f"{self.ref} ({self.role})"

    @property
    def ref(self) -> PartyRef:
        """The party without its role, as routing headers name it."""
        return PartyRef(self.country_code, self.party_id)


class AllowedParty(PartyIdentity):
    """One line of the operator's list: this platform may register this party."""

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="allowed_parties")

    class Meta(PartyIdentity.Meta):
        verbose_name_plural = "allowed parties"


class Party(PartyIdentity):
    """A party behind a platform.

    Known from the moment the operator allows it, active while the platform's credentials name it.
    """

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="parties")
    key = models.GeneratedField(
        expression=Concat("country_code", models.Value("-"), "party_id"),
        output_field=models.CharField(max_length=6),
        db_persist=True,
        db_index=True,
    )
    holder = models.CharField(
        max_length=26,
        editable=False,
        db_default="",
        db_index=True,
        help_text="Under which name the hub files what is the party's at this platform",
    )
    name = models.CharField(max_length=255, blank=True, default="")
    website = models.CharField(max_length=255, blank=True, default="")
    business_details = models.TextField(
        blank=True, default="", help_text="JSON text of the BusinessDetails, as received"
    )
    is_active = models.BooleanField(default=False, help_text="Named by the credentials in force")
    claimed_at = models.DateTimeField(
        null=True, blank=True, help_text="First named by its platform"
    )
    reported_status = models.CharField(
        max_length=10,
        choices=choices(ConnectionStatus),
        blank=True,
        default="",
        help_text="As reported by the hub it is behind",
    )
    reported_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(PartyIdentity.Meta):
        verbose_name_plural = "parties"
        ordering: ClassVar[list[str]] = ["country_code", "party_id", "role"]
        constraints: ClassVar[list[Any]] = [
            *PartyIdentity.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(claimed_at__isnull=False),
                name="parties_party_active_was_claimed",
            ),
        ]

    @property
    def status(self) -> ConnectionStatus:
        """Its platform's status, unless the platform's credentials do not name the party.

        Of a party behind another hub: what that hub reports, while it is connected itself.
        """
        if not self.is_active and self.platform.status in REGISTERED:
            return ConnectionStatus.SUSPENDED if self.claimed_at else ConnectionStatus.PLANNED
        of_platform = ConnectionStatus(self.platform.status)
        if of_platform is ConnectionStatus.CONNECTED and self.reported_status:
            return ConnectionStatus(self.reported_status)
        return of_platform
