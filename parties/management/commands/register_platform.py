"""`manage.py register_platform`: the hub starts the handshake with a token A it was given."""

from argparse import Namespace
from typing import Any, Literal

from django.core.management.base import CommandParser

from parties.management.command import (
    OperatorCommand,
    add_platform_arguments,
    secret_from,
)
from parties.operations import describe
from parties.registration.invitation import AllowedRole, prepare
from parties.registration.outbound import register


class Command(OperatorCommand[dict[str, Any]]):
    """Registers the hub with a platform."""

    help = "Register the hub with a platform that handed out a versions URL and a token A."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's description and what it handed out."""
        add_platform_arguments(parser)
        parser.add_argument(
            "--versions-url", required=True, metavar="URL", help="where it lists its versions"
        )
        given = parser.add_mutually_exclusive_group()
        given.add_argument(
            "--token-a-file",
            metavar="FILE",
            help="a file with token A, - for standard input; without it the terminal asks",
        )
        given.add_argument(
            "--token-a", metavar="TOKEN", help="discouraged: all users of this machine see it"
        )
        parser.add_argument(
            "--put",
            action="store_true",
            help="the platform still holds a registration of the hub, and token A is good there: "
            "renew it by PUT instead of POST",
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Register."""
        roles = [AllowedRole.parse(text) for text in options.role]
        token_a = self._token_a(options)
        platform = prepare(options.name, roles=roles, quirks=options.quirk)
        method: Literal["POST", "PUT"] = "PUT" if options.put else "POST"
        register(platform, versions_url=options.versions_url, token_a=token_a, method=method)
        return describe(platform)

    def _token_a(self, options: Namespace) -> str:
        """Return token A, wherever it was given; warn if other users of this machine saw it."""
        if options.token_a:
            self.stderr.write(
                "--token-a shows the token in the list of processes and in the shell's history:"
                " use --token-a-file."
            )
            return str(options.token_a)
        return secret_from(options.token_a_file, prompt="Token A: ")

    def show(self, result: dict[str, Any]) -> None:
        """Say who is connected now."""
        parties = ", ".join(result["parties"])
        self.stdout.write(f"{result['name']} is connected by OCPI {result['version']}: {parties}.")
