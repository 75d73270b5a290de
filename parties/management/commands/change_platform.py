"""`manage.py change_platform`: another name for a platform, other parties it may have."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.management.command import OperatorCommand
from parties.operations import find_platform
from parties.registration.invitation import AllowedRole, change


class Command(OperatorCommand[dict[str, Any]]):
    """Changes what is named; its registration and its tokens stay as they are."""

    help = "Rename a platform, or replace the list of parties it may register."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform and what to change."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--rename", metavar="NEW", default="", help="how to call it from now on"
        )
        parser.add_argument(
            "--role",
            action="append",
            default=[],
            metavar="ROLE:COUNTRY:PARTY",
            help="a party it may register, like CPO:NL:CPA; repeat for more;"
            " replaces the former list",
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Change it."""
        roles = [AllowedRole.parse(text) for text in options.role]
        platform = change(find_platform(options.name), roles=roles, rename=options.rename)
        parties = sorted(str(row) for row in platform.allowed_parties.all())
        return {"platform": platform.name, "parties": parties}

    def show(self, result: dict[str, Any]) -> None:
        """Say what it is now."""
        self.stdout.write(f"{result['platform']} may register {', '.join(result['parties'])}.")
