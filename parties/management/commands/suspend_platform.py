"""`manage.py suspend_platform`: stop everything from and to a platform."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandError, CommandParser

from parties.management.command import OperatorCommand
from parties.operations import describe, find_platform, suspend


class Command(OperatorCommand[dict[str, Any]]):
    """Ends the registration; what the hub holds of the platform stays."""

    help = "Suspend a platform: no token works any more, and nothing is sent to it."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name and the confirmation."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--yes", action="store_true", help="confirm: only a new registration undoes it"
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Suspend."""
        platform = find_platform(options.name)
        if not options.yes:
            message = (
                f"this ends the registration of {platform.name}; confirm with --yes,"
                " resume_platform invites it again"
            )
            raise CommandError(message)
        suspend(platform)
        return describe(platform)

    def show(self, result: dict[str, Any]) -> None:
        """Say that it is done."""
        self.stdout.write(f"{result['name']} is {result['status']}.")
