"""`manage.py pull NL-CPA`: read a party's lists now."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.models import PullState
from hub.policy import POLICIES
from hub.sync import overview
from ocpi.types import PartyRef
from parties.management.command import OperatorCommand


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Reads here and now, with a line of progress for each page."""

    help = "Read the lists of a party, like: pull NL-CPA --module locations --full."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add party, module and whether to read everything."""
        parser.add_argument("party", metavar="PARTY", help="like NL-CPA")
        parser.add_argument(
            "--module", choices=[module.value for module in POLICIES], help="only this module"
        )
        parser.add_argument("--full", action="store_true", help="everything, not only what changed")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read."""
        found = overview.of_party(PartyRef.parse(options.party), options.module)
        watch = _silent if options.json else self._progress
        done = overview.read_now(found, full=options.full, watch=watch)
        return [overview.describe(state) | {"line": overview.line(state)} for state in done]

    def exit_code(self, result: list[dict[str, Any]]) -> int:
        """Fail when a list could not be read to its end."""
        return int(any(each["last_error"] for each in result))

    def tell(self, result: list[dict[str, Any]]) -> None:
        """Say what came of each list."""
        for each in result:
            self.stdout.write(each["line"])

    def _progress(self, state: PullState) -> None:
        ending = "\r" if self.stderr.isatty() else "\n"
        self.stderr.write(f"{overview.line(state):<100}", self.style.SUCCESS, ending=ending)


def _silent(_: PullState) -> None:
    pass
