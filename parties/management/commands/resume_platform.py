"""`manage.py resume_platform`: let a suspended platform register again."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.management.commands import invite_platform
from parties.operations import find_platform, resume
from parties.registration import invitation_letter


class Command(invite_platform.Command):
    """Prints a new token A: nothing of the former registration is good any more."""

    help = "Issue a token A to a suspended platform; it is connected once it has registered."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name."""
        parser.add_argument("name", metavar="NAME")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Resume."""
        return invitation_letter.describe(resume(find_platform(options.name)))
