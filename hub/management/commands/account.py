"""`manage.py account`: who may use the console, and as what."""

from argparse import BooleanOptionalAction, Namespace
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from operators import sessions
from operators.audit import record
from operators.groups import Role
from operators.login_events import Event
from operators.models import ConsoleSession, Identity
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Makes an account, or changes one; its password is the business of `changepassword`."""

    help = "Show an account of the console, or change it: account nora --group support."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add which account, and what to change."""
        parser.add_argument("user", metavar="USER")
        groups = [role.group for role in Role]
        parser.add_argument(
            "--group", choices=groups, help="instead of all others; of a new user too"
        )
        parser.add_argument(
            "--active", action=BooleanOptionalAction, default=None, help="whether it may log in"
        )

        parser.add_argument(
            "--end-sessions", action="store_true", help="log it out of the console, everywhere"
        )
        parser.add_argument(
            "--unlink", action="store_true", help="from its person at the identity provider"
        )

    @transaction.atomic
    def perform(self, options: Namespace) -> dict[str, Any]:
        """Make or change it."""
        user = User.objects.filter(username=options.user).first() or _made(options)
        if options.group:
            user.groups.set(Group.objects.filter(name=options.group))
            user.is_superuser = False  # else the group would mean nothing
            user.save(update_fields=["is_superuser"])
        if options.active is not None:
            user.is_active = options.active
            user.save(update_fields=["is_active"])
        done = _shown(user)
        unlinked = options.unlink and Identity.objects.filter(user=user).delete()[0]
        if unlinked:
            record(Event.UNLINKED, user)
        if options.end_sessions or unlinked:  # an open session would still be that person's
            done["sessions_ended"] = sessions.end(ConsoleSession.objects.filter(user=user))
            record(Event.ENDED_SESSIONS, user)
        return done | _linked(user, options)

    def show(self, result: dict[str, Any]) -> None:
        """Say what it is now, and what it lacks."""
        state = "" if result["active"] else ", may not log in"
        self.stdout.write(f"{result['user']}: {result['group'] or 'in no group'}{state}")
        if result.get("identity"):
            self.stdout.write(f"It is linked to {result['identity']} of the identity provider.")
        if "sessions_ended" in result:
            self.stdout.write(f"{result['sessions_ended']} sessions are ended.")
        if not result["has_password"]:
            self.stdout.write(f"It has no password yet: manage.py changepassword {result['user']}")


def _shown(user: User) -> dict[str, Any]:
    return {
        "user": user.username,
        "group": ", ".join(user.groups.order_by("name").values_list("name", flat=True)),
        "active": user.is_active,
        "has_password": user.has_usable_password(),
    }


def _linked(user: User, options: Namespace) -> dict[str, Any]:
    """Return who it is for the identity provider, where that matters."""
    linked = Identity.objects.filter(user=user).first()
    return {"identity": linked.subject if linked else ""} if linked or options.unlink else {}


def _made(options: Namespace) -> User:
    if not options.group:
        raise CommandError(f"there is no user {options.user}: name a group to make one")
    return User.objects.create_user(options.user, is_staff=True)
