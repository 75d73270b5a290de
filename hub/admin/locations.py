"""Locations as they are served, with the EVSEs of the present text.

Spec: 2.2.1 mod_locations; LOC-17. A Location with `publish` false reaches the parties with access
untouched but is shown nowhere in the console: neither in lists nor by its address.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub import store
from hub.models import Evse, Location
from hub.policy import POLICIES
from ocpi.types import ModuleID, PartyRef, fold
from ocpi.versions import VERSIONS
from parties.admin.console import (
    ModelAdmin,
    PageChangeList,
    ReadOnly,
    Tone,
    ago,
    badge,
    badges,
    column,
    once,
    pretty,
    table,
)
from parties.agreements import OWNERS
from parties.models import Party

_STATUS_TONES = {
    "AVAILABLE": Tone.GOOD,
    "CHARGING": Tone.BUSY,
    "RESERVED": Tone.BUSY,
    "BLOCKED": Tone.CARE,
    "INOPERATIVE": Tone.CARE,
    "OUTOFORDER": Tone.BAD,
}


class OwnerFilter(admin.SimpleListFilter):
    """By owner; the choices are parties, so that no list of locations is read for them."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, str]]:
        """Offer the parties that own locations."""
        del request, model_admin
        owners = Party.objects.filter(role__in=OWNERS).order_by("key").values_list("key", "name")
        return [(key, f"{key} {name}") for key, name in owners]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Location]) -> QuerySet[Location]:
        """Keep one owner's."""
        del request
        return queryset.filter(owner=self.value()) if self.value() else queryset


@admin.register(Location)
class LocationAdmin(ReadOnly, ModelAdmin[Location]):
    """Published locations; their owners' platforms change them, nobody here."""

    list_display = ("object_id", "owner", "name", "city", "evses", "updated", "changed")
    list_filter = (OwnerFilter, "version")
    search_fields = ("object_id", "name", "city")
    search_help_text = "Id, name, city or EVSE id"
    list_per_page = 50
    show_full_result_count = False
    ordering = ("owner", "seq")
    actions = None
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("object_id", "owner"),
                    ("name", "city"),
                    ("updated", "changed"),
                    ("version", "revision"),
                )
            },
        ),
        ("EVSEs", {"fields": ("evse_table",)}),
        ("As served", {"fields": ("document",)}),
    )
    readonly_fields = ("updated", "changed", "evse_table", "document")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Location]:
        """Leave out what is not to be published (LOC-17); the texts are read for one at a time."""
        return super().get_queryset(request).filter(publish=True).defer("text", "last_updated_text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Location], search_term: str
    ) -> tuple[QuerySet[Location], bool]:
        """Search the columns, and the EVSE ids of the present text."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if not search_term:
            return found, duplicates
        present = Evse.objects.filter(generation=F("object__generation"))
        named = present.filter(Q(evse_id__icontains=search_term) | Q(key=fold(search_term)))
        return queryset.filter(
            Q(pk__in=found.order_by().values("pk")) | Q(pk__in=named.values("object"))
        ), duplicates

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[PageChangeList]:
        """Use the list that completes its rows."""
        del request, kwargs
        return PageChangeList

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
        return badges((f"{number} {status}", _tone(status)) for status, number in row.counts)

    @column("Last updated", order="last_updated")
    def updated(self, row: Location) -> SafeString | str:
        """Show the owner's own value."""
        return ago(row.last_updated)

    @column("Received", order="changed_at")
    def changed(self, row: Location) -> SafeString | str:
        """Show when the hub last got a change of it."""
        return ago(row.changed_at)

    @column("")
    @once
    def evse_table(self, row: Location) -> SafeString:
        """Show the EVSEs of the present text."""
        present = row.parts.filter(generation=row.generation).order_by("position", "pk")
        cells = (
            (p.uid, p.evse_id or "-", badge(p.status, _tone(p.status)), ago(p.last_updated))
            for p in present
        )
        return table(("Uid", "EVSE id", "Status", "Last updated"), cells)

    @column("")
    @once
    def document(self, row: Location) -> SafeString:
        """Show the whole object as a party with access gets it."""
        kind = VERSIONS[row.version].modules[ModuleID.LOCATIONS].object
        if kind is None:
            return SafeString("")
        policy, owner = POLICIES[ModuleID.LOCATIONS], PartyRef.parse(row.owner)
        return pretty(
            store.get(policy, kind, owner=owner, ids=(row.object_id,), audience=row.audience)
        )


def _tone(status: str) -> Tone:
    return _STATUS_TONES.get(status, Tone.QUIET)
