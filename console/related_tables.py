"""Tables of Sessions and CDRs: the newest of a token or location with a link to all, or a list."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.base import Tone, ago, badge, table
from console.formats import energy, price
from console.object_links import link
from hub.models import Cdr, Session
from hub.models.charging import Charged

_SHOWN = 10
_AMOUNTS = ("Energy", "Cost")
SESSION_TONES = {
    "ACTIVE": Tone.BUSY,
    "COMPLETED": Tone.GOOD,
    "INVALID": Tone.BAD,
    "PENDING": Tone.BUSY,
    "RESERVATION": Tone.BUSY,
}


def session_table(found: QuerySet[Session], **of: int) -> SafeString:
    """Show the newest sessions; `of` names the filter that lists them all."""
    rows, more = _newest(found, "hub_session", of)
    cells = ((_id(row), status(row), ago(row.started_at), *_amounts(row)) for row in rows)
    return table(("Id", "Status", "Started", *_AMOUNTS), cells) + more


def cdr_table(found: QuerySet[Cdr] | Iterable[Cdr], **of: int) -> SafeString:
    """Show the newest CDRs; `of` names the filter that lists all; without it `found` is all."""
    rows, more = _newest(found, "hub_cdr", of)
    cells = ((_id(row), kind(row), ago(row.ended_at), *_amounts(row)) for row in rows)
    return table(("Id", "Kind", "Ended", *_AMOUNTS), cells) + more


def _id(row: Charged) -> SafeString:
    return format_html("{} {}", row.owner, link(row, row.object_id))


def _amounts(row: Charged) -> tuple[str, str]:
    return energy(row), price(row)


def status(row: Session) -> SafeString:
    """Show the status of a session."""
    return badge(row.status or "unknown", SESSION_TONES.get(row.status, Tone.QUIET))


def kind(row: Cdr) -> SafeString:
    """Show whether a CDR is a credit CDR."""
    return badge("credit", Tone.CARE) if row.credit else badge("CDR")


def _newest(found: Any, listed: str, of: dict[str, int]) -> tuple[list[Any], SafeString]:  # noqa: ANN401 - rows of either kind
    """Return the newest rows, and a link to all if there are more.

    Without a filter, `found` is a list that is shown whole.
    """
    if not of:
        return list(found), SafeString()
    rows = list(found.defer("text").order_by("-seq")[: _SHOWN + 1])
    if len(rows) <= _SHOWN:
        return rows, SafeString()
    query = "&".join(f"{name}={pk}" for name, pk in of.items())
    url = f"{reverse(f'admin:{listed}_changelist')}?{query}"
    return rows[:_SHOWN], format_html(
        '<p class="hub-more"><a class="hub-link" href="{}">All of them</a></p>', url
    )
