"""Retention of objects: what is older is not stored again from its owner's list.

docs/privacy.md. Zero days mean for ever.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from ocpi.types import ModuleID

SETTINGS: Mapping[ModuleID, str] = {
    ModuleID.TOKENS: "HUB_TOKEN_DAYS",
    ModuleID.SESSIONS: "HUB_SESSION_DAYS",
    ModuleID.CDRS: "HUB_CDR_DAYS",
}


def kept_since(setting: str) -> datetime | None:
    """Return the moment before which nothing is kept any more; None if all is kept."""
    days: int = getattr(settings, setting)
    return timezone.now() - timedelta(days=days) if days else None


def is_over(module: ModuleID, value: Mapping[str, object], last_updated: datetime) -> bool:
    """Whether the hub would delete an object as soon as it stored it."""
    since = kept_since(SETTINGS[module]) if module in SETTINGS else None
    if since is None or (module == ModuleID.TOKENS and value.get("valid") is not False):
        return False
    return last_updated < since
