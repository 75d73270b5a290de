"""What happens at the console's door, written into the audit: log-ins, failures, codes, sessions.

OWASP ASVS 7.1, 7.2. What strangers can repeat at will is a row with a number for each hour, account
and network; and beyond so many rows an hour one row for all the rest of strangers. A name that no
account has is never written down: people type passwords into the wrong field.
"""

import logging
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from operators.actor import Actor, Channel
from operators.audit import record
from operators.client_ip import address_of, subscriber
from operators.models import Change

log = logging.getLogger(__name__)

MOST_FAILURES_AN_HOUR = 500
"""Rows of the audit that strangers' failures of all kinds may make in an hour."""
STRANGER = "stranger"
UNKNOWN = "an account that is not there"
_OTHERS = "others"
_KIND = "auth.User"
_HOUR, _DAY = timedelta(hours=1), timedelta(hours=24)


class Event(StrEnum):
    """What is written down."""

    LOGGED_IN = "logged in"
    LOGGED_IN_BY_PROVIDER = "logged in by OIDC"
    LOGGED_OUT = "logged out"
    LOG_IN_FAILED = "log-in failed"
    PROVIDER_REFUSED = "log-in by OIDC failed"
    LOCKED_OUT = "log-in refused: too many failures"
    WRONG_PASSWORD = "gave a wrong password"  # noqa: S105 - words
    GAVE_CODE = "gave a code"
    WRONG_CODE = "gave a wrong code"
    USED_RECOVERY_CODE = "used a recovery code"
    ENROLLED = "enrolled a second factor"
    MADE_CODES = "made recovery codes"
    RESET_FACTOR = "reset the second factor"
    ENDED_SESSIONS = "ended sessions"
    UNLOCKED = "unlocked the log-in"
    BROKE_GLASS = "allowed a password log-in"
    LINKED = "linked to the provider"
    UNLINKED = "unlinked from the provider"
    DENIED = "was denied a page"


def happened(event: Event, user: User, request: HttpRequest, **after: object) -> None:
    """Write down what a person did who is known."""
    record(event, user, after=after or None, by=_by(user.get_username(), request))


def failed(event: Event, user: User | None, request: HttpRequest, *, by_user: bool = False) -> None:
    """Count what went wrong; a known person is named as who did it only behind the password."""
    subject = user.get_username() if user is not None else UNKNOWN
    who = subject if by_user else STRANGER
    log.warning("%s: %s of %s", who, event, subject)
    by = _by(who, request)
    recent = Change.objects.filter(at__gte=timezone.now() - _HOUR, deed__in=_COUNTED)
    same = recent.filter(deed=event, who=who, subject=subject, address=by.address)
    if _counted_in(same):
        return
    if by_user or recent.filter(who=STRANGER).count() < MOST_FAILURES_AN_HOUR:
        record(event, user if user is not None else UNKNOWN, by=by, kind=_KIND)
    elif not _counted_in(recent.filter(deed=event, subject=_OTHERS)):
        record(event, _OTHERS, by=Actor(STRANGER, Channel.CONSOLE), kind=_KIND)


_COUNTED = frozenset(
    {
        *(Event.LOG_IN_FAILED, Event.PROVIDER_REFUSED, Event.LOCKED_OUT),
        *(Event.WRONG_PASSWORD, Event.WRONG_CODE, Event.DENIED),
    }
)


def failures_of_a_day() -> int:
    """Count what failed at the door in the last 24 hours."""
    recent = Change.objects.filter(at__gte=timezone.now() - _DAY, deed__in=_COUNTED)
    return int(recent.aggregate(times=Sum("times"))["times"] or 0)


def since_last_log_in(user: User) -> str:
    """Tell somebody who logs in when that was before, and what happened at the door meanwhile."""
    of_user = Change.objects.filter(kind=_KIND, object_id=str(user.pk))
    last = of_user.filter(deed__in=_LOG_INS).order_by("-id").first()
    if last is None:
        return ""
    told = [f"Last log-in: {last.at:%Y-%m-%d %H:%M} UTC from {last.address or 'nowhere'}"]
    counts = of_user.filter(id__gt=last.pk, deed__in=_WORTH_TELLING).values_list("deed")
    told += [
        f"{deed} ({number} times)" for deed, number in counts.annotate(Sum("times")).order_by()
    ]
    return "; ".join(told) + "."


_LOG_INS = (Event.LOGGED_IN, Event.LOGGED_IN_BY_PROVIDER)
_WORTH_TELLING = (
    *(Event.LOG_IN_FAILED, Event.LOCKED_OUT, Event.WRONG_PASSWORD, Event.WRONG_CODE),
    *(Event.ENROLLED, Event.MADE_CODES, Event.RESET_FACTOR, Event.USED_RECOVERY_CODE, "changed"),
)


def prune() -> int:
    """Remove the events that are too old; changes of the configuration stay."""
    oldest = timezone.now() - timedelta(days=settings.HUB_AUDIT_LOGIN_DAYS)
    return Change.objects.filter(deed__in=list(Event), at__lt=oldest).delete()[0]


def _counted_in(rows: QuerySet[Change]) -> bool:
    newest = rows.order_by("-id").values("pk")[:1]
    return bool(Change.objects.filter(pk__in=newest).update(times=F("times") + 1))


def _by(who: str, request: HttpRequest) -> Actor:
    """Name the network of who is only counted: an attacker has a whole /64."""
    address = address_of(request)
    doing = f"{request.method} {request.path}"
    if who == STRANGER:
        address = subscriber(address) if address else None
    return Actor(who, Channel.CONSOLE, address, doing)
