"""Log-ins, failures, second factors and ended sessions, as entries of the audit.

OWASP ASVS 7.1, 7.2. Anybody can fail to log in as often as they like, so failures do not get a row
each: those of one kind, account and network within an hour are one row, with how many they are. If
an hour has MOST_FAILURES_AN_HOUR rows of strangers already (an attacker tries many accounts, from
many networks), all further ones of a kind are one row. A name that no account has is never written
down: people type passwords into the wrong field.
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
from operators.client_ip import address_of, network_of
from operators.models import Change

log = logging.getLogger(__name__)

MOST_FAILURES_AN_HOUR = 500
"""Rows of the audit that failures of strangers, of all kinds, may make in an hour."""
STRANGER = "stranger"
"""The actor while that is not known: everybody, until the right password is given."""
UNKNOWN = "an account that is not there"
_OTHER_ACCOUNTS = "others"
_USER_KIND = "auth.User"
_HOUR, _DAY = timedelta(hours=1), timedelta(hours=24)


class Event(StrEnum):
    """The events, in the words of the audit."""

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


_FAILURES = frozenset(
    {
        *(Event.LOG_IN_FAILED, Event.PROVIDER_REFUSED, Event.LOCKED_OUT),
        *(Event.WRONG_PASSWORD, Event.WRONG_CODE, Event.DENIED),
    }
)
_LOG_INS = (Event.LOGGED_IN, Event.LOGGED_IN_BY_PROVIDER)
_SHOWN_AT_LOG_IN = (
    *(Event.LOG_IN_FAILED, Event.LOCKED_OUT, Event.WRONG_PASSWORD, Event.WRONG_CODE),
    *(Event.ENROLLED, Event.MADE_CODES, Event.RESET_FACTOR, Event.USED_RECOVERY_CODE, "changed"),
)


def record_event(event: Event, user: User, request: HttpRequest, **after: object) -> None:
    """Record an event of a user who is logged in, or who just gave the right password."""
    record(event, user, after=after or None, by=_actor(user.get_username(), request))


def record_failure(
    event: Event, user: User | None, request: HttpRequest, *, by_user: bool = False
) -> None:
    """Record a failure, or count it with others like it.

    `user` is the account in question. Only behind the right password is it known to be `by_user`;
    before that it was a stranger.
    """
    subject = user.get_username() if user is not None else UNKNOWN
    who = subject if by_user else STRANGER
    log.warning("%s: %s of %s", who, event, subject)
    by = _actor(who, request)
    recent = Change.objects.filter(at__gte=timezone.now() - _HOUR, action__in=_FAILURES)
    same = recent.filter(action=event, who=who, subject=subject, address=by.address)
    if _add_one(same):
        return
    if by_user or recent.filter(who=STRANGER).count() < MOST_FAILURES_AN_HOUR:
        record(event, user if user is not None else UNKNOWN, by=by, kind=_USER_KIND)
    elif not _add_one(recent.filter(action=event, subject=_OTHER_ACCOUNTS)):
        record(event, _OTHER_ACCOUNTS, by=Actor(STRANGER, Channel.CONSOLE), kind=_USER_KIND)


def failures_of_last_day() -> int:
    """Count the failures of the last 24 hours."""
    recent = Change.objects.filter(at__gte=timezone.now() - _DAY, action__in=_FAILURES)
    return int(recent.aggregate(times=Sum("times"))["times"] or 0)


def since_last_log_in(user: User) -> str:
    """Say when a user last logged in and what happened to the account since; "" the first time."""
    of_user = Change.objects.filter(kind=_USER_KIND, object_id=str(user.pk))
    last = of_user.filter(action__in=_LOG_INS).order_by("-id").first()
    if last is None:
        return ""
    parts = [f"Last log-in: {last.at:%Y-%m-%d %H:%M} UTC from {last.address or 'nowhere'}"]
    counts = of_user.filter(id__gt=last.pk, action__in=_SHOWN_AT_LOG_IN).values_list("action")
    parts += [
        f"{action} ({number} times)" for action, number in counts.annotate(Sum("times")).order_by()
    ]
    return "; ".join(parts) + "."


def prune() -> int:
    """Delete events older than HUB_AUDIT_LOGIN_DAYS; changes of the configuration are kept."""
    oldest = timezone.now() - timedelta(days=settings.HUB_AUDIT_LOGIN_DAYS)
    return Change.objects.filter(action__in=list(Event), at__lt=oldest).delete()[0]


def _add_one(rows: QuerySet[Change]) -> bool:
    """Count once more in the newest of some rows; False if there is none."""
    newest = rows.order_by("-id").values("pk")[:1]
    return bool(Change.objects.filter(pk__in=newest).update(times=F("times") + 1))


def _actor(who: str, request: HttpRequest) -> Actor:
    """Name who did it and from where; of a stranger the network, as an attacker has a whole /64."""
    address = address_of(request)
    doing = f"{request.method} {request.path}"
    if who == STRANGER:
        address = network_of(address) if address else None
    return Actor(who, Channel.CONSOLE, address, doing)
