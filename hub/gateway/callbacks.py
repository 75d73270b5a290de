"""Requests whose results are still to come: who asked whom about what, and where results go.

Spec: 2.2.1 mod_commands, mod_charging_profiles; A-106, A-107, A-110. A callback's id is the last
step of the URL that the party which was asked got instead of the asker's own.
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
_WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RequestSubject:
    """What a request was about: its kind, and the session or reservation it names, if any."""

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
    raise NotFound("nothing that this platform was asked is waiting for a result at this URL")


def about_key(about: str) -> str:
    """Return how a session or reservation id is kept: folded, and no longer than ids are."""
    return fold(about)[:LONGEST_ABOUT].replace("\x00", "")


def expiry(until: datetime | None) -> datetime:
    """Return until when results are accepted: a reservation's end is not the end (CMD-09).

    Of one that ends in years only `HUB_RESERVATION_DAYS` count: it is passed on as it is.
    """
    now = timezone.now()
    end = min(max(now, until or now), now + timedelta(days=settings.HUB_RESERVATION_DAYS))
    return end + timedelta(hours=settings.HUB_CALLBACK_HOURS)


def check_number(platform_id: int) -> None:
    """Refuse a request for results while as many as a platform may have are open."""
    most: int = settings.HUB_CALLBACKS_PER_PLATFORM
    its_own = _lasting().filter(sender_platform=platform_id)
    if its_own.values("pk")[: most + 1].count() >= most:
        text = f"{most:,} requests of this platform can still get results, more are not kept"
        raise TooManyRequests(f"{text}; wait until some of them end", retry_after=_WAIT_SECONDS)


def note_result(callback: Callback) -> None:
    """Count a result that came."""
    Callback.objects.filter(pk=callback.pk).update(results=F("results") + 1)


def note_accepted(callback: Callback) -> None:
    """Note that the party that was asked said yes."""
    Callback.objects.filter(pk=callback.pk).update(is_accepted=True)


@dataclass(frozen=True, slots=True)
class Registered:
    """A party at the platform where it was when a request was made."""

    ref: PartyRef
    platform_id: int


def asked_by(earlier: RequestSubject, *, sender: PartyRef, platform_id: int) -> set[Registered]:
    """Return whom a party asked for something, such as a reservation; others' are theirs (CMD-18).

    Where nobody is known to have accepted it, an answer that was lost may have said so.
    """
    own = _like(earlier).filter(sender=str(sender), sender_platform=platform_id)
    asked = list(own.values_list("receiver", "receiver_platform", "is_accepted"))
    sure = {(key, at) for key, at, is_accepted in asked if is_accepted}
    found = sure or {(key, at) for key, at, _ in asked}
    return {Registered(PartyRef.parse(key), at) for key, at in found}


def asked_lately(session_id: str, *, receiver: PartyRef, platform_id: int) -> bool:
    """Whether a receiver that just did as asked is to be spared another request (CP-15).

    What it refused, or never heard, keeps nobody from asking.
    """
    since = timezone.now() - timedelta(seconds=settings.HUB_PROFILE_SECONDS)
    done = Callback.objects.filter(about=about_key(session_id), is_accepted=True)
    lately = done.filter(module=ModuleID.CHARGINGPROFILES, created_at__gt=since)
    return lately.filter(receiver=str(receiver), receiver_platform=platform_id).exists()


def asker_of(earlier: RequestSubject, *, receiver: PartyRef, platform_id: int) -> Registered | None:
    """Return who last asked for what the receiver accepted: a profile, which holds (CP-09)."""
    asked = _like(earlier).filter(receiver=str(receiver), receiver_platform=platform_id)
    last = asked.filter(is_accepted=True).order_by("-created_at").first()
    return Registered(PartyRef.parse(last.sender), last.sender_platform_id) if last else None


def forget_expired() -> int:
    """Delete what no result is accepted for any more; returns how many that were."""
    return Callback.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _like(subject: RequestSubject) -> QuerySet[Callback]:
    return _lasting().filter(
        about=about_key(subject.about), module=subject.module, kind=subject.kind
    )


def _lasting() -> QuerySet[Callback]:
    return Callback.objects.filter(expires_at__gt=timezone.now())
