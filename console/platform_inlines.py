"""Read-only tables on a platform's page: tokens, endpoints, deviations.

Spec: 2.2.1 credentials, versions.
"""

from datetime import timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from console.base import ReadOnly, TabularInline, Tone, ago, badge, column, may_view
from parties.deviations import sentence
from parties.models import Credentials, Direction, Endpoint, ObservedDeviation, Platform

_REVOKED_SHOWN_DAYS = 7
_IN_FORCE_FIRST = (F("revoked_at").desc(nulls_first=True), "-pk")


class _SeenWithPlatform(ReadOnly, TabularInline[Any, Platform]):
    """Rows that operators who may see the platform see, and nobody edits."""

    extra = 0
    can_delete = False
    tab = True
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Allow it to those who may see platforms."""
        del obj
        return may_view(request, Platform)


class CredentialsInline(_SeenWithPlatform):
    """Credentials tokens without their secrets: neither text nor digest is even read."""

    model = Credentials
    fields = readonly_fields = ("which", "ending", "state", "form_seen", "age", "used", "until")
    verbose_name_plural = "Credentials"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credentials]:
        """Leave out secrets, and tokens that were revoked long ago."""
        since = timezone.now() - timedelta(days=_REVOKED_SHOWN_DAYS)
        recent = Q(revoked_at=None) | Q(revoked_at__gt=since)
        return (
            super()
            .get_queryset(request)
            .filter(recent)
            .defer("digest", "sealed")
            .order_by(*_IN_FORCE_FIRST)
        )

    @column("Token")
    def which(self, row: Credentials) -> str:
        """Show its kind, and which side calls with it."""
        way = "platform to hub" if row.direction == Direction.IN else "hub to platform"
        return f"{row.kind}, {way}"

    @column("Last four")
    def ending(self, row: Credentials) -> str:
        """Show its last characters, enough to compare over the telephone."""
        return f"…{row.last_four}" if row.last_four else "-"

    @column("State")
    def state(self, row: Credentials) -> SafeString:
        """Show whether it is valid."""
        if row.revoked_at is not None:
            return badge("revoked", Tone.BAD)
        if row.valid_until is not None and row.valid_until <= timezone.now():
            return badge("expired", Tone.BAD)
        return badge("unconfirmed", Tone.CARE) if row.provisional else badge("in force", Tone.GOOD)

    @column("Form seen")
    def form_seen(self, row: Credentials) -> str:
        """Show in which form it was last sent: in Base64 or not."""
        return row.form or "-"

    @column("Issued")
    def age(self, row: Credentials) -> SafeString | str:
        """Show when it was issued."""
        return ago(row.valid_from)

    @column("First used")
    def used(self, row: Credentials) -> SafeString | str:
        """Show when it was first used."""
        return ago(row.first_used_at)

    @column("Ends")
    def until(self, row: Credentials) -> SafeString | str:
        """Show when it expires, or was revoked."""
        return ago(row.revoked_at or row.valid_until)


class EndpointInline(_SeenWithPlatform):
    """The endpoints of the platform, from its version details or added by hand."""

    model = Endpoint
    fields = readonly_fields = ("module", "role", "url", "by_hand")
    verbose_name_plural = "Endpoints"


class DeviationInline(_SeenWithPlatform):
    """Where the platform deviates from the specification, as the hub met it."""

    model = ObservedDeviation
    fields = readonly_fields = ("meaning", "about", "times", "last_met", "example")
    verbose_name_plural = "Deviations"

    @column("What it does")
    def meaning(self, row: ObservedDeviation) -> str:
        """Show the deviation as a sentence."""
        return sentence(row.deviation)

    @column("Last met")
    def last_met(self, row: ObservedDeviation) -> SafeString | str:
        """Show when it was last noted."""
        return ago(row.last_at)
