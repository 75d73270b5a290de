"""`manage.py break_glass`: a password log-in, where only the identity provider's is taken."""

from argparse import Namespace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from operators import break_glass
from operators.audit import record
from operators.login_events import Event
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Makes a link; name, password and second factor are asked for behind it."""

    help = "Let one account log in by its password, when the identity provider is out of reach."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the account."""
        parser.add_argument("user", metavar="USER")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Make the link."""
        user = User.objects.filter(username=options.user, is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options.user}")
        if not user.has_usable_password():
            raise CommandError(f"{options.user} has no password: manage.py changepassword first")
        path = reverse("break_glass", args=[break_glass.key_for(user)])
        record(Event.BROKE_GLASS, user)
        return {
            "user": user.username,
            "url": f"{settings.HUB_CONSOLE_URL}{path}",
            "minutes": break_glass.MOST_MINUTES_BROKEN,
        }

    def show(self, result: dict[str, Any]) -> None:
        """Print it."""
        self.stdout.write(
            f"For {result['minutes']} minutes, until its next log-in, {result['user']} may give"
            f" its password behind this link:\n{result['url']}"
        )
