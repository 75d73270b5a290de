"""`manage.py endpoint`: add by hand an endpoint that a platform has and does not advertise."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandError, CommandParser

from parties.management.command import OperatorCommand
from parties.operations import describe, find_platform
from parties.registration import endpoints


class Command(OperatorCommand[dict[str, Any]]):
    """Adds, changes or removes one endpoint."""

    help = (
        "Add an endpoint that a platform has and does not advertise; it goes before what its"
        " version details say, and stays when they are read again."
    )

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform, the interface and its URL."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("module", metavar="MODULE", help="like locations")
        parser.add_argument("role", metavar="ROLE", help="SENDER or RECEIVER")
        parser.add_argument("url", metavar="URL", nargs="?", help="where the platform has it")
        parser.add_argument("--remove", action="store_true", help="take it away again")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Add or remove it."""
        platform = find_platform(options.name)
        interface = endpoints.interface_of(options.module, options.role)
        if bool(options.url) is options.remove:
            message = "write the URL of the endpoint, or --remove"
            raise CommandError(message)
        if options.remove:
            endpoints.remove(platform, interface)
        else:
            endpoints.add(platform, interface, options.url)
        return describe(platform)

    def show(self, result: dict[str, Any]) -> None:
        """Show all endpoints."""
        for each in result["endpoints"]:
            mark = ", by hand" if each["by_hand"] else ""
            self.stdout.write(f"{each['module']} {each['role']}: {each['url']}{mark}")
