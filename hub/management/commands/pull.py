"""`manage.py pull NL-CPA`: read a party's lists now."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.management.progress import Bar
from hub.management.selection import add_module_argument
from hub.models import PullState
from hub.pull import status
from ocpi.printable import escaped
from ocpi.types import PartyRef
from parties.management.command import OperatorCommand


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Reads here and now, with a bar on a terminal, elsewhere a line for each page."""

    help = "Read the lists of a party, like: pull NL-CPA --module locations --full."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add party, module and whether to read everything."""
        parser.add_argument("party", metavar="PARTY", help="like NL-CPA")
        add_module_argument(parser)
        parser.add_argument("--full", action="store_true", help="everything, not only what changed")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read."""
        found = status.of_party(PartyRef.parse(options.party), options.module)
        bar = Bar(self.stderr)

        def watch(state: PullState) -> None:
            bar.show(state.seen / state.total if state.total else 0.0, status.line(state))
            if not (options.json or self.stderr.isatty()):
                self.stderr.write(escaped(status.line(state)), self.style.SUCCESS)

        done = status.read_now(found, full=options.full, watch=watch)
        bar.end()
        return [status.describe(state) | {"line": status.line(state)} for state in done]

    def exit_code(self, result: list[dict[str, Any]]) -> int:
        """Fail when a list could not be read to its end."""
        return int(any(each["last_error"] for each in result))

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print the result of each list."""
        for each in result:
            self.stdout.write(each["line"])
