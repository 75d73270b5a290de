"""Sessions of the console: a session engine for Django that knows whose each is and when it ends.

OWASP ASVS 3.2, 3.3. A session ends some minutes after it was last used, some hours after the log-in
whatever is done in it, and at once when somebody ends it, or when its user gets another password,
other rights or none. A page that refreshes itself does not use its session.
"""

import hashlib
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from operators.actor import actor
from operators.client_ip import address_of
from operators.models import LONGEST_BROWSER, ConsoleSession

MOST_MINUTES_OF_STRANGERS = 10
"""Minutes that a session lasts in which nobody has logged in."""
_REFRESH_HEADER = "X-Console-Refresh"
"""Scripts of the console send it with requests that nobody asked for."""
_TOUCHED_EVERY = timedelta(minutes=1)
_ORIGIN = "console_place"
"""The key of a session's data for when and where it began."""
_WATCHED = ("password", "is_active", "is_staff", "is_superuser")
"""The fields of an account whose change ends its sessions."""
_BEFORE = "_session_facts_before"
"""The attribute of an account that is being saved for what these were."""


def hashed(key: str | None) -> str:
    """Return the hash as which a session's id is stored."""
    return hashlib.blake2b((key or "").encode(), digest_size=20).hexdigest()


class SessionStore(DatabaseStore):
    """Django's store of sessions, but ids are stored as hashes and idle sessions are not found."""

    row: ConsoleSession | None = None

    @classmethod
    def get_model_class(cls) -> type[ConsoleSession]:
        """Return the model."""
        return ConsoleSession

    def _get_session_from_db(self) -> ConsoleSession | None:
        self.row = alive().filter(session_key=hashed(self.session_key)).first()
        if self.row is None:
            self._session_key = None
        return self.row

    def exists(self, session_key: str) -> bool:
        """Return whether an id is taken."""
        return ConsoleSession.objects.filter(session_key=hashed(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        """End a session."""
        ConsoleSession.objects.filter(session_key=hashed(session_key or self.session_key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> ConsoleSession:
        """Make the row: the data, and what operators see of a session."""
        user, origin, now = data.get(SESSION_KEY), data.get(_ORIGIN, {}), timezone.now()
        since = datetime.fromisoformat(origin["since"]) if "since" in origin else now
        lasts = (
            timedelta(hours=settings.HUB_CONSOLE_HOURS)
            if user
            else timedelta(minutes=MOST_MINUTES_OF_STRANGERS)
        )
        return ConsoleSession(
            session_key=hashed(self._get_or_create_session_key()),  # type: ignore[attr-defined] # Django's own
            session_data=self.encode(data),
            expire_date=since + lasts,
            user_id=int(user) if user else None,
            since=since,
            seen=now,
            address=origin.get("address"),
            browser=origin.get("browser", ""),
        )


def is_logged_in(cookie: str) -> bool:
    """Return whether a Cookie header brings the session of somebody who is logged in."""
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    return morsel is not None and SESSION_KEY in SessionStore(morsel.value)


def alive() -> QuerySet[ConsoleSession]:
    """Return the sessions that are neither over nor idle."""
    now = timezone.now()
    idle = timedelta(minutes=settings.HUB_CONSOLE_IDLE_MINUTES)
    return ConsoleSession.objects.filter(expire_date__gt=now, seen__gt=now - idle)


def begin(request: HttpRequest) -> None:
    """Note in a new session when and where it begins."""
    request.session[_ORIGIN] = {
        "since": timezone.now().isoformat(),
        "address": address_of(request),
        "browser": request.headers.get("User-Agent", "")[:LONGEST_BROWSER],
    }


def touch(request: HttpRequest) -> None:
    """Note that a session is used, at most once a minute."""
    row, now = getattr(request.session, "row", None), timezone.now()
    if row is None or now - row.seen < _TOUCHED_EVERY or _REFRESH_HEADER in request.headers:
        return
    ConsoleSession.objects.filter(pk=row.pk).update(seen=now, address=address_of(request))


def end(rows: QuerySet[ConsoleSession]) -> int:
    """End sessions; return how many."""
    return rows.delete()[1].get(ConsoleSession._meta.label, 0)  # noqa: SLF001 - a documented name of Django


def prune() -> int:
    """Remove the sessions that are over or idle; return how many."""
    return end(ConsoleSession.objects.exclude(pk__in=alive().values("pk")))


def remember(
    sender: type[Model], instance: User, update_fields: frozenset[str] | None = None, **_: object
) -> None:
    """Before an account is saved: keep its watched fields as they are, if they may change."""
    del sender
    if update_fields is None or not update_fields.isdisjoint(_WATCHED):
        rows = User.objects.filter(pk=instance.pk).values_list(*_WATCHED)
        setattr(instance, _BEFORE, rows.first())


def saved(sender: type[Model], instance: User, **_: object) -> None:
    """After that: if one differs, end the account's sessions, but for the one that changed it."""
    del sender
    before = instance.__dict__.pop(_BEFORE, None)
    if before is not None and before != tuple(getattr(instance, name) for name in _WATCHED):
        _end_elsewhere({instance.pk})


def groups_changed(
    sender: type[Model], instance: Model, action: str, pk_set: set[int] | None, **_: object
) -> None:
    """Do the same when groups are given or taken; single permissions take effect by themselves."""
    del sender
    if action in {"post_add", "post_remove", "pre_clear"}:
        if action != "pre_clear" and not pk_set:
            return
        _end_elsewhere({instance.pk} if isinstance(instance, User) else pk_set or set())


def group_to_be_deleted(sender: type[Model], instance: Group, **_: object) -> None:
    """Before a group is deleted: end the sessions of its members."""
    del sender
    _end_elsewhere(set(instance.user_set.values_list("pk", flat=True)))


def _end_elsewhere(users: set[int]) -> None:
    here = actor()
    end(ConsoleSession.objects.filter(user__in=users).exclude(pk=here.session if here else ""))
