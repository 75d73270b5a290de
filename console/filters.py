"""Filters of lists, whose choices are known without reading the list."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from console.object_links import charged_at, charged_with
from hub.masking.personal import mask_value
from hub.models import Location, StoredObject, Token
from ocpi.types import ModuleID
from ocpi.versions import VERSIONS
from parties.models import Party
from parties.role_pairs import role_pairs

Rows = QuerySet[Any]
Choices = Iterable[tuple[str, str]]


class _ColumnFilter(SimpleListFilter):
    """A filter by the exact value of the column it is named after."""

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Keep the rows with the chosen value."""
        del request
        value = self.value()
        return queryset.filter(**{self.parameter_name or "": value}) if value else queryset


class _PartyFilter(_ColumnFilter):
    """A filter by party; the choices are the parties with one of `roles`."""

    roles: ClassVar[frozenset[str]]

    def lookups(self, request: HttpRequest, model_admin: object) -> Choices:
        """Offer each holder, with the name of its party."""
        del request, model_admin
        parties = Party.objects.filter(role__in=self.roles).order_by("holder")
        names = parties.values_list("holder", "name")
        return list({holder: f"{holder} {name}" for holder, name in names}.items())


def owner_filter(module: ModuleID) -> type[SimpleListFilter]:
    """Make a filter by the owners of a module's objects."""
    return _party_filter("owner", {pair[0].value for pair in role_pairs(module)})


def recipient_filter(module: ModuleID) -> type[SimpleListFilter]:
    """Make a filter by the token owners of Sessions or CDRs."""
    return _party_filter("recipient", {pair[1].value for pair in role_pairs(module)})


def _party_filter(column: str, roles: set[str]) -> type[SimpleListFilter]:
    members = {"title": column, "parameter_name": column, "roles": frozenset(roles)}
    return type(f"{column.title()}Filter", (_PartyFilter,), members)


def word_filter(column: str, words: Iterable[str]) -> type[SimpleListFilter]:
    """Make a filter by a column that has one of these words."""
    choices = [(word, word) for word in words]
    members = {
        "title": column,
        "parameter_name": column,
        "lookups": lambda _self, _request, _model_admin: choices,
    }
    return type(f"{column.title()}Filter", (_ColumnFilter,), members)


VersionFilter = word_filter("version", VERSIONS)


class _RowFilter(SimpleListFilter):
    """A filter by one row of another list; only the page of that row links to it."""

    model: ClassVar[type[StoredObject]]

    def lookups(self, request: HttpRequest, model_admin: object) -> Choices:
        """Offer the row that the list is filtered by, and no other."""
        del request, model_admin
        value = self.value()
        return [(value, self.name(self.row) if self.row else "unknown")] if value else []

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Keep what belongs to the row; nothing if there is no such row."""
        del request
        if not self.value():
            return queryset
        return self.narrowed(queryset, self.row) if self.row else queryset.none()

    @cached_property
    def row(self) -> Any:  # noqa: ANN401 - a row of `model`, if there is one
        """Find the row."""
        value = self.value() or ""
        is_key = value.isascii() and value.isdigit()
        rows = self.model._default_manager.defer("text")  # noqa: SLF001 - a documented name of Django
        return rows.filter(pk=value).first() if is_key else None

    def name(self, row: Any) -> str:  # noqa: ANN401 - a row of `model`
        """Name a row."""
        return str(row)

    def narrowed(self, queryset: Rows, row: Any) -> Rows:  # noqa: ANN401 - a row of `model`
        """Keep what belongs to a row."""
        raise NotImplementedError


class TokenFilter(_RowFilter):
    """A filter by the token that was used."""

    title = parameter_name = "token"
    model = Token

    def name(self, row: Token) -> str:
        """Name a token by the end of its uid."""
        return f"{mask_value(row.object_id)} of {row.owner}"

    def narrowed(self, queryset: Rows, row: Token) -> Rows:
        """Keep what was charged with it."""
        return charged_with(queryset, row)


class LocationFilter(_RowFilter):
    """A filter by the location of charging."""

    title = parameter_name = "location"
    model = Location

    def narrowed(self, queryset: Rows, row: Location) -> Rows:
        """Keep what was charged there."""
        return charged_at(queryset, row)
