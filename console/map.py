"""The map of locations: its page, and the clusters that a browser asks for as the map is moved.

Spec: 2.2.1 mod_locations; LOC-17. No other host is asked unless `HUB_MAP_TILES` names one.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse

from console.as_of import as_of
from console.base import may_view
from hub.models import Location
from hub.models.locations import SPOT_SIZE
from hub.statistics.map_clusters import CELL, CLOSEST, Box, clusters, inside
from ocpi.types import ModuleID
from ocpi.versions import values_of

_ANY = 0
"""A key in a URL, in place of which the script puts that of a location."""


def map_view(request: HttpRequest) -> HttpResponse:
    """Show the map of all published locations."""
    _check(request)
    listed = reverse("admin:hub_location_changelist")
    given = {
        "spots": reverse("admin:hub_location_spots"),
        "list": listed,
        "page": reverse("admin:hub_location_change", args=[_ANY]),
        "world": static("map/world.json"),
        "tiles": settings.HUB_MAP_TILES,
        "size": SPOT_SIZE,
        "closest": CLOSEST,
        "cell": CELL,
    }
    context = {
        **admin.site.each_context(request),
        "title": "Map of locations",
        "given": given,
        "listed": listed,
        "as_of": as_of(),
        "credits": settings.HUB_MAP_CREDITS if settings.HUB_MAP_TILES else "",
    }
    return TemplateResponse(request, "console/map.html", context)


def spots_view(request: HttpRequest) -> HttpResponse:
    """Return the clusters of a part of the map as JSON."""
    _check(request)
    try:
        box = Box.read(request.GET)
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=400)
    seen = [cluster._asdict() for cluster in clusters(box)]
    return JsonResponse({"clusters": seen, "as_of": as_of()})


def _check(request: HttpRequest) -> None:
    if not may_view(request, Location):
        raise PermissionDenied


class StatusFilter(SimpleListFilter):
    """A filter by a status that at least one EVSE has."""

    title = "status of an EVSE"
    parameter_name = "status"

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*arguments)
        self.title = f"{self.title} {as_of()}"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, str]]:
        """Offer all of them."""
        del request, model_admin
        return [(word, word) for word in values_of(ModuleID.LOCATIONS, "status", of_part=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the locations with such an EVSE."""
        del request
        known = {*values_of(ModuleID.LOCATIONS, "status", of_part=True)}
        value = self.value() or ""
        return queryset.filter(**{f"spot__{value.lower()}__gt": 0}) if value in known else queryset


class AreaFilter(SimpleListFilter):
    """A filter by a part of the map; only the map links to it."""

    title = "area of the map"
    parameter_name = "area"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, str]]:
        """Offer the area that the list is filtered by, and no other."""
        del request, model_admin
        value = self.value()
        return [(value, "as seen on the map")] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what lies within."""
        del request
        try:
            return queryset.filter(**inside(self.value() or "")) if self.value() else queryset
        except ValueError:
            return queryset.none()
