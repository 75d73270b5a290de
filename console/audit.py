"""The audit in the console: who changed what and when, with the values before and after."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from console.base import ModelAdmin, ReadOnly, ago, column, table
from console.changelist import BoundedChangeList, BoundedPaginator
from console.filters import word_filter
from hub.models import DeadLetter
from operators.actor import Channel
from operators.audit import AUDITED
from operators.login_events import Event
from operators.models import Change
from parties.models import Credentials

_KINDS = (*AUDITED, Credentials._meta.label, DeadLetter._meta.label)  # noqa: SLF001 - a documented name of Django
_PAGE = ("moment", "by", "doing", "did", "what", "difference")


@admin.register(Change)
class ChangeAdmin(ReadOnly, ModelAdmin[Change]):
    """Changes, newest first."""

    list_display = ("when", "by", "did", "what", "differs")
    list_filter = (
        word_filter("channel", Channel),
        word_filter("kind", _KINDS),
        word_filter("action", Event),
        "at",
    )
    search_fields = ("who", "subject")
    search_help_text = "Who, or of what"
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    actions = None
    fields = readonly_fields = _PAGE

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[BoundedChangeList]:
        """Use the list that counts no further than its pages."""
        del request, kwargs
        return BoundedChangeList

    def complete(self, rows: list[Change]) -> None:
        """Add nothing: a row shows its columns."""

    @column("When", order="id")
    def when(self, row: Change) -> SafeString | str:
        """Show when it was."""
        return ago(row.at)

    @column("When")
    def moment(self, row: Change) -> str:
        """Show exactly when it was."""
        return f"{row.at:%Y-%m-%d %H:%M:%S} UTC"

    @column("Who", order="who")
    def by(self, row: Change) -> str:
        """Name who did it, and from where."""
        return f"{row.who} ({row.channel}{f', {row.address}' if row.address else ''})"

    @column("Did", order="action")
    def did(self, row: Change) -> str:
        """Say what was done, and how often within the hour."""
        return row.did

    @column("Of what", order="subject")
    def what(self, row: Change) -> str:
        """Name what was changed."""
        kind = row.kind.rpartition(".")[2].lower()
        return f"{kind} {row.subject}".strip()

    @column("What")
    def differs(self, row: Change) -> str:
        """Name the fields that changed."""
        return ", ".join(_names(row)) or "-"

    @column("")
    def difference(self, row: Change) -> SafeString:
        """Show the values before and after."""
        before, after = row.before or {}, row.after or {}
        cells = ((name, _value(before, name), _value(after, name)) for name in _names(row))
        return table(("", "Before", "After"), cells)


def _names(row: Change) -> list[str]:
    return list({**(row.before or {}), **(row.after or {})})


def _value(facts: dict[str, object], name: str) -> str:
    return str(facts[name]) if name in facts else "-"
