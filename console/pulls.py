"""Pulls: how far the reading of each party's list is, and what became of its objects.

An operator may have lists read at once.
"""

from typing import Any

import redis
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from kombu.exceptions import OperationalError

from console.base import (
    CheckedChangeList,
    ModelAdmin,
    ReadOnly,
    Tone,
    ago,
    badge,
    badges,
    column,
    is_permitted,
)
from console.charts import progress_bar
from hub.models import PullState
from hub.pull import status
from hub.pull.leases import COUNTS
from hub.tasks import pull as pull_tasks
from parties.connection_status import ConnectionStatus

_PHASES = {
    PullState.Phase.FULL: ("reads everything", Tone.BUSY),
    PullState.Phase.CHANGES: ("reads changes", Tone.BUSY),
}
_ERROR_SHOWN = 60
"""Characters of an error in a list."""
_FIELDS = (
    ("party_name", "module"),
    ("state", "progress"),
    ("counts", "broken"),
    ("begun", "asked_from"),
    ("last_success", "last_full", "due"),
    ("health", "failed"),
    "whole_error",
    "oddity",
)


def start() -> str:
    """Have a worker read the lists that are due; return an error if there is no broker."""
    try:
        task: Any = pull_tasks.start_pulls
        task.delay_on_commit()
    except (redis.RedisError, OperationalError) as error:
        return f"The broker does not answer; they are read once it does: {error}"
    return ""


def read_soon(chosen: QuerySet[PullState], *, full: bool) -> tuple[str, int]:
    """Have lists read as soon as a worker is free; return a message and its level.

    `full` reads them from the beginning, else what has changed since the last time.
    """
    number = status.request(chosen, full=full)
    if trouble := start():
        return trouble, messages.ERROR
    return f"{number} are read one after the other; reload to see how far they are.", messages.INFO


@admin.register(PullState)
class PullAdmin(ReadOnly, ModelAdmin[PullState]):
    """Each party's list of each module."""

    list_display = (
        "party_name",
        "module",
        "state",
        "progress",
        "counts",
        "broken",
        "last_success",
        "due",
        "health",
        "error",
    )
    list_filter = ("module", "phase", "party__platform__status")
    search_fields = ("party__key", "party__name", "party__platform__name")
    search_help_text = "Key or name of the party, or its platform"
    list_select_related = ("party__platform",)
    list_per_page = 50
    ordering = ("party__key", "id")
    actions = ("pull_now", "pull_everything")
    fields = _FIELDS
    readonly_fields = tuple(
        name for line in _FIELDS for name in ((line,) if isinstance(line, str) else line)
    )

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[CheckedChangeList]:
        """Use the list that does not fail on its URL."""
        del request, kwargs
        return CheckedChangeList

    def has_pull_permission(self, request: HttpRequest) -> bool:
        """Allow it to those who may change pulls."""
        return is_permitted(request, PullState)

    @admin.action(description="Read changes now", permissions=["pull"])
    def pull_now(self, request: HttpRequest, queryset: QuerySet[PullState]) -> None:
        """Have the chosen lists read for changes as soon as a worker is free."""
        self._read_soon(request, queryset, full=False)

    @admin.action(description="Read everything now", permissions=["pull"])
    def pull_everything(self, request: HttpRequest, queryset: QuerySet[PullState]) -> None:
        """Have the chosen lists read from their beginning."""
        self._read_soon(request, queryset, full=True)

    def _read_soon(
        self, request: HttpRequest, queryset: QuerySet[PullState], *, full: bool
    ) -> None:
        self.message_user(request, *read_soon(queryset, full=full))

    @column("Party", order="party__key")
    def party_name(self, row: PullState) -> str:
        """Name the party and its platform."""
        return f"{row.party} on {row.party.platform}"

    @column("State", order="phase")
    def state(self, row: PullState) -> SafeString:
        """Show what is under way."""
        if row.phase in _PHASES:
            return badge(*_PHASES[PullState.Phase(row.phase)])
        return badge("complete", Tone.GOOD) if row.last_success_at else badge("not read yet")

    @column("Objects")
    def progress(self, row: PullState) -> SafeString | str:
        """Show how many objects came, and of how many if the party says that."""
        if not row.total and row.phase not in _PHASES:
            return f"{row.seen:,}"
        return progress_bar(row.seen, row.total or 0, "Objects read")

    @column("Of them")
    def counts(self, row: PullState) -> SafeString:
        """Show what became of the objects."""
        # `seen` has a column of its own, and so has `quarantined`.
        counted = ((getattr(row, name), name.replace("_", " ")) for name in COUNTS[1:-1])
        return badges((f"{number:,} {name}", Tone.QUIET) for number, name in counted if number)

    @column("Quarantined", order="quarantined")
    def broken(self, row: PullState) -> SafeString | str:
        """Link to the objects that could not be used."""
        if not row.quarantined:
            return "-"
        url = reverse("admin:hub_quarantined_changelist")
        return format_html(
            '<a class="hub-link" href="{}?pull__module={}&amp;q={}">{}</a>',
            url,
            row.module,
            row.party.key,
            f"{row.quarantined:,}",
        )

    @column("Last complete", order="last_success_at")
    def last_success(self, row: PullState) -> SafeString | str:
        """Show when the last reading was complete."""
        return ago(row.last_success_at)

    @column("Last complete one of everything")
    def last_full(self, row: PullState) -> SafeString | str:
        """Show when the last reading of everything began."""
        return ago(row.full_since)

    @column("Next", order="due_at")
    def due(self, row: PullState) -> SafeString | str:
        """Show when it is due."""
        return ago(row.due_at) if row.due_at > timezone.now() else "now"

    @column("Begun")
    def begun(self, row: PullState) -> SafeString | str:
        """Show when the present or last reading began."""
        return ago(row.started_at)

    @column("Asked for")
    def asked_from(self, row: PullState) -> str:
        """Show what the present or last reading asks for."""
        return f"changes since {row.date_from:%Y-%m-%d %H:%M} UTC" if row.date_from else "all"

    @column("Health", order="failures")
    def health(self, row: PullState) -> SafeString | str:
        """Show what keeps it from being read."""
        platform = row.party.platform
        if platform.status != ConnectionStatus.CONNECTED:
            return badge(f"platform {platform.status}", Tone.CARE)
        if not platform.quirks.pull:
            return badge("not pulled: a quirk", Tone.CARE)
        return badge(f"{row.failures} failed", Tone.BAD) if row.failures else "-"

    @column("Last failure")
    def failed(self, row: PullState) -> SafeString | str:
        """Show when a reading last failed."""
        return ago(row.last_error_at)

    @column("Last error")
    def error(self, row: PullState) -> SafeString | str:
        """Show the beginning of the last error."""
        if len(row.last_error) <= _ERROR_SHOWN:
            return row.last_error or "-"
        return format_html(
            '<span title="{}">{}…</span>', row.last_error, row.last_error[:_ERROR_SHOWN]
        )

    @column("Last error")
    def whole_error(self, row: PullState) -> str:
        """Show the last error."""
        return row.last_error or "none"

    @column("What was odd about the list")
    def oddity(self, row: PullState) -> str:
        """Show how the list deviated from the specification."""
        return row.remark or "nothing"
