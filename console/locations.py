"""Locations as they are served, with the EVSEs that they have at present.

Spec: 2.2.1 mod_locations; LOC-17. A Location with `publish` false is delivered to parties with
access, but shown nowhere in the console, neither in lists nor by its URL.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from console.base import ago, badges, cached_per_row, column, table
from console.filters import VersionFilter, owner_filter
from console.map import AreaFilter, StatusFilter, map_view, spots_view
from console.object_links import charged_at, link
from console.related_tables import cdr_table, session_table
from console.stored_object import ABOUT, AS_SERVED, WHO_HAS_IT, StoredAdmin
from console.tones import badge_tone, status_badge
from hub import store
from hub.masking.personal import PUBLISHED_TO, mask_member
from hub.models import Cdr, Evse, Location, Session
from hub.module_policy import POLICIES
from hub.store import ObjectQuery, set_aside
from ocpi.types import ModuleID, fold
from ocpi.versions import VERSIONS


def _by_words(rows: QuerySet[Location], words: str) -> Iterable[QuerySet[Location]]:
    """Find locations by parts of id, name and city, or by an EVSE's uid or the start of its id."""
    present = Evse.objects.filter(generation=F("object__generation"))
    begins = Q(evse_id__startswith=words) | Q(evse_id__startswith=words.upper())
    named = present.filter(begins | Q(key=fold(words)))
    yield rows.filter(pk__in=named.values("object"))
    for word in words.split():
        columns = Q(object_id__icontains=word) | Q(name__icontains=word) | Q(city__icontains=word)
        rows = rows.filter(columns)
    yield rows


@admin.register(Location)
class LocationAdmin(StoredAdmin[Location]):
    """Published locations; only their owners' platforms change them."""

    list_display = ("identity", "owned", "name", "city", "evses", "updated", "changed", "noise_sum")
    list_filter = (
        owner_filter(ModuleID.LOCATIONS),
        StatusFilter,
        VersionFilter,
        "updated_hour",
        AreaFilter,
    )
    finder = staticmethod(_by_words)
    search_help_text = "Part of id, name or city, begin of an EVSE id, or party like NL-CPA"
    ordering = ("owner", "seq")
    fieldsets = (
        (None, {"fields": (*ABOUT, ("name", "city"))}),
        ("EVSEs", {"fields": ("evse_table",)}),
        ("Set aside", {"fields": ("set_aside_table",)}),
        ("Sessions", {"fields": ("sessions",)}),
        ("CDRs", {"fields": ("cdrs",)}),
        WHO_HAS_IT,
        AS_SERVED,
    )
    behind = {"sessions": Session, "cdrs": Cdr}

    def get_urls(self) -> list[URLPattern]:
        """Add the map, and the clusters that it asks for."""
        own = [
            path("map/", self.admin_site.admin_view(map_view), name="hub_location_map"),
            path("spots/", self.admin_site.admin_view(spots_view), name="hub_location_spots"),
        ]
        return own + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Location]:
        """Leave out what is not to be published (LOC-17)."""
        return super().get_queryset(request).filter(publish=True)

    def complete(self, rows: list[Location]) -> None:
        """Count a page's EVSEs by status in one query."""
        counts: dict[int, list[tuple[str, int]]] = {row.pk: [] for row in rows}
        present = Evse.objects.filter(object__in=counts, generation=F("object__generation"))
        for pk, status, number in (
            present.values_list("object", "status").annotate(number=Count("*")).order_by("status")
        ):
            counts[pk].append((status, number))
        for row in rows:
            row.counts = counts[row.pk]  # type: ignore[attr-defined]

    @column("EVSEs")
    def evses(self, row: Any) -> SafeString:  # noqa: ANN401 - a row with its counts
        """Show how many EVSEs have which status."""
        return badges((f"{number} {status}", badge_tone(status)) for status, number in row.counts)

    @column("")
    def set_aside_table(self, row: Location) -> SafeString:
        """Show the EVSEs and Connectors that nobody could use, and why."""
        return table(("EVSE / Connector", "Why"), set_aside.read(row.set_aside).items())

    @column("")
    @cached_per_row
    def evse_table(self, row: Location) -> SafeString:
        """Show the EVSEs of the present text."""
        present = row.parts.filter(generation=row.generation).order_by("position", "pk")
        cells = (
            (
                link(evse, evse.uid),
                evse.evse_id or "-",
                status_badge(evse.status),
                ago(evse.last_updated),
            )
            for evse in present
        )
        return table(("Uid", "EVSE id", "Status", "Last updated"), cells)

    @column("")
    @cached_per_row
    def sessions(self, row: Location) -> SafeString:
        """Show the newest sessions."""
        return session_table(charged_at(Session.objects.all(), row), location=row.pk)

    @column("")
    @cached_per_row
    def cdrs(self, row: Location) -> SafeString:
        """Show the newest CDRs."""
        return cdr_table(charged_at(Cdr.objects.all(), row), location=row.pk)

    def served(self, row: Location) -> bytes:
        """Return the text with the present EVSEs."""
        kind = VERSIONS[row.version].modules[ModuleID.LOCATIONS].kept
        if kind is None:
            return b""
        query = ObjectQuery(row.owner, (row.object_id,), reader=row.audience or None)
        text = store.get(POLICIES[ModuleID.LOCATIONS], kind, query)
        return mask_member(text, PUBLISHED_TO)
