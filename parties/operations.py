"""Operations on a whole platform: what operators see of it and may do to it.

Commands and console show the same.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q, Subquery
from django.utils import timezone

from ocpi.types import format_datetime
from operators import second_factor
from operators.audit import record
from parties import directory, rate_limits, tokens
from parties.audit import audited
from parties.connection_status import ConnectionStatus
from parties.deviations import sentence
from parties.models import Credentials, ObservedDeviation, Platform, TokenKind
from parties.models.credentials import CredentialsQuerySet
from parties.registration.inbound import disconnect
from parties.registration.invitation import Invitation, NotPossible, invite
from parties.signals import announce, platform_removed


class NoSuchPlatform(ValueError):
    """No platform has this name."""


def find_platform(name: str) -> Platform:
    """Return the platform of this name; the error names those that exist."""
    platform = Platform.objects.filter(name=name).first()
    if platform is None:
        known = ", ".join(Platform.objects.values_list("name", flat=True)) or "there are none yet"
        message = f"no platform is called {name}; known: {known}"
        raise NoSuchPlatform(message)
    return platform


def describe(platform: Platform) -> dict[str, Any]:
    """Return everything about a platform that is no secret, ready for JSON."""
    seen, pinged, circuit = platform.last_seen_at, platform.last_ping_at, platform.circuit_until
    return {
        "name": platform.name,
        "status": str(platform.status),
        "version": platform.version,
        "versions_url": platform.versions_url,
        "parties": [str(party) for party in platform.parties.all() if party.is_active],
        "allowed_parties": [str(party) for party in platform.allowed_parties.all()],
        "endpoints": [
            {"module": row.module, "role": row.role, "url": row.url, "by_hand": row.by_hand}
            for row in platform.endpoints.all()
        ],
        "requests_per_minute": rate_limits.per_minute(platform.quirks),
        "quirks": platform.quirks.as_mapping(),
        "last_seen_at": format_datetime(seen) if seen else None,
        "failures": platform.failures,
        "unanswered": platform.unanswered,
        "last_error": platform.last_error,
        "last_ping_at": format_datetime(pinged) if pinged else None,
        "unreachable": platform.unreachable,
        "alarm": platform.alarm,
        "circuit_until": format_datetime(circuit) if circuit else None,
        "credentials": [_token(row) for row in platform.credentials.all() if not row.revoked_at],
        "habits": [_deviation(row) for row in platform.deviations.all()],
    }


def _token(row: Credentials) -> dict[str, Any]:
    used, until = row.first_used_at, row.valid_until
    return {
        "kind": row.kind,
        "direction": row.direction,
        "last_four": row.last_four,
        "form": row.form,
        "issued_at": format_datetime(row.valid_from),
        "first_used_at": format_datetime(used) if used else None,
        "valid_until": format_datetime(until) if until else None,
    }


def _deviation(row: ObservedDeviation) -> dict[str, Any]:
    return {
        "habit": row.deviation,
        "meaning": sentence(row.deviation),
        "about": row.about,
        "times": row.times,
        "last_at": format_datetime(row.last_at),
        "example": row.example,
    }


def suspend(platform: Platform) -> None:
    """End the registration until the platform registers anew; what the hub holds of it stays."""
    with audited("suspended", platform.name):
        disconnect(platform, status=ConnectionStatus.SUSPENDED)


def resume(platform: Platform) -> Invitation:
    """Issue a token A to a platform that was suspended."""
    if platform.status != ConnectionStatus.SUSPENDED:
        raise NotPossible(f"{platform.name} is {platform.status}, not SUSPENDED")
    return invite(platform.name, roles=(), reset=True)


def former_tokens(platform: Platform) -> CredentialsQuerySet:
    """Select tokens that are still good but on their way out: a token A, and those replaced."""
    inbound = Credentials.objects.inbound(platform)
    final = inbound.filter(kind=TokenKind.C, provisional=False).order_by("-pk").values("pk")
    return inbound.filter(Q(kind=TokenKind.A) | Q(kind=TokenKind.C, pk__lt=Subquery(final[:1])))


@transaction.atomic
def revoke_former(platform: Platform) -> list[str]:
    """Revoke the former tokens and return their last four characters; the one in force stays."""
    with audited("revoked tokens", platform.name):
        found = former_tokens(platform).select_for_update(no_key=True)
        endings = sorted(found.values_list("last_four", flat=True))
        found.revoke()
        platform.credentials.update(
            replaces=None
        )  # nor is one of them good once more, to ask for its successor
    return endings


def try_again(platform: Platform) -> None:
    """End the pause after failures and close the circuit; a ping follows within seconds."""
    now = timezone.now()
    Platform.objects.filter(pk=platform.pk).update(
        failures=0, next_attempt_at=None, unanswered=0, circuit_until=None, doubted_at=now
    )
    directory.health_changed(platform.pk)
    record("tries again", platform)
    platform.refresh_from_db()


@transaction.atomic
def delete_platform(platform: Platform) -> None:
    """Delete a platform with its parties, tokens and agreements."""
    with audited("forgot", platform.name):
        announce(platform_removed, Platform, platform_id=platform.pk)
        platform.delete()


@transaction.atomic
def reencrypt() -> int:
    """Seal every outbound token, and every seed of a second factor, with the newest key."""
    sealed = Credentials.objects.select_for_update(no_key=True).exclude(sealed="")
    for row in sealed:
        row.sealed = tokens.reseal(row.sealed)
        row.save(update_fields=["sealed"])
    number = len(sealed) + second_factor.reencrypt()
    record("sealed with the newest key", f"{number} tokens", kind="parties.Credentials")
    return number
