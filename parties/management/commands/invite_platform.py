"""`manage.py invite_platform`: issue a token A, so that a platform can register with the hub."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.announcement import versions_url
from parties.invitation import AllowedRole, invite
from parties.management.command import OperatorCommand, add_platform_arguments


class Command(OperatorCommand[dict[str, Any]]):
    """Prints the token once; the hub keeps only its hash."""

    help = "Prepare a platform and print its token A and the hub's versions URL."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's description."""
        add_platform_arguments(parser)
        parser.add_argument(
            "--reset", action="store_true", help="end an existing registration first"
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Invite."""
        roles = [AllowedRole.parse(text) for text in options.role]
        invitation = invite(options.name, roles=roles, quirks=options.quirk, reset=options.reset)
        platform = invitation.platform
        return {
            "platform": platform.name,
            "token_a": invitation.token,
            "versions_url": versions_url(),
            "parties": sorted(str(row) for row in platform.allowed_parties.all()),
        }

    def tell(self, result: dict[str, Any]) -> None:
        """Say what to hand over."""
        self.stdout.write(f"{result['platform']} may register {', '.join(result['parties'])}.")
        self.stdout.write("Send this to the platform in a safe way; the token is shown only now:")
        self.stdout.write(f"  versions URL  {result['versions_url']}")
        self.stdout.write(f"  token A       {result['token_a']}")
