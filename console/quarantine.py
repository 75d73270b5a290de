"""Quarantine: objects of lists that could not be used, with the reason and what would help.

TF-31. What identifies a driver is masked.
"""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from console import bulk_action, pulls
from console.base import ModelAdmin, ReadOnly, ago, column, is_permitted, pretty
from console.bulk_action import Bulk
from console.changelist import BoundedChangeList, BoundedPaginator
from console.search import FoundByWholeWords
from hub.masking.masked_rows import masked_object
from hub.models import Quarantined
from hub.pull import quarantine
from hub.pull.quarantine import QUARANTINE, hint

_GROUPED_BY = ("pull__party__key", "pull__module")
_READ_AGAIN = Bulk(
    "Read their lists again",
    "objects in quarantine",
    (
        "The whole list of each party and module below is read from its beginning, by a worker.",
        "What its owner has mended leaves the quarantine and goes to its receivers.",
        "What is still broken stays, with the new reason.",
    ),
    _GROUPED_BY,
)
_DISCARD = Bulk(
    "Discard",
    "objects in quarantine",
    (
        "The hub forgets what it received of them. It never stored or delivered them.",
        "What is still in its owner's list, and still broken, comes back when the list is read.",
    ),
    _GROUPED_BY,
    dangerous=True,
)


@admin.register(Quarantined)
class QuarantinedAdmin(FoundByWholeWords, ReadOnly, ModelAdmin[Quarantined]):
    """Objects in quarantine, the last seen first."""

    list_display = ("object_id", "party", "module", "findings", "help", "first_seen", "last_seen")
    list_filter = ("pull__module",)
    search_fields = ("findings", "pull__party__key")
    search_help_text = "What is wrong, or key of the party; of what is about drivers, whole words"
    module_field = "pull__module"
    whole = ("pull__party__key",)
    texts = ("findings",)
    list_per_page = 50
    ordering = ("-last_seen_at", "-id")
    show_full_result_count = False
    actions = ("read_again", "discard")
    paginator = BoundedPaginator
    fields = (
        ("object_id", "party", "module"),
        "findings",
        "help",
        ("first_seen", "last_seen"),
        "content",
    )
    readonly_fields = (
        "object_id",
        "party",
        "module",
        "findings",
        "help",
        "first_seen",
        "last_seen",
        "content",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quarantined]:
        """Read pull and party with the object."""
        return super().get_queryset(request).select_related("pull__party")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Quarantined | None:
        """Mask what identifies a driver, for every page of the object."""
        row = super().get_object(request, object_id, from_field)
        return row and masked_object(row)

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[BoundedChangeList]:
        """Use the list that has its rows masked by `complete`."""
        del request, kwargs
        return BoundedChangeList

    def complete(self, rows: list[Quarantined]) -> None:
        """Mask what identifies a driver."""
        for row in rows:
            masked_object(row)

    def has_empty_permission(self, request: HttpRequest) -> bool:
        """Allow both actions to those who may change what is in quarantine."""
        return is_permitted(request, Quarantined)

    @admin.action(description="Read their lists again", permissions=["empty"])
    def read_again(
        self, request: HttpRequest, queryset: QuerySet[Quarantined]
    ) -> HttpResponse | None:
        """Have the lists of the chosen objects read from the beginning, once that is confirmed."""
        rows = bulk_action.confirmed(request, queryset)
        if rows is None:
            return bulk_action.ask(self, request, queryset, _READ_AGAIN)
        number = quarantine.read_again(rows)
        if trouble := pulls.start():
            self.message_user(request, trouble, messages.ERROR)
            return None
        self.message_user(request, f"Lists that are read again: {number}. See Pulls for progress.")
        return HttpResponseRedirect(reverse("admin:hub_pullstate_changelist"))

    @admin.action(description="Discard", permissions=["empty"])
    def discard(self, request: HttpRequest, queryset: QuerySet[Quarantined]) -> HttpResponse | None:
        """Discard the chosen objects, once that is confirmed."""
        rows = bulk_action.confirmed(request, queryset)
        if rows is None:
            return bulk_action.ask(self, request, queryset, _DISCARD)
        self.message_user(request, f"{QUARANTINE.discard(rows):,} were discarded.")
        return None

    @column("Party", order="pull__party__key")
    def party(self, row: Quarantined) -> str:
        """Name the party whose list it was in."""
        return f"{row.pull.party}"

    @column("Module", order="pull__module")
    def module(self, row: Quarantined) -> str:
        """Name the module."""
        return row.pull.module

    @column("What helps")
    def help(self, row: Quarantined) -> str:
        """Show a hint."""
        return hint(row.fault)

    @column("First seen", order="first_seen_at")
    def first_seen(self, row: Quarantined) -> SafeString | str:
        """Show since when it is in quarantine."""
        return ago(row.first_seen_at)

    @column("Last seen", order="last_seen_at")
    def last_seen(self, row: Quarantined) -> SafeString | str:
        """Show when it was last in the list."""
        return ago(row.last_seen_at)

    @column("As received")
    def content(self, row: Quarantined) -> SafeString:
        """Show its text, however broken."""
        return pretty(row.text.encode())
