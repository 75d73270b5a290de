"""The common part of the pages of all stored objects: paging, search, age, noise, the text.

Spec: 2.2.1 transport and format, client owned object push; docs/architecture.md#what-is-kept. Only
their owners' platforms change them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.base import (
    ModelAdmin,
    ReadOnly,
    Tone,
    ago,
    badge,
    badges,
    cached_per_row,
    column,
    may_view,
    pretty,
    table,
)
from console.changelist import BoundedChangeList, BoundedPaginator
from console.export import ExportPages
from console.message_links import messages_of
from console.object_links import short
from console.search import Finder, by_id, search
from hub.delivery.object_status import DeliveryState, DeliveryStatus, Subject, statuses
from hub.models import Exchange, StoredObject
from hub.module_policy import POLICIES

Row = TypeVar("Row", bound=StoredObject)

ABOUT = (
    ("whole_id", "owner"),
    ("updated", "changed"),
    ("version", "revision"),
    ("sent_to", "noise"),
    "messages",
)
"""The fields that the page of every stored object begins with."""
WHO_HAS_IT: tuple[str, Any] = ("Who has it", {"fields": ("object_status",)})
AS_SERVED: tuple[str, Any] = ("As served", {"fields": ("document",)})


class StoredAdmin(ExportPages, ReadOnly, ModelAdmin[Row]):
    """Stored objects, newest first.

    `behind` has the fields that show rows of another model: an operator who may not see that model
    does not see the field.
    """

    search_fields = ("object_id",)  # only so that Django shows the field: see get_search_results
    finder: Finder = staticmethod(by_id)
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering: ClassVar[tuple[str, ...]] = ("-seq",)
    actions = None
    behind: ClassVar[Mapping[str, type[Model]]] = {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        """Leave out the texts: the page of one object reads its own."""
        return super().get_queryset(request).defer("text", "last_updated_text", "digest")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """Search by what the page's `finder` finds."""
        del request
        words = search_term.replace("\x00", "").strip()
        return (search(queryset, words, finder=self.finder) if words else queryset), False

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[BoundedChangeList]:
        """Use the list that completes its rows."""
        del request, kwargs
        return BoundedChangeList

    def complete(self, rows: list[Row]) -> None:
        """Add to the rows of a page what takes a query of its own; `BoundedChangeList` calls it."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave out what this operator may not see."""
        return [name for name in self.list_display if self._may_view(request, name)]

    def get_fieldsets(self, request: HttpRequest, obj: Row | None = None) -> Any:  # noqa: ANN401 - Django's own type is private
        """Leave out what this operator may not see."""
        del obj
        kept = [
            (title, {"fields": [line for line in self._lines(request, options["fields"]) if line]})
            for title, options in self.fieldsets or ()
        ]
        return [fieldset for fieldset in kept if fieldset[1]["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Row | None = None) -> tuple[str, ...]:
        """Return every field: none can be changed."""
        return tuple(flatten_fieldsets(self.get_fieldsets(request, obj)))

    def _lines(self, request: HttpRequest, fields: Iterable[Any]) -> Iterator[tuple[str, ...]]:
        for line in fields:
            names = (line,) if isinstance(line, str) else line
            yield tuple(name for name in names if self._may_view(request, name))

    def _may_view(self, request: HttpRequest, name: Any) -> bool:  # noqa: ANN401 - a name, mostly
        model = Exchange if name == "messages" else self.behind.get(name)
        return model is None or may_view(request, model)

    @column("Id", order="object_id")
    def identity(self, row: Row) -> SafeString:
        """Show the ends of the id, in a list."""
        return short(row.object_id)

    @column("Id")
    def whole_id(self, row: Row) -> str:
        """Show the id as its owner spells it."""
        return row.object_id

    @column("Owner", order="owner")
    def owned(self, row: Row) -> SafeString:
        """Name the owner, in a list."""
        return short(row.owner)

    @column("Sent to", order="audience")
    def sent_to(self, row: Row) -> str:
        """Show its audience."""
        return row.audience or "all with access"

    @column("Last updated", order="last_updated")
    def updated(self, row: Row) -> SafeString | str:
        """Show how long ago it changed by its owner's own `last_updated`."""
        return ago(row.last_updated)

    @column("Received", order="changed_at")
    def changed(self, row: Row) -> SafeString | str:
        """Show when the hub last got a change of it."""
        return ago(row.changed_at)

    @admin.display(description="Noise", ordering=F("repeated") + F("stale"))
    def noise_sum(self, row: Row) -> SafeString | str:
        """Show how often it was repeated or had an older `last_updated`, in a list."""
        words = f"{row.repeated:,} repeated, {row.stale:,} stale"
        number = row.repeated + row.stale
        return format_html('<span title="{}">{}</span>', words, f"{number:,}") if number else "-"

    @column("Noise")
    def noise(self, row: Row) -> SafeString:
        """Show how often it came without a change, and how often with an older `last_updated`."""
        kinds = ((row.repeated, "repeated", Tone.QUIET), (row.stale, "stale", Tone.CARE))
        return badges((f"{number:,} {word}", tone) for number, word, tone in kinds if number)

    @column("In the message log")
    def messages(self, row: Row) -> SafeString:
        """Link to the messages about it."""
        return messages_of(row)

    @column("")
    @cached_per_row
    def object_status(self, row: Row) -> SafeString:
        """Show which party has which revision, since when, and why not the present one."""
        module = next(name for name, policy in POLICIES.items() if isinstance(row, policy.model))
        return object_status_table(Subject(module, row, revision=row.revision))

    @column("")
    @cached_per_row
    def document(self, row: Row) -> SafeString:
        """Show the object as a party with access gets it, what identifies drivers masked."""
        return pretty(self.served(row))

    def served(self, row: Row) -> bytes:
        """Return the object's text; modules with personal data mask it here."""
        return row.text.encode()


def object_status_table(subject: Subject) -> SafeString:
    """Show who may have an object or a part of one, and which revision each has."""
    headers = ("Party", "Outcome", "Revision", "Since", "Changes behind", "Why")
    return table(headers, map(_cells, statuses(subject)))


_TONES = {
    DeliveryState.DELIVERED: Tone.GOOD,
    DeliveryState.MAYBE: Tone.CARE,
    DeliveryState.REJECTED: Tone.BAD,
    DeliveryState.EXPIRED: Tone.BAD,
    DeliveryState.LEFT_OUT: Tone.CARE,
    DeliveryState.WAITING: Tone.BUSY,
}


def _cells(status: DeliveryStatus) -> tuple[object, ...]:
    return (
        status.party,
        badge(status.state, _TONES.get(status.state, Tone.QUIET)),
        status.revision or "-",
        ago(status.since),
        f"{status.behind:,}",
        status.why or "-",
    )
