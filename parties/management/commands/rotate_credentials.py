"""`manage.py rotate_credentials`: renew the tokens of both directions."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.management.command import OperatorCommand
from parties.operations import describe, find_platform
from parties.registration.outbound import renew_tokens


class Command(OperatorCommand[dict[str, Any]]):
    """Renews by PUT; the old tokens stay good until the platform has answered."""

    help = "Renew the credentials tokens of a registered platform."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name."""
        parser.add_argument("name", metavar="NAME")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Rotate."""
        platform = find_platform(options.name)
        renew_tokens(platform)
        return describe(platform)

    def show(self, result: dict[str, Any]) -> None:
        """Say that it is done."""
        self.stdout.write(f"{result['name']} has new tokens in both directions.")
