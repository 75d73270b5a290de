"""CDRs: what charging cost, and for whom; a credit CDR takes another one back.

Spec: 2.2.1 mod_cdrs.
"""

from django.contrib import admin
from django.utils.safestring import SafeString

from console import related_tables
from console.base import ago, cached_per_row, column
from console.charged_object import NARROW, SEARCHED_BY, ChargedAdmin
from console.filters import (
    LocationFilter,
    TokenFilter,
    VersionFilter,
    owner_filter,
    recipient_filter,
)
from console.object_links import link, session_of, short, siblings_of
from console.search import cdrs
from console.stored_object import ABOUT, AS_SERVED, WHO_HAS_IT
from hub.models import Cdr, Location, Session, Token
from ocpi.types import ModuleID


@admin.register(Cdr)
class CdrAdmin(ChargedAdmin[Cdr]):
    """CDRs, newest first."""

    finder = staticmethod(cdrs)
    search_help_text = f"Whole id, session id, {SEARCHED_BY}"
    list_display = (
        "identity",
        "owned",
        "meant_for",
        "kind",
        "session_id",
        "token",
        "ended",
        "energy",
        "price",
        "noise_sum",
    )
    list_filter = (
        TokenFilter,
        LocationFilter,
        owner_filter(ModuleID.CDRS),
        recipient_filter(ModuleID.CDRS),
        "credit",
        VersionFilter,
        "ended_at",
        "posted_at",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *ABOUT,
                    ("kind", "recipient"),
                    ("started_exactly", "ended_exactly"),
                    ("duration", "energy"),
                    ("price", "price_per_kwh"),
                    ("posted", "reference"),
                    ("receivers_url", "evse"),
                    "location_link",
                    "token_link",
                    "session_link",
                )
            },
        ),
        ("Energy per charging period", {"fields": ("chart",)}),
        ("Other CDRs of the session", {"fields": ("siblings",)}),
        WHO_HAS_IT,
        AS_SERVED,
    )
    behind = {"session_link": Session, "token_link": Token, "location_link": Location}

    @column("Kind", order="credit")
    def kind(self, row: Cdr) -> SafeString:
        """Show whether it is a credit CDR."""
        return related_tables.kind(row)

    @column("Session", order="session_key")
    def session_id(self, row: Cdr) -> SafeString | str:
        """Show the session's id, in a list."""
        return short(row.session_key, longest=NARROW) if row.session_key else "-"

    @column("Session")
    @cached_per_row
    def session_link(self, row: Cdr) -> SafeString | str:
        """Link to the session."""
        found = session_of(row)
        return link(found, found.object_id) if found else self.session_id(row)

    @column("Ended", order="ended_at")
    def ended(self, row: Cdr) -> SafeString | str:
        """Show when charging ended, in a list."""
        return ago(row.ended_at)

    @column("Posted", order="posted_at")
    def posted(self, row: Cdr) -> SafeString | str:
        """Show when the hub got it."""
        return ago(row.posted_at)

    @column("Receiver's URL")
    def receivers_url(self, row: Cdr) -> str:
        """Show the URL that a receiver answered with, if the CDR was addressed to one."""
        return row.remote_location or "-"

    @column("")
    @cached_per_row
    def siblings(self, row: Cdr) -> SafeString:
        """Show the other CDRs of the session."""
        return related_tables.cdr_table(siblings_of(row))
