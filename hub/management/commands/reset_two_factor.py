"""`manage.py reset_two_factor`: let somebody in who lost telephone and recovery codes."""

from argparse import Namespace
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from operators import second_factor
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Takes the second factor of a user away; the password remains."""

    help = "Take the second factor of a user away; the next log-in needs the password alone."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the account."""
        parser.add_argument("user", metavar="USER")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Reset it."""
        user = User.objects.filter(username=options.user).first()
        if user is None:
            raise CommandError(f"there is no user {options.user}")
        return {"user": user.username, "had_one": second_factor.reset(user)}

    def show(self, result: dict[str, Any]) -> None:
        """Say whether there was one."""
        said = "has no second factor any more" if result["had_one"] else "had no second factor"
        self.stdout.write(f"{result['user']} {said}.")
