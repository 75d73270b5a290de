"""The console's menu, with the pages that the operator may see."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from console.base import may_view
from console.object_links import list_of
from hub.models import (
    Cdr,
    DeadLetter,
    Exchange,
    KeptCdr,
    Location,
    PullState,
    Quarantined,
    Session,
    Subscription,
    Tariff,
    Token,
)
from operators.models import Change, ConsoleSession
from parties.models import Agreement, Party, Platform

MenuEntry = tuple[str, str, type[Model]]
"""Title, icon (its name among the Material Symbols), and the model whose list it opens."""

_MENU: tuple[tuple[str, tuple[MenuEntry, ...]], ...] = (
    (
        "Connections",
        (
            ("Platforms", "hub", Platform),
            ("Parties", "storefront", Party),
            ("Agreements", "handshake", Agreement),
        ),
    ),
    (
        "Delivery",
        (
            ("Subscriptions", "sync_alt", Subscription),
            ("Dead letters", "unsubscribe", DeadLetter),
            ("Message log", "history", Exchange),
        ),
    ),
    (
        "Pull",
        (("Pulls", "cloud_download", PullState), ("Quarantine", "report", Quarantined)),
    ),
    (
        "Data",
        (
            ("Locations", "ev_station", Location),
            ("Tariffs", "sell", Tariff),
            ("Tokens", "contactless", Token),
            ("Sessions", "bolt", Session),
            ("CDRs", "receipt_long", Cdr),
            ("Kept CDRs", "inventory_2", KeptCdr),
        ),
    ),
    (
        "Operators",
        (
            ("Users", "person", User),
            ("Groups", "group", Group),
            ("Logged in", "devices", ConsoleSession),
            ("Audit", "policy", Change),
        ),
    ),
)

_BESIDE: Mapping[type[Model], tuple[tuple[str, str, str], ...]] = {
    Location: (
        ("EVSEs", "outlet", "admin:hub_evse_changelist"),
        ("Map", "map", "admin:hub_location_map"),
    ),
}
"""Pages shown below a list to those who may see it: title, icon, name of the URL."""


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of this operator in the theme's format."""
    groups = (
        {"title": title, "separator": True, "items": _items(request, entries)}
        for title, entries in _MENU
    )
    first = {"title": None, "items": [_item("Dashboard", "monitoring", reverse("admin:index"))]}
    return [first, *(group for group in groups if group["items"])]


def frame(_request: HttpRequest) -> dict[str, Any]:
    """Return what the theme shows around each page: the menu, with the version at its foot."""
    return {
        "templates": {"navigation": "console/navigation.html"},
        "version": settings.HUB_VERSION,
    }


def _items(request: HttpRequest, entries: tuple[MenuEntry, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for title, icon, model in entries:
        if may_view(request, model):
            beside = [
                _item(its_title, its_icon, reverse(url))
                for its_title, its_icon, url in _BESIDE.get(model, ())
            ]
            item = _item(title, icon, list_of(model))
            if request.path in {other["link"] for other in beside}:
                item["active"] = False  # else the theme would highlight both
            found += [item, *beside]
    return found


def _item(title: str, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}
