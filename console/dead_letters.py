"""Dead letters: messages that a receiver will not get any more, and why; they can be sent again."""

from contextlib import suppress

import msgspec
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.base import ModelAdmin, ReadOnly, Tone, ago, badge, column, pretty
from console.changelist import BoundedChangeList, BoundedPaginator
from console.message_links import timeline_of
from console.object_links import short
from console.redrive import RedriveActions
from console.search import FoundByWholeWords
from hub.masking.masked_rows import masked_dead_letter
from hub.models import DeadLetter, Location
from hub.store.raw_json import members
from ocpi.types import ModuleID

_NARROW = 12
"""Characters of a correlation id in a list."""
_REASON_SHOWN = 120


@admin.register(DeadLetter)
class DeadLetterAdmin(FoundByWholeWords, RedriveActions, ReadOnly, ModelAdmin[DeadLetter]):
    """Dead letters, newest first."""

    list_display = ("when", "receiver", "method", "path", "codes", "why", "journey")
    list_filter = ("method", "http_status", "status_code", "subscription__module")
    search_fields = ("path", "reason", "correlation_id", "subscription__receiver__holder")
    search_help_text = (
        "Path, reason, correlation id, or key of the receiver; of what is about drivers,"
        " whole words only"
    )
    module_field = "subscription__module"
    whole = (
        "correlation_id",
        "subscription__receiver__key",
        "subscription__receiver__holder",
    )
    paths = ("path",)
    texts = ("reason",)
    list_per_page = 50
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("redrive", "discard")
    fields = (
        ("when", "receiver"),
        ("method", "path"),
        ("codes", "owner"),
        "reason",
        "journey",
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
        "journey",
        "content",
    )
    paginator = BoundedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Read the receiver with its dead letter."""
        return super().get_queryset(request).select_related("subscription__receiver")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> DeadLetter | None:
        """Mask what identifies a driver, for every page of the dead letter."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.complete([row])
        return row

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[BoundedChangeList]:
        """Use the list that has its rows masked by `complete`."""
        del request, kwargs
        return BoundedChangeList

    def complete(self, rows: list[DeadLetter]) -> None:
        """Mask what identifies a driver."""
        for row in rows:
            masked_dead_letter(row)

    @column("When", order="id")
    def when(self, row: DeadLetter) -> SafeString | str:
        """Show when the hub gave it up."""
        return ago(row.created_at)

    @column("Receiver", order="subscription__receiver__key")
    def receiver(self, row: DeadLetter) -> str:
        """Name who does not get it."""
        return f"{row.subscription.receiver}"

    @column("Answer")
    def codes(self, row: DeadLetter) -> SafeString:
        """Show HTTP status and OCPI status code."""
        http = "no HTTP status" if row.http_status is None else f"HTTP {row.http_status}"
        return badge(http if row.status_code is None else f"{http}, {row.status_code}", Tone.BAD)

    @column("Reason", order="reason")
    def why(self, row: DeadLetter) -> str:
        """Show the beginning of the reason."""
        if len(row.reason) <= _REASON_SHOWN:
            return row.reason
        return f"{row.reason[:_REASON_SHOWN]}…"

    @column("Timeline")
    def journey(self, row: DeadLetter) -> SafeString | str:
        """Link to all messages with the same correlation id."""
        if not row.correlation_id:
            return "-"
        shown = short(row.correlation_id, longest=_NARROW)
        url = timeline_of(row.correlation_id)
        return format_html('<a class="hub-link" href="{}">{}</a>', url, shown)

    @column("Body")
    def content(self, row: DeadLetter) -> SafeString | str:
        """Show the body, unless it is of a Location that is not to be published (LOC-17)."""
        if row.body is None:
            return "none"
        text = row.body.encode()
        if row.subscription.module == ModuleID.LOCATIONS and _is_unpublished(row, text):
            return "not shown: its owner does not publish it"
        return pretty(text)


def _is_unpublished(row: DeadLetter, text: bytes) -> bool:
    """Whether it says so, or its stored Location: a PATCH, EVSE or Connector has no `publish`."""
    with suppress(msgspec.DecodeError, RecursionError):
        if members(text).get("publish") == b"false":
            return True
    stored = Location.objects.filter(owner=row.owner, object_key=row.object_key, publish=False)
    return stored.exists()
