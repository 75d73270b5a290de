"""CDRs of platforms that were forgotten, kept because the law requires it; peers never see them.

docs/privacy.md.
"""

import msgspec
from django.contrib import admin
from django.utils.safestring import SafeString

from console.base import ModelAdmin, ReadOnly, ago, column, pretty
from console.changelist import BoundedPaginator
from hub.models import KeptCdr


@admin.register(KeptCdr)
class KeptCdrAdmin(ReadOnly, ModelAdmin[KeptCdr]):
    """CDRs without their drivers, newest first."""

    list_display = (
        "object_id",
        "platform",
        "owner",
        "recipient",
        "ended",
        "kwh",
        "cost",
        "currency",
    )
    search_fields = ("=object_id", "=owner", "=recipient", "=platform")
    search_help_text = "Whole id, party like NL-CPA, or name of the platform"
    ordering = ("-pk",)
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = None
    fields = (
        ("object_id", "platform"),
        ("owner", "recipient"),
        ("ended", "posted_at", "kept_at"),
        ("kwh", "cost", "currency"),
        "document",
    )
    readonly_fields = (
        *("object_id", "platform", "owner", "recipient", "ended", "posted_at"),
        *("kept_at", "kwh", "cost", "currency", "document"),
    )

    @column("Ended", order="ended_at")
    def ended(self, row: KeptCdr) -> SafeString | str:
        """Show when it ended."""
        return ago(row.ended_at)

    @column("As it is kept")
    def document(self, row: KeptCdr) -> SafeString:
        """Show its text."""
        return pretty(msgspec.json.format(row.text.encode()))
