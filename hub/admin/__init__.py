"""The hub in the operators' console: what it keeps, who has been told, how platforms connect."""

from hub.admin import (
    cdrs,
    dashboard,
    dead_letters,
    evses,
    exchanges,
    locations,
    operators,
    platforms,
    sessions,
    subscriptions,
    tariffs,
    tokens,
)

__all__ = [
    "cdrs",
    "dashboard",
    "dead_letters",
    "evses",
    "exchanges",
    "locations",
    "operators",
    "platforms",
    "sessions",
    "subscriptions",
    "tariffs",
    "tokens",
]
