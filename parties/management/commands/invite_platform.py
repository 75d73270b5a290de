"""`manage.py invite_platform`: issue a token A, so that a platform can register with the hub."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.management.command import OperatorCommand, add_platform_arguments
from parties.registration import invitation_letter
from parties.registration.invitation import AllowedRole, invite


class Command(OperatorCommand[dict[str, Any]]):
    """Prints the token once; the hub keeps only its hash."""

    help = "Prepare a platform and print its token A, with instructions for its engineers."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's description."""
        add_platform_arguments(parser)
        parser.add_argument(
            "--reset", action="store_true", help="end an existing registration first"
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Invite."""
        roles = [AllowedRole.parse(text) for text in options.role]
        return invitation_letter.describe(
            invite(options.name, roles=roles, quirks=options.quirk, reset=options.reset)
        )

    def show(self, result: dict[str, Any]) -> None:
        """Say what to hand over."""
        self.stdout.write(f"{result['platform']} may register {', '.join(result['parties'])}.")
        self.stdout.write("Send this to the platform in a safe way; the token is shown only now:")
        self.stdout.write(f"\n{result['instructions']}")
        self.stdout.write(f"manage.py onboarding {result['platform']!r} shows how far it is.")
