"""Dead letters: what a receiver refused, with its own words.

Spec: none; architecture chapter 6. Delivery went on; nothing here is sent again by looking at it.
"""

import msgspec
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub.models import DeadLetter
from hub.store.documents import members
from parties.admin.console import ModelAdmin, ReadOnly, Tone, ago, badge, column, pretty


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly, ModelAdmin[DeadLetter]):
    """Refusals, newest first."""

    list_display = ("when", "receiver", "method", "path", "codes", "why")
    list_filter = ("method", "http_status", "status_code", "subscription__module")
    search_fields = ("path", "reason", "correlation_id", "subscription__receiver__key")
    search_help_text = "Path, reason, correlation id, or key of the receiver"
    list_per_page = 50
    ordering = ("-id",)
    show_full_result_count = False
    actions = None
    fields = (
        ("when", "receiver"),
        ("method", "path"),
        ("codes", "owner"),
        "reason",
        "correlation_id",
        "content",
    )
    readonly_fields = (
        "when",
        "receiver",
        "method",
        "path",
        "codes",
        "owner",
        "reason",
        "correlation_id",
        "content",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Read the receiver with the letter."""
        return super().get_queryset(request).select_related("subscription__receiver")

    @column("When", order="id")
    def when(self, letter: DeadLetter) -> SafeString | str:
        """Show when it was refused."""
        return ago(letter.created_at)

    @column("Receiver", order="subscription__receiver__key")
    def receiver(self, letter: DeadLetter) -> str:
        """Name who refused it."""
        return f"{letter.subscription.receiver}"

    @column("Answer")
    def codes(self, letter: DeadLetter) -> SafeString:
        """Show HTTP status and OCPI status code."""
        http = "no HTTP status" if letter.http_status is None else f"HTTP {letter.http_status}"
        return badge(
            http if letter.status_code is None else f"{http}, {letter.status_code}", Tone.BAD
        )

    @column("Reason", order="reason")
    def why(self, letter: DeadLetter) -> str:
        """Show the beginning of the reason."""
        return letter.reason if len(letter.reason) <= 120 else f"{letter.reason[:120]}…"  # noqa: PLR2004

    @column("Body")
    def content(self, letter: DeadLetter) -> SafeString | str:
        """Show what was sent, unless its owner wants it unpublished (LOC-17)."""
        if letter.body is None:
            return "none"
        text = letter.body.encode()
        if _is_unpublished(text):
            return "not shown: its owner does not publish it"
        return pretty(text)


def _is_unpublished(text: bytes) -> bool:
    try:
        return members(text).get("publish") == b"false"
    except msgspec.DecodeError:
        return False
