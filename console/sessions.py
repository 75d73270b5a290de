"""Sessions: their status, what was charged, and their CDRs.

Spec: 2.2.1 mod_sessions.
"""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from console import related_tables
from console.base import cached_per_row, column
from console.charged_object import ChargedAdmin
from console.filters import (
    LocationFilter,
    TokenFilter,
    VersionFilter,
    owner_filter,
    recipient_filter,
    word_filter,
)
from console.object_links import cdrs_of, link
from console.stored_object import ABOUT, AS_SERVED, WHO_HAS_IT
from hub.models import Cdr, Location, Session, Token
from ocpi.types import ModuleID
from ocpi.versions import values_of


@admin.register(Session)
class SessionAdmin(ChargedAdmin[Session]):
    """Sessions, newest first."""

    list_display = (
        "identity",
        "owned",
        "meant_for",
        "status_shown",
        "token",
        "location",
        "started",
        "energy",
        "price",
        "cdrs",
        "noise_sum",
    )
    list_filter = (
        TokenFilter,
        LocationFilter,
        owner_filter(ModuleID.SESSIONS),
        recipient_filter(ModuleID.SESSIONS),
        word_filter("status", values_of(ModuleID.SESSIONS, "status")),
        VersionFilter,
        "started_at",
        "updated_hour",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *ABOUT,
                    ("status_shown", "recipient"),
                    ("started_exactly", "ended_exactly"),
                    ("duration", "energy"),
                    ("price", "price_per_kwh"),
                    ("location_link", "evse"),
                    "token_link",
                )
            },
        ),
        ("Energy per charging period", {"fields": ("chart",)}),
        ("CDRs", {"fields": ("cdr_rows",)}),
        WHO_HAS_IT,
        AS_SERVED,
    )
    behind = {"cdrs": Cdr, "cdr_rows": Cdr, "token_link": Token, "location_link": Location}

    def complete(self, rows: list[Session]) -> None:
        """Find the CDRs of a page of sessions in one query."""
        found = cdrs_of(rows)
        for row in rows:
            row.found_cdrs = found[row.pk]  # type: ignore[attr-defined]

    @column("Status", order="status")
    def status_shown(self, row: Session) -> SafeString:
        """Show the status."""
        return related_tables.status(row)

    @column("CDR")
    def cdrs(self, row: Any) -> SafeString | str:  # noqa: ANN401 - a row with its CDRs
        """Link to its CDRs, in a list."""
        links = ((link(cdr, "credit" if cdr.credit else "CDR"),) for cdr in row.found_cdrs)
        return format_html_join(" ", "{}", links) or "-"

    @column("")
    @cached_per_row
    def cdr_rows(self, row: Session) -> SafeString:
        """Show its CDRs."""
        return related_tables.cdr_table(cdrs_of([row])[row.pk])
