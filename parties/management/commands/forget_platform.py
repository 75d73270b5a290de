"""`manage.py forget_platform`: remove a platform with everything that hangs on it."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandError, CommandParser

from parties.connecting import say_goodbye
from parties.management.command import OperatorCommand
from parties.overview import find, forget


class Command(OperatorCommand[dict[str, Any]]):
    """Ends the registration at the other side too, if it can be reached."""

    help = "Remove a platform, its parties, tokens and agreements."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name and the confirmation."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--yes", action="store_true", help="confirm: this cannot be undone")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Forget."""
        platform = find(options.name)
        if not options.yes:
            message = (
                f"this removes {platform.name} with its parties and agreements; confirm with --yes"
            )
            raise CommandError(message)
        say_goodbye(platform)
        forget(platform)
        return {"forgotten": options.name}

    def tell(self, result: dict[str, Any]) -> None:
        """Say that it is gone."""
        self.stdout.write(f"{result['forgotten']} is forgotten.")
