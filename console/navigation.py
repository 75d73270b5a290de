"""The console's menu: each page once, shown to whoever may see what is behind it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from console.base import sees
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

_MENU: tuple[tuple[str, tuple[tuple[str, str, type[Model]], ...]], ...] = (
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

# Pages beside a list, for whoever may see it.
_BESIDE: Mapping[type[Model], tuple[tuple[str, str, str], ...]] = {
    Location: (
        ("EVSEs", "outlet", "admin:hub_evse_changelist"),
        ("Map", "map", "admin:hub_location_map"),
    ),
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of this operator, as the theme takes it."""
    groups = (
        {"title": title, "separator": True, "items": _items(request, pages)}
        for title, pages in _MENU
    )
    first = {"title": None, "items": [_item("Dashboard", "monitoring", reverse("admin:index"))]}
    return [first, *(group for group in groups if group["items"])]


def frame(_request: HttpRequest) -> dict[str, Any]:
    """Return what the theme's pages show around each page: a menu with the version at its foot."""
    return {
        "templates": {"navigation": "console/navigation.html"},
        "version": settings.HUB_VERSION,
    }


def _items(
    request: HttpRequest, pages: tuple[tuple[str, str, type[Model]], ...]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for title, icon, model in pages:
        if sees(request, model):
            beside = [_item(name, sign, reverse(url)) for name, sign, url in _BESIDE.get(model, ())]
            item = _item(title, icon, list_of(model))
            if request.path in {other["link"] for other in beside}:
                item["active"] = False
            found += [item, *beside]
    return found


def _item(title: str, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}
