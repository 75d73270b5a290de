"""Subscriptions: which receivers are behind, since when, and why.

Only delivery moves their positions; an operator may start it at once.
"""

from collections.abc import Iterable
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
    ModelAdmin,
    PageChangeList,
    ReadOnly,
    Tone,
    ago,
    badge,
    cached_per_row,
    column,
    is_permitted,
    table,
)
from console.charts import progress_bar
from console.lag import Lag, lags
from hub.delivery.snapshots import Progress, progress
from hub.models import Subscription
from hub.tasks import delivery as delivery_tasks
from ocpi.types import InterfaceRole
from parties.connection_status import REGISTERED
from parties.models import Endpoint, Platform

_ERROR_SHOWN = 60
"""Characters of an error in a list."""


def complete(rows: Iterable[Subscription]) -> list[Subscription]:
    """Add lag and progress of snapshots to subscriptions, and whether there is an endpoint."""
    found: list[Any] = list(rows)
    keys, modules = [row.pk for row in found], {row.module for row in found}
    behind, running = (lags(keys, modules), progress(keys)) if found else ({}, {})
    offered = _offered({row.receiver.platform_id for row in found})
    for row in found:
        row.lag, row.progress = behind.get(row.pk, Lag()), running.get(row.pk)
        row.has_endpoint = (row.receiver.platform_id, row.module) in offered
    return found


def _offered(platforms: set[int]) -> set[tuple[int, str]]:
    """Return the modules that platforms take."""
    endpoints = Endpoint.objects.filter(platform__in=platforms, role=InterfaceRole.RECEIVER)
    return set(endpoints.values_list("platform_id", "module"))


def _completed(row: Any) -> Any:  # noqa: ANN401 - a row with its lag
    """Return a row with its lag, which a row outside a list does not have yet."""
    if not hasattr(row, "lag"):
        complete([row])
    return row


def state(row: Subscription) -> SafeString:
    """Show whether a snapshot goes out beside the live feed, and how far it is; else LIVE."""
    snapshot: Progress | None = _completed(row).progress
    if snapshot is None:
        return badge("LIVE", Tone.GOOD)
    return format_html(
        "{} {}",
        badge("SNAPSHOT", Tone.BUSY),
        progress_bar(snapshot.sent, snapshot.total, "Objects sent"),
    )


def health(row: Subscription, platform: Platform) -> SafeString | str:
    """Show what keeps it from being up to date."""
    if platform.status not in REGISTERED:
        return badge(f"platform {platform.status}", Tone.CARE)
    if not row.receiver.is_active:
        return badge("party not registered", Tone.CARE)
    if not _completed(row).has_endpoint:
        return badge("no endpoint", Tone.CARE)
    failures = badge(f"{row.failures} failed", Tone.BAD) if row.failures else ""
    pause = platform.next_attempt_at
    if pause is not None and pause > timezone.now():
        return format_html("{} next try {}", failures or badge("waits", Tone.CARE), ago(pause))
    return failures or "-"


def of_platform(platform: Platform) -> SafeString:
    """Show a platform's subscriptions as a table."""
    found = Subscription.objects.filter(receiver__platform=platform).select_related("receiver")
    headers = ("Receiver", "Module", "State", "Lag", "Last delivered", "Health", "Last error")
    return table(
        headers, (_row(row, platform) for row in complete(found.order_by("receiver", "module")))
    )


def _row(row: Any, platform: Platform) -> tuple[object, ...]:  # noqa: ANN401 - a row with its lag
    url = reverse("admin:hub_subscription_change", args=[row.pk])
    receiver = format_html('<a class="hub-link" href="{}">{}</a>', url, row.receiver)
    return (
        receiver,
        row.module,
        state(row),
        row.lag.shown(),
        ago(row.last_delivered_at),
        health(row, platform),
        row.last_error or "-",
    )


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly, ModelAdmin[Subscription]):
    """Each receiver's position in each module's feed."""

    list_display = ("receiver_name", "module", "state", "lag", "last_delivered", "health", "error")
    list_filter = ("module", "receiver__platform__status")
    search_fields = ("receiver__holder", "receiver__name", "receiver__platform__name")
    search_help_text = "Key or name of the receiver, or its platform"
    list_per_page = 50
    ordering = ("receiver__key", "module")
    actions = ("deliver_now",)
    fields = (
        ("receiver_name", "module"),
        ("state", "lag"),
        ("last_delivered", "delivered"),
        ("health", "since"),
        "whole_error",
        "position",
        "snapshots",
    )
    readonly_fields = (
        "receiver_name",
        "module",
        "state",
        "lag",
        "last_delivered",
        "delivered",
        "health",
        "since",
        "whole_error",
        "position",
        "snapshots",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """Read receiver and platform with the subscription."""
        return super().get_queryset(request).select_related("receiver__platform")

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[PageChangeList]:
        """Use the list that completes its rows."""
        del request, kwargs
        return PageChangeList

    def complete(self, rows: list[Subscription]) -> None:
        """Add lag and progress to a page."""
        complete(rows)

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        """Allow it to those who may change subscriptions."""
        return is_permitted(request, Subscription)

    @admin.action(description="Deliver now", permissions=["deliver"])
    def deliver_now(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """Start a task for each chosen subscription; a platform that backs off is tried at once."""
        chosen = list(queryset)
        try:
            delivery_tasks.deliver_now([row.pk for row in chosen])
        except (redis.RedisError, OperationalError) as error:
            sentence = (
                f"The broker does not answer; delivery goes on by itself once it does: {error}"
            )
            self.message_user(request, sentence, messages.ERROR)
            return
        self.message_user(
            request, f"Delivery of {len(chosen)} was started; reload to see the lag shrink."
        )

    @column("Receiver", order="receiver__key")
    def receiver_name(self, row: Subscription) -> str:
        """Name the receiver and its platform."""
        return f"{row.receiver} on {row.receiver.platform}"

    @column("State")
    def state(self, row: Subscription) -> SafeString:
        """Show SNAPSHOT with its progress, or LIVE."""
        return state(row)

    @column("Lag")
    def lag(self, row: Subscription) -> SafeString:
        """Show how far it is behind."""
        lag: Lag = _completed(row).lag
        return lag.shown()

    @column("Last delivered", order="last_delivered_at")
    def last_delivered(self, row: Subscription) -> SafeString | str:
        """Show when the receiver last took something."""
        return ago(row.last_delivered_at) if row.last_delivered_at else "never"

    @column("Health", order="failures")
    def health(self, row: Subscription) -> SafeString | str:
        """Show what keeps it from being up to date."""
        return health(row, row.receiver.platform)

    @column("Last error")
    def error(self, row: Subscription) -> SafeString | str:
        """Show the beginning of the last error."""
        if len(row.last_error) <= _ERROR_SHOWN:
            return row.last_error or "-"
        return format_html(
            '<span title="{}">{}…</span>', row.last_error, row.last_error[:_ERROR_SHOWN]
        )

    @column("Last error")
    def whole_error(self, row: Subscription) -> str:
        """Show the last error."""
        return row.last_error or "none"

    @column("Subscribed")
    def since(self, row: Subscription) -> SafeString | str:
        """Show when it began."""
        return ago(row.created_at)

    @column("Position in the feed")
    def position(self, row: Subscription) -> str:
        """Show the transaction in which its position is: what lies before it is dealt with."""
        return f"transaction {row.transaction}"

    @column("Snapshots")
    @cached_per_row
    def snapshots(self, row: Subscription) -> SafeString:
        """Show the owners whose objects it gets or got whole, as at new access."""
        found = row.snapshots.order_by("owner")
        cells = (
            (
                snapshot.owner,
                f"{snapshot.sent:,}",
                ago(snapshot.created_at),
                ago(snapshot.finished_at) if snapshot.finished_at else "running",
            )
            for snapshot in found
        )
        return table(("Owner", "Sent", "Begun", "Finished"), cells)
