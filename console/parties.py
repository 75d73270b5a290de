"""Parties: name, connection status and agreements; nothing can be edited here.

Spec: 2.2.1 credentials, CredentialsRole class; mod_hub_client_info, ConnectionStatus enum.
"""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.agreements import AGREEMENT_TONES
from console.base import (
    ModelAdmin,
    ReadOnly,
    Tone,
    ago,
    badge,
    cached_per_row,
    column,
    pretty,
    table,
)
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, AgreementState, Party

STATUS_TONES = {
    ConnectionStatus.PLANNED: Tone.BUSY,
    ConnectionStatus.CONNECTED: Tone.GOOD,
    ConnectionStatus.OFFLINE: Tone.BAD,
    ConnectionStatus.SUSPENDED: Tone.CARE,
}


@admin.register(Party)
class PartyAdmin(ReadOnly, ModelAdmin[Party]):
    """The parties behind the platforms, as their credentials name them."""

    list_display = ("key", "role", "name", "status_badge", "platform_link", "claimed")
    list_filter = ("role", "is_active", "platform__status")
    search_fields = ("key", "name")
    search_help_text = "Key like NL-CPA, or name"
    list_per_page = 50
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("key", "role"),
                    ("name", "website"),
                    ("platform_link", "status_badge"),
                    ("claimed", "created"),
                )
            },
        ),
        ("Business details, as received", {"fields": ("details",)}),
        ("Agreements", {"fields": ("agreements",)}),
    )
    readonly_fields = (
        "platform_link",
        "status_badge",
        "claimed",
        "created",
        "details",
        "agreements",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Party]:
        """Read the platform with the party, as every page shows it."""
        return super().get_queryset(request).select_related("platform")

    @column("Status", order="platform__status")
    def status_badge(self, party: Party) -> SafeString:
        """Show the status that other parties see, sorted by the platform's: this is no column."""
        return badge(party.status, STATUS_TONES[party.status])

    @column("Platform", order="platform__name")
    def platform_link(self, party: Party) -> SafeString:
        """Link to the platform."""
        url = reverse("admin:parties_platform_change", args=[party.platform_id])
        return format_html('<a class="hub-link" href="{}">{}</a>', url, party.platform.name)

    @column("First registered", order="claimed_at")
    def claimed(self, party: Party) -> SafeString | str:
        """Show when its platform first registered it, even if it has left it out since."""
        return ago(party.claimed_at) if party.claimed_at else "not yet"

    @column("Known")
    def created(self, party: Party) -> SafeString | str:
        """Show since when the hub knows it, registered or not yet."""
        return ago(party.created_at)

    @column("")
    def details(self, party: Party) -> SafeString | str:
        """Show the BusinessDetails."""
        return (
            pretty(party.business_details.encode())
            if party.business_details
            else "none received yet"
        )

    @column("")
    @cached_per_row
    def agreements(self, party: Party) -> SafeString:
        """Show with whom it exchanges data."""
        either = Q(cpo=party) | Q(emsp=party)
        found = Agreement.objects.filter(either).select_related("cpo", "emsp")
        return table(("Agreement", "State", "Modules"), _agreement_rows(found))


def _agreement_rows(agreements: Iterable[Agreement]) -> Iterable[tuple[object, ...]]:
    for agreement in agreements:
        url = reverse("admin:parties_agreement_change", args=[agreement.pk])
        state = AgreementState(agreement.state)
        link = format_html('<a class="hub-link" href="{}">{}</a>', url, agreement)
        yield link, badge(state, AGREEMENT_TONES[state]), ", ".join(agreement.modules) or "all"
