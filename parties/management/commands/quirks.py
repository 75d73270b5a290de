"""`manage.py quirks`: change what the hub does differently for one platform, registered or not."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from parties.management.command import OperatorCommand
from parties.operations import find_platform
from parties.quirks import usage
from parties.registration.invitation import prepare


class Command(OperatorCommand[dict[str, Any]]):
    """Changes the quirks that are named; without any it shows them all."""

    help = "Show or change the quirks of a platform; its registration stays as it is."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform and what to change."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "quirk", nargs="*", metavar="NAME=VALUE", help=f"like patch=off; {usage()}"
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Change them."""
        platform = prepare(find_platform(options.name).name, roles=(), quirks=options.quirk)
        return dict(platform.quirks.as_mapping())

    def show(self, result: dict[str, Any]) -> None:
        """Show all."""
        for name, value in result.items():
            self.stdout.write(f"{name}: {value}")
