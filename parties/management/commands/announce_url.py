"""`manage.py announce_url`: announce to every platform the hub's new versions URL."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from parties.management.command import OperatorCommand
from parties.registration.renewal import announce_url


class Command(OperatorCommand[list[dict[str, Any]]]):
    """PUTs the hub's credentials; the next run asks again those that did not take them."""

    help = "After HUB_PUBLIC_URL changed: PUT the hub's credentials to every platform."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add whether all platforms get them."""
        parser.add_argument(
            "--all", action="store_true", help="also platforms that know the present URL"
        )

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Announce."""
        return [asdict(each) for each in announce_url(to_all=options.all)]

    def exit_code(self, result: list[dict[str, Any]]) -> int:
        """Fail when a platform did not take it."""
        return int(any(each["error"] for each in result))

    def show(self, result: list[dict[str, Any]]) -> None:
        """Say how each platform took it."""
        for each in result:
            self.stdout.write(f"{each['platform']}: {each['error'] or 'knows the new URL'}")
        if not result:
            self.stdout.write("Every platform knows the present URL.")
