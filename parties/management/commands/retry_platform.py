"""`manage.py retry_platform`: try a platform again at once."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.management.command import OperatorCommand
from parties.operations import describe, find_platform, try_again


class Command(OperatorCommand[dict[str, Any]]):
    """Ends its pause and closes its circuit; beat pings it within seconds."""

    help = "Try a platform again at once that failed: its pause is over and its circuit closed."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name."""
        parser.add_argument("name", metavar="NAME")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """End pause and circuit."""
        platform = find_platform(options.name)
        try_again(platform)
        return describe(platform)

    def show(self, result: dict[str, Any]) -> None:
        """Say what happens now."""
        self.stdout.write(f"{result['name']} is asked within seconds whether it is there.")
