"""What operators see of platforms and may do to them as a whole.

Spec: none; commands and console show the same.
"""

from typing import Any

from django.db import transaction

from ocpi.types import format_datetime
from operators.auditing import record
from parties import tokens
from parties.audited import audited
from parties.habits import sentence
from parties.models import Credentials, ObservedHabit, Platform
from parties.signals import announce, platform_removed


class NoSuchPlatform(ValueError):
    """No platform has this name."""


def find(name: str) -> Platform:
    """Return the platform of this name; the error names those that exist."""
    platform = Platform.objects.filter(name=name).first()
    if platform is None:
        known = ", ".join(Platform.objects.values_list("name", flat=True)) or "there are none yet"
        message = f"no platform is called {name}; known: {known}"
        raise NoSuchPlatform(message)
    return platform


def describe(platform: Platform) -> dict[str, Any]:
    """Return everything about a platform that is no secret, ready for JSON."""
    seen, pinged = platform.last_seen_at, platform.last_ping_at
    return {
        "name": platform.name,
        "status": str(platform.status),
        "version": platform.version,
        "versions_url": platform.versions_url,
        "parties": [str(party) for party in platform.parties.all() if party.is_active],
        "allowed_parties": [str(party) for party in platform.allowed_parties.all()],
        "endpoints": [
            {"module": row.module, "role": row.role, "url": row.url}
            for row in platform.endpoints.all()
        ],
        "quirks": platform.quirks.as_mapping(),
        "last_seen_at": format_datetime(seen) if seen else None,
        "failures": platform.failures,
        "unanswered": platform.unanswered,
        "last_error": platform.last_error,
        "last_ping_at": format_datetime(pinged) if pinged else None,
        "unreachable": platform.unreachable,
        "alarm": platform.alarm,
        "habits": [_told(row) for row in platform.habits.all()],
    }


def _told(row: ObservedHabit) -> dict[str, Any]:
    return {
        "habit": row.habit,
        "meaning": sentence(row.habit),
        "times": row.times,
        "last_at": format_datetime(row.last_at),
        "example": row.example,
    }


@transaction.atomic
def forget(platform: Platform) -> None:
    """Delete a platform with its parties, tokens and agreements."""
    with audited("forgot", platform.name):
        announce(platform_removed, Platform, platform_id=platform.pk)
        platform.delete()


@transaction.atomic
def reencrypt() -> int:
    """Seal every outbound token with the newest key, and count them."""
    sealed = Credentials.objects.select_for_update().exclude(sealed="")
    for row in sealed:
        row.sealed = tokens.reseal(row.sealed)
        row.save(update_fields=["sealed"])
    record("sealed with the newest key", f"{len(sealed)} tokens", kind="parties.Credentials")
    return len(sealed)
