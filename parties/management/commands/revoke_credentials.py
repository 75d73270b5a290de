"""`manage.py revoke_credentials`: end tokens that should not be good any more."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.management.command import OperatorCommand
from parties.operations import find_platform, revoke_former


class Command(OperatorCommand[dict[str, Any]]):
    """Leaves the token in force; suspend_platform ends that one too."""

    help = "Revoke a platform's unused token A, and former tokens a rotation left good."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name."""
        parser.add_argument("name", metavar="NAME")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Revoke."""
        platform = find_platform(options.name)
        return {"name": platform.name, "revoked": revoke_former(platform)}

    def show(self, result: dict[str, Any]) -> None:
        """Name them by their last four."""
        endings = ", ".join(f"…{ending}" for ending in result["revoked"])
        self.stdout.write(f"{result['name']}: revoked {endings or 'nothing'}.")
