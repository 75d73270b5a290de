"""The table of a platform's last messages, for its page."""

from django.contrib import admin
from django.utils.safestring import SafeString

from console.base import table
from console.object_links import link
from hub.message_log.sql import BODIES
from hub.models import Exchange
from parties.models import Platform

_SHOWN = 20
_HEADERS = ("When", "Direction", "Parties", "Message", "Answer", "ms", "Journey")


def recent_of(platform: Platform) -> SafeString:
    """Show the newest messages, each with a link to its journey."""
    rows = Exchange.objects.filter(platform=platform.name).defer(*BODIES)
    return table(_HEADERS, map(_cells, rows.order_by("-at", "-id")[:_SHOWN]))


def _cells(row: Exchange) -> tuple[object, ...]:
    page = admin.site.get_model_admin(Exchange)
    shown = (page.parties, page.message, page.answer)  # type: ignore[attr-defined]
    when = link(row, f"{row.at:%Y-%m-%d %H:%M:%S}")
    journey = page.journey(row)  # type: ignore[attr-defined]
    return (
        when,
        row.direction,
        *(each(row) for each in shown),
        f"{row.milliseconds:,.1f}",
        journey,
    )
