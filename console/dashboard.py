"""The console's first page: figures of the hub, each with a link to the list behind it.

An operator who may not see a list does not see its figures either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from console.as_of import as_of
from console.base import is_permitted, may_view, span
from console.charts import Bar, BarData, Columns, SeriesData, bars, columns
from console.object_links import list_of
from console.tones import EVSE_TONES
from hub.models import Cdr, DeadLetter, Evse, Exchange, Location, Subscription
from hub.statistics import dashboard
from hub.statistics.dashboard import BUCKETS, COUNTED_DEAD_LETTERS, HOURS
from ocpi.status_codes import StatusCode
from parties.connection_status import ConnectionStatus
from parties.models import Party, Platform

_SHOWN = 8
"""Bars of a panel."""
_FIRST_WITHOUT_DECIMAL = 10_000
_STATUS_TONES = {"CONNECTED": "good", "OFFLINE": "bad", "SUSPENDED": "care", "PLANNED": ""}


@dataclass(frozen=True, slots=True)
class Panel:
    """A figure, a chart of what it is made of, and the URL of the list behind it."""

    title: str
    figure: str
    url: str
    about: str = ""
    bars: Sequence[Bar] = ()
    columns: Columns | None = None
    is_wide: bool = False
    tone: str = ""
    nothing: str = ""
    """The sentence in place of an empty chart."""


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the first page the panels that this operator may see."""
    shown = [make() for model, make in _PANELS if may_view(request, model)]
    onboard = (
        reverse("admin:parties_platform_add") if is_permitted(request, Platform, verb="add") else ""
    )
    return {**context, "title": "Dashboard", "panels": shown, "onboard": onboard}


def _messages() -> Panel:
    found = dashboard.messages()
    total = sum(found.totals.values())
    order = sorted(found.by_module, key=lambda module: -found.totals[module])
    series = [
        SeriesData(
            module or "other",
            f"{found.totals[module]:,}",
            found.by_module[module],
            _list_url(Exchange, module=module),
        )
        for module in order
    ]
    hours = [found.begin + timedelta(hours=number) for number in range(0, HOURS + 1, 6)]
    marks = [f"{hour:%H:%M}" for hour in hours]
    # The last bucket is not over yet: the figure is that of the one before.
    last = sum(numbers[BUCKETS - 2] for numbers in found.by_module.values())
    return Panel(
        "Messages per minute",
        f"{last:,.1f}" if last < _FIRST_WITHOUT_DECIMAL else f"{last:,.0f}",
        _list_url(Exchange),
        f"{total:,} in 24 hours, {found.failed:,} of them without success",
        columns=columns(series, marks=marks, about="Messages per minute by module, 24 hours (UTC)"),
        is_wide=True,
        nothing="" if total else "No message in the last 24 hours.",
    )


def _parties() -> Panel:
    counts = dashboard.parties()
    rows = [
        BarData(status, number, f"{number:,}", _list_url(Party, platform__status__exact=status))
        for status, number in counts.items()
    ]
    offline = counts[ConnectionStatus.OFFLINE]
    about = f"{offline:,} of them offline" if offline else "none of them offline"
    total = f"{sum(counts.values()):,}"
    return Panel("Parties", total, _list_url(Party), about, bars(rows, _STATUS_TONES))


def _failures() -> Panel:
    found = dashboard.failures()
    rows = [
        BarData(_failure_label(each), each.number, f"{each.number:,}", _failure_url(each))
        for each in found[:_SHOWN]
    ]
    total = sum(each.number for each in found)
    return Panel(
        "Errors in 24 hours",
        f"{total:,}",
        _list_url(Exchange),
        "by party and code",
        bars(rows, {row.label: "bad" for row in rows}),
        nothing="" if rows else "No errors.",
    )


def _failure_label(each: dashboard.FailureCount) -> str:
    names = {code.value: code.description for code in StatusCode}
    code = f"{each.code} {names.get(each.code, '')}" if each.code >= 1000 else f"HTTP {each.code}"  # noqa: PLR2004 - OCPI's codes begin there
    return f"{each.party or 'no known party'}: {code.strip() if each.code else 'no answer'}"


def _failure_url(each: dashboard.FailureCount) -> str:
    is_known = each.code in {code.value for code in StatusCode}
    query = {"party": each.party, "status_code": str(each.code) if is_known else ""}
    return _list_url(Exchange, **{name: value for name, value in query.items() if value})


def _throttled() -> Panel:
    found = dashboard.throttled()
    rows = [
        BarData(each.platform or "strangers", each.number, f"{each.number:,}", _throttled_url(each))
        for each in found[:_SHOWN]
    ]
    return Panel(
        "Over their rate in 24 hours",
        f"{sum(each.number for each in found):,}",
        _list_url(Exchange, status_code=str(StatusCode.CLIENT_ERROR.value)),
        "requests refused with 429, by platform",
        bars(rows, {row.label: "care" for row in rows}),
        nothing="" if rows else "Nobody sends too much.",
    )


def _throttled_url(each: dashboard.ThrottledCount) -> str:
    if each.platform:
        return _list_url(Platform, q=each.platform)
    return _list_url(Exchange, status_code=str(StatusCode.CLIENT_ERROR.value))


def _waiting() -> Panel:
    found = dashboard.receivers_behind()
    rows = [
        BarData(
            f"{each.receiver}: {each.module}",
            each.seconds,
            span(each.seconds),
            _list_url(Subscription, q=each.receiver),
        )
        for each in found[:_SHOWN]
    ]
    oldest = found[0].seconds if found else 0.0
    return Panel(
        "Oldest undelivered change",
        span(oldest) if found else "none",
        _list_url(Subscription),
        f"{len(found):,} receivers are behind" if found else "every receiver is up to date",
        bars(rows, {row.label: "care" for row in rows}),
        tone="bad" if oldest >= 600 else "",  # noqa: PLR2004 - as in console.lag
        nothing="" if rows else "Nothing waits to be delivered.",
    )


def _dead_letters() -> Panel:
    found = dashboard.dead_letters()
    number = (
        f"more than {COUNTED_DEAD_LETTERS:,}"
        if found.number > COUNTED_DEAD_LETTERS
        else f"{found.number:,}"
    )
    about = f"the first of {found.oldest:%Y-%m-%d %H:%M} UTC" if found.oldest else ""
    rows = [
        BarData(
            each.receiver, each.number, f"{each.number:,}", _list_url(DeadLetter, q=each.receiver)
        )
        for each in found.by_receiver[:_SHOWN]
    ]
    tones = {row.label: "bad" for row in rows}
    nothing = "" if rows else "No dead letters."
    tone = "bad" if rows else ""
    return Panel(
        "Dead letters",
        number,
        _list_url(DeadLetter),
        about,
        bars(rows, tones),
        tone=tone,
        nothing=nothing,
    )


def _cdrs() -> Panel:
    found = dashboard.cdrs()
    total = sum(found.by_hour)
    url = _list_url(Cdr, posted_at__gte=f"{found.begin:%Y-%m-%d %H:%M:%S}Z")
    series = [SeriesData("CDRs", f"{total:,}", found.by_hour, url)] if total else []
    marks = [f"{hour:02}:00" for hour in range(0, HOURS + 1, 6)]
    return Panel(
        "CDRs today",
        f"{total:,}",
        url,
        f"{found.kwh:,.1f} kWh",
        columns=columns(series, marks=marks, about="CDRs of today by the hour (UTC)"),
        nothing="" if total else "No CDR since midnight UTC.",
    )


def _evses() -> Panel:
    counts = dashboard.evses()
    rows = [
        BarData(status, number, f"{number:,}", _list_url(Evse, status=status))
        for status, number in sorted(counts.items(), key=lambda item: -item[1])
        if number
    ]
    total = sum(counts.values())
    return Panel(
        "EVSEs",
        f"{total:,}",
        reverse("admin:hub_location_map"),
        f"of published locations, by status, {as_of()}",
        bars(rows, EVSE_TONES),
        nothing="" if rows else "No published EVSE yet.",
    )


_PANELS: tuple[tuple[type[Model], Callable[[], Panel]], ...] = (
    (Exchange, _messages),
    (Party, _parties),
    (Exchange, _failures),
    (Subscription, _waiting),
    (DeadLetter, _dead_letters),
    (Cdr, _cdrs),
    (Location, _evses),
    (Exchange, _throttled),
)
"""In the order of the page, each with the model that an operator must be allowed to see."""


def _list_url(model: type[Model], **query: str) -> str:
    url = list_of(model)
    return f"{url}?{urlencode(query)}" if query else url


admin.site.index_template = "console/dashboard.html"
