"""Callbacks: requests whose results are still to come, with who asked whom and where results go.

Spec: 2.2.1 mod_commands, mod_charging_profiles; A-106, A-107, A-110. A callback's id is the last
path segment of the URL that the hub put in place of the requester's `response_url`.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from hub.models import Callback
from ocpi.errors import NotFound, TooManyRequests
from ocpi.types import ModuleID, PartyRef, fold

LONGEST_ABOUT = 255
_RETRY_AFTER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RequestSubject:
    """What a request is about: its kind, and the session or reservation it names, if any."""

    module: ModuleID
    kind: str
    about: str
    until: datetime | None = None


def awaited(reference: str, *, platform_id: int, module: ModuleID) -> Callback:
    """Return the callback a URL leads to; 404 to all but the platform that was asked (CMD-05)."""
    own = _lasting().filter(receiver_platform=platform_id, module=module)
    with suppress(ValueError):
        found = own.filter(pk=UUID(hex=reference)).first()
        if found is not None:
            return found
    text = "nothing that this platform was asked is waiting for a result at this URL"
    raise NotFound(f"{text}: use the response_url you were given, as it is and while it is good")


def about_key(about: str) -> str:
    """Return a session or reservation id as it is stored: folded, without NUL, cut at 255."""
    return fold(about)[:LONGEST_ABOUT].replace("\x00", "")


def expires_at(until: datetime | None) -> datetime:
    """Return until when results are accepted: some time after a reservation ends (CMD-09).

    A reservation counts for `HUB_RESERVATION_DAYS` at most, however far off its expiry date is.
    """
    now = timezone.now()
    end = min(max(now, until or now), now + timedelta(days=settings.HUB_RESERVATION_DAYS))
    return end + timedelta(hours=settings.HUB_CALLBACK_HOURS)


def check_limit(platform_id: int) -> None:
    """Refuse a request for results of a platform that has `HUB_CALLBACKS_PER_PLATFORM` open."""
    most: int = settings.HUB_CALLBACKS_PER_PLATFORM
    its_own = _lasting().filter(sender_platform=platform_id)
    if its_own.values("pk")[: most + 1].count() >= most:
        text = f"{most:,} requests of this platform can still get results, more are not kept"
        raise TooManyRequests(
            f"{text}; wait until some of them end", retry_after=_RETRY_AFTER_SECONDS
        )


def note_result(callback: Callback) -> None:
    """Count a result that came."""
    Callback.objects.filter(pk=callback.pk).update(results=F("results") + 1)


def note_accepted(callback: Callback) -> None:
    """Note that the receiver answered ACCEPTED."""
    Callback.objects.filter(pk=callback.pk).update(is_accepted=True)


@dataclass(frozen=True, slots=True)
class PartyAtPlatform:
    """A party, and the platform it was at when a request was made."""

    ref: PartyRef
    platform_id: int


def receivers_asked(
    earlier: RequestSubject, *, sender: PartyRef, platform_id: int
) -> set[PartyAtPlatform]:
    """Return the receivers of a party's earlier request, such as a reservation (CMD-18).

    Those that accepted it; when none is known to have, all of them: an ACCEPTED may have been lost.
    Other parties' requests with the same id do not count.
    """
    own = _like(earlier).filter(sender=str(sender), sender_platform=platform_id)
    asked = list(own.values_list("receiver", "receiver_platform", "is_accepted"))
    sure = {(key, at) for key, at, is_accepted in asked if is_accepted}
    found = sure or {(key, at) for key, at, _ in asked}
    return {PartyAtPlatform(PartyRef.parse(key), at) for key, at in found}


def accepted_lately(session_id: str, *, receiver: PartyRef, platform_id: int) -> bool:
    """Whether a receiver accepted a profile of this session within `HUB_PROFILE_SECONDS` (CP-15).

    Requests that it refused or never got do not count.
    """
    since = timezone.now() - timedelta(seconds=settings.HUB_PROFILE_SECONDS)
    done = Callback.objects.filter(about=about_key(session_id), is_accepted=True)
    lately = done.filter(module=ModuleID.CHARGINGPROFILES, created_at__gt=since)
    return lately.filter(receiver=str(receiver), receiver_platform=platform_id).exists()


def last_asker(
    earlier: RequestSubject, *, receiver: PartyRef, platform_id: int
) -> PartyAtPlatform | None:
    """Return who made the last request that was accepted: its profile is in force (CP-09)."""
    asked = _like(earlier).filter(receiver=str(receiver), receiver_platform=platform_id)
    last = asked.filter(is_accepted=True).order_by("-created_at").first()
    return PartyAtPlatform(PartyRef.parse(last.sender), last.sender_platform_id) if last else None


def forget_expired() -> int:
    """Delete callbacks that accept no more results; returns how many."""
    return Callback.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _like(subject: RequestSubject) -> QuerySet[Callback]:
    return _lasting().filter(
        about=about_key(subject.about), module=subject.module, kind=subject.kind
    )


def _lasting() -> QuerySet[Callback]:
    return Callback.objects.filter(expires_at__gt=timezone.now())
