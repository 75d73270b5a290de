"""The hub in the operators' console: what it keeps, who has been told, how platforms connect."""

from hub.admin import (
    cdrs,
    changes,
    dashboard,
    dead_letters,
    evses,
    exchanges,
    locations,
    logins,
    operators,
    platforms,
    pulls,
    quarantine,
    sessions,
    subscriptions,
    tariffs,
    tokens,
)

__all__ = [
    "cdrs",
    "changes",
    "dashboard",
    "dead_letters",
    "evses",
    "exchanges",
    "locations",
    "logins",
    "operators",
    "platforms",
    "pulls",
    "quarantine",
    "sessions",
    "subscriptions",
    "tariffs",
    "tokens",
]
