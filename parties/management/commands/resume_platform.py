"""`manage.py resume_platform`: let a suspended platform register again."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties import instructions
from parties.management.commands import invite_platform
from parties.overview import find, resume


class Command(invite_platform.Command):
    """Prints a new token A: nothing of the former registration is good any more."""

    help = "Issue a token A to a suspended platform; it is connected once it has registered."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name."""
        parser.add_argument("name", metavar="NAME")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Resume."""
        return instructions.describe(resume(find(options.name)))
