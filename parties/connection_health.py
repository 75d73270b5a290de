"""Connection health: what attempts to reach a platform, and its own calls, say of its connection.

Spec: 2.2.1 mod_hub_client_info (still alive check); A-117 in docs/ambiguities.md. Any
authenticated call, and any OCPI answer, shows that the platform is there. Two attempts in a row
that find nobody make it OFFLINE; several that fail within one pause are one incident: twenty
messages that time out at once are one failure and a pause of two seconds, not twenty failures and a
pause of five minutes. A platform that refuses the hub's token is OFFLINE at once, and its own calls
prove nothing: operators see an alarm until it accepts the token again. A pause that a platform asks
for is no failure, and lasts to its end, but five minutes at most.
"""

import logging
import random
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ocpi.types import one_line
from parties import directory
from parties.connection_status import ConnectionStatus, IllegalTransition
from parties.models import Platform
from parties.signals import announce, platform_heard_again

log = logging.getLogger(__name__)

FAILURES_TO_OFFLINE: Final = 2
"""Attempts in a row that find nobody, each outside the pause of the one before."""
LONGEST_ERROR: Final = 2000
"""Characters kept of the last error."""
SILENT_FOR: Final = timedelta(minutes=10)
"""A platform that was not heard of for so long may have called a hub that was down itself."""
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 300.0
_THROTTLED_SECONDS = 10.0
"""The pause after a 429 without `Retry-After`."""
_SEEN_SECONDS = 30.0
"""A platform that calls all the time is noted as seen so often, not with each call."""


def seen_every() -> timedelta:
    """Return how often a busy platform is noted as seen: often enough not to be pinged."""
    return timedelta(seconds=min(_SEEN_SECONDS, settings.HUB_IDLE_SECONDS / 2))


def is_unseen(last_seen_at: datetime | None) -> bool:
    """Return whether it is time to note again that a platform was seen."""
    return last_seen_at is None or last_seen_at < timezone.now() - seen_every()


def called(platform_id: int) -> None:
    """Note an authenticated call: the platform is back, unless it refuses the hub's token."""
    platform = Platform.objects.filter(pk=platform_id)
    sound = platform.filter(alarm="")  # it does not refuse the hub's token
    was_away = sound.filter(_away()).exists()
    # A pause without failures is one the platform asked for: it goes on.
    sound.filter(failures__gt=0).update(failures=0, unreachable=0, next_attempt_at=None)
    platform.update(last_seen_at=timezone.now())
    _move(sound.first(), ConnectionStatus.CONNECTED, only_from=ConnectionStatus.OFFLINE)
    directory.health_changed(platform_id)
    if was_away:
        heard_again(platform_id)


def answered(platform_id: int, *, delivered: bool = False) -> None:
    """Note that the platform answered the hub, whose token is good there.

    The answer ends a back-off of a platform that could not be reached. Where it was reached and
    failed all the same (its endpoint says 500, while it answers pings), only a message that was
    `delivered` does.
    """
    platform = Platform.objects.filter(pk=platform_id)
    was_away, backs_off = platform.filter(_away()).exists(), Q(failures__gt=0)
    if not delivered:
        backs_off &= Q(unreachable__gt=0) | Q(status=ConnectionStatus.OFFLINE.value)
    platform.filter(backs_off).update(failures=0, next_attempt_at=None)
    platform.update(last_seen_at=timezone.now(), unreachable=0, alarm="", alarm_at=None)
    _move(platform.first(), ConnectionStatus.CONNECTED, only_from=ConnectionStatus.OFFLINE)
    directory.health_changed(platform_id)
    if was_away:
        heard_again(platform_id)


def heard_again(platform_id: int) -> None:
    """Announce that a platform is there again: what it could not send meanwhile is read from it."""
    announce(platform_heard_again, Platform, platform_id=platform_id)


def _away() -> Q:
    """Select a platform that was not reached lately, or not heard of for longer than two pings."""
    silence = max(SILENT_FOR, timedelta(seconds=2 * settings.HUB_IDLE_SECONDS))
    return Q(unreachable__gt=0) | Q(last_seen_at__lt=timezone.now() - silence)


@transaction.atomic
def failed(
    platform_id: int, reason: str, *, answered: bool = False, retry_after: float | None = None
) -> None:
    """Let the platform back off, longer each time, with jitter; one that nobody reaches is OFFLINE.

    `answered`: an answer came, so it was reached, though the attempt failed. `retry_after`: the
    pause in seconds that it asked for, with a 503, say; that is kept instead of a back-off.
    """
    platform = Platform.objects.select_for_update(no_key=True).filter(pk=platform_id).first()
    if platform is None:
        return
    now = timezone.now()
    if platform.unreachable and answered:
        heard_again(platform_id)
    platform.last_error, platform.last_error_at = one_line(reason, longest=LONGEST_ERROR), now
    if not _is_same_incident(platform, now):
        platform.failures += 1
        platform.unreachable = 0 if answered else platform.unreachable + 1
        platform.next_attempt_at = now + timedelta(seconds=_pause(platform.failures))
    if retry_after:
        platform.failures = platform.unreachable = 0
        platform.next_attempt_at = _end_of_asked_pause(retry_after)
    platform.save(
        update_fields=["last_error", "last_error_at", "failures", "unreachable", "next_attempt_at"]
    )
    directory.health_changed(platform_id)
    if platform.unreachable >= FAILURES_TO_OFFLINE and not answered:
        _move(platform, ConnectionStatus.OFFLINE, only_from=ConnectionStatus.CONNECTED)


def throttled(platform_id: int, retry_after: float | None) -> None:
    """Send nothing to a platform that answers 429, for as long as it says, at most five minutes."""
    until = _end_of_asked_pause(_THROTTLED_SECONDS if retry_after is None else retry_after)
    platform = Platform.objects.filter(pk=platform_id)
    if platform.filter(unreachable__gt=0).exists():
        heard_again(platform_id)
    platform.update(failures=0, unreachable=0, next_attempt_at=until)
    directory.health_changed(platform_id)


def doubt(platform_id: int) -> None:
    """Have a platform pinged soon: a message met a 401 or 403, or no answer at all.

    Whether it refuses the hub's token (`refused`) is decided by the answer to that ping.
    """
    Platform.objects.filter(pk=platform_id).update(doubted_at=timezone.now())


def refused(platform_id: int, reason: str) -> None:
    """Raise the alarm for a platform that refuses the hub's token in a ping; it is OFFLINE."""
    failed(platform_id, reason, answered=True)
    platform = Platform.objects.filter(pk=platform_id)
    if platform.filter(alarm="").update(alarm=reason, alarm_at=timezone.now()):
        log.error("alarm: %s: %s", platform.values_list("name", flat=True).first(), reason)
    _move(platform.first(), ConnectionStatus.OFFLINE, only_from=ConnectionStatus.CONNECTED)


def _is_same_incident(platform: Platform, now: datetime) -> bool:
    """Return whether a pause lasts: an attempt that fails now began before that pause."""
    return platform.next_attempt_at is not None and platform.next_attempt_at > now


def _end_of_asked_pause(seconds: float) -> datetime:
    seconds = min(max(seconds, _pause(failures=1)), _LONGEST_PAUSE_SECONDS)
    return timezone.now() + timedelta(seconds=seconds)


def _pause(failures: int) -> float:
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** (min(failures, 10) - 1), _LONGEST_PAUSE_SECONDS)
    return float(longest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


def _move(
    platform: Platform | None, status: ConnectionStatus, *, only_from: ConnectionStatus
) -> None:
    if platform is None or platform.status != only_from:
        return
    try:
        platform.move_to(status)
    except IllegalTransition:  # somebody moved it first
        return
