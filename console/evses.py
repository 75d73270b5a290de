"""EVSEs: their status now and in the last days, and which party has which version of them.

Spec: 2.2.1 mod_locations; LOC-17. Operators who may see Locations see their EVSEs.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.as_of import as_of
from console.base import (
    ModelAdmin,
    ReadOnly,
    ago,
    cached_per_row,
    column,
    may_view,
    pretty,
    span,
    table,
)
from console.changelist import BoundedChangeList, BoundedPaginator
from console.export import ExportPages
from console.filters import owner_filter, word_filter
from console.object_links import link, short
from console.stored_object import object_status_table
from console.tones import status_badge, status_tone
from hub.delivery.object_status import Subject
from hub.models import Evse, Location
from hub.statistics import uptime
from hub.statistics.uptime import Span
from ocpi.types import ModuleID, fold
from ocpi.versions import values_of

_HOURS = uptime.DAYS * 24
_CHANGES_SHOWN = 50
_WORST_LAST = ("quiet", "good", "busy", "care", "bad")


class _OwnerFilter(owner_filter(ModuleID.LOCATIONS)):  # type: ignore[misc]
    """By who owns the location."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Evse]) -> QuerySet[Evse]:
        """Keep the owner's."""
        del request
        value = self.value()
        return queryset.filter(object__owner=value) if value else queryset


class _StatusFilter(word_filter("status", values_of(ModuleID.LOCATIONS, "status", of_part=True))):  # type: ignore[misc]
    """By the status that followed the feed."""

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*arguments)
        self.title = f"status {as_of()}"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Evse]) -> QuerySet[Evse]:
        """Keep those with the status."""
        del request
        value = self.value()
        return queryset.filter(followed__status=value) if value else queryset


@admin.register(Evse)
class EvseAdmin(ExportPages, ReadOnly, ModelAdmin[Evse]):
    """EVSEs that published locations have at present."""

    list_display = ("identity", "evse_id", "location", "owner", "state", "updated")
    list_filter = (
        _StatusFilter,
        _OwnerFilter,
    )
    search_fields = ("evse_id",)
    search_help_text = "Whole EVSE id"
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("pk",)
    actions = None
    fieldsets = (
        (None, {"fields": (("uid", "evse_id"), ("location", "owner"), ("state", "updated"))}),
        (f"The last {uptime.DAYS} days", {"fields": ("age", "days", "changes")}),
        ("Who has it", {"fields": ("object_status",)}),
        ("As sent", {"fields": ("document",)}),
    )
    readonly_fields = (
        *("uid", "evse_id", "location", "owner", "state", "updated"),
        *("age", "days", "changes", "object_status", "document"),
    )

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Ask for the permission to see Locations."""
        return may_view(request, Location)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Ask for the same."""
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Evse]:
        """Select EVSEs of the location's last text, if it is to be published (LOC-17)."""
        present = super().get_queryset(request).filter(generation=F("object__generation"))
        return present.filter(object__publish=True).select_related("object").defer("object__text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Evse], search_term: str
    ) -> tuple[QuerySet[Evse], bool]:
        """Search by whole EVSE ids, as they were sent or in upper case."""
        del request
        words = search_term.replace("\x00", "").strip()
        known = {words, fold(words)}
        return (queryset.filter(evse_id__in=known) if words else queryset), False

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[BoundedChangeList]:
        """Use the list that counts no further than its pages."""
        del request, kwargs
        return BoundedChangeList

    def complete(self, rows: list[Evse]) -> None:
        """Add nothing: a row shows its columns."""

    @column("Uid")
    def identity(self, row: Evse) -> SafeString:
        """Show the ends of the uid, in a list."""
        return short(row.uid)

    @column("Location")
    def location(self, row: Evse) -> SafeString:
        """Link to the location."""
        return link(row.object, row.object.name or row.object.object_id)

    @column("Owner")
    def owner(self, row: Evse) -> str:
        """Name the owner."""
        return row.object.owner

    @column("Status")
    def state(self, row: Evse) -> SafeString:
        """Show the status."""
        return status_badge(row.status)

    @column("Last updated")
    def updated(self, row: Evse) -> SafeString | str:
        """Show the owner's own value."""
        return ago(row.last_updated)

    @column("")
    def age(self, row: Evse) -> str:
        """Say as of when its past is known."""
        del row
        return as_of().capitalize()

    @column("")
    @cached_per_row
    def days(self, row: Evse) -> SafeString:
        """Show its statuses, hour by hour, and its uptime."""
        return days(uptime.recent_spans(row))

    @column("")
    @cached_per_row
    def changes(self, row: Evse) -> SafeString:
        """Show the newest changes of its status."""
        found = list(row.changes.order_by("-minute")[:_CHANGES_SHOWN])
        cells = (
            (
                ago(each.at),
                f"{each.at:%Y-%m-%d %H:%M:%S} UTC",
                status_badge(each.before) if each.before else "not there",
                status_badge(each.status) if each.status else "not there",
            )
            for each in found
        )
        return table(("Changed", "At", "From", "To"), cells)

    @column("")
    @cached_per_row
    def object_status(self, row: Evse) -> SafeString:
        """Show which party has which version of it."""
        subject = Subject(ModuleID.LOCATIONS, row.object, row.key, row.revision, row)
        return object_status_table(subject)

    @column("")
    @cached_per_row
    def document(self, row: Evse) -> SafeString:
        """Show its text."""
        return pretty(row.text.encode())


def days(known: Sequence[Span]) -> SafeString:
    """Draw the statuses of an EVSE, each hour in the colour of the worst in it."""
    share = uptime.uptime_share(known)
    rects, at = [], 0
    for tone, hours in groupby(_hours(known)):
        width = len(list(hours))
        rects.append({"tone": tone, "x": at, "width": width})
        at += width
    context = {
        "uptime": "not known" if share is None else f"{share:.2%}",
        "rects": rects,
        "hours": _HOURS,
        "begin": known[0].begin if known else None,
        "sums": _sums(known),
    }
    return render_to_string("console/days.html", context)


def _hours(known: Sequence[Span]) -> Iterable[str]:
    """Return the tone of each hour."""
    worst = [0] * _HOURS
    begin = known[0].begin if known else None
    for each in known:
        tone = _WORST_LAST.index(status_tone(each.status))
        first, last = (_hour(moment, begin) for moment in (each.begin, each.end))
        for hour in range(first, min(last, _HOURS - 1) + 1):
            worst[hour] = max(worst[hour], tone)
    return [_WORST_LAST[number] for number in worst]


def _hour(moment: datetime, begin: Any) -> int:  # noqa: ANN401 - a moment, where there are spans
    return int((moment - begin) / timedelta(hours=1))


def _sums(known: Sequence[Span]) -> list[dict[str, str]]:
    """Return how long it had each status, the longest first."""
    sums: dict[str, timedelta] = {}
    for each in known:
        sums[each.status] = sums.get(each.status, timedelta()) + each.length
    longest = sorted(sums.items(), key=lambda item: -item[1])
    return [
        {
            "status": status or "not known",
            "tone": status_tone(status),
            "time": span(time.total_seconds()),
        }
        for status, time in longest
    ]
