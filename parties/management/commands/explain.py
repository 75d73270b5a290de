"""`manage.py explain`: may two parties exchange a module, and if not, why."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from ocpi.types import ModuleID, PartyRef
from ocpi.versions import known_modules
from parties.access import explain
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Explains access; exit code 0 when it is allowed, 1 when not."""

    help = "May two parties exchange a module, like: explain NL-CPA DE-MSA tariffs."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the two parties and the module."""
        parser.add_argument("one", metavar="PARTY", help="like NL-CPA")
        parser.add_argument("other", metavar="PARTY", help="like DE-MSA, in either order")
        parser.add_argument("module", choices=known_modules())

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Judge as messages are judged."""
        one, other = PartyRef.parse(options.one), PartyRef.parse(options.other)
        found = explain(one, other, ModuleID(options.module))
        parties = [str(one), str(other)]
        return {
            "parties": parties,
            "module": options.module,
            "allowed": found.allowed,
            "why": found.why,
        }

    def exit_code(self, result: dict[str, Any]) -> int:
        """Fail when it is not allowed."""
        return 0 if result["allowed"] else 1

    def show(self, result: dict[str, Any]) -> None:
        """Say it in one sentence."""
        self.stdout.write(f"{'Allowed' if result['allowed'] else 'Not allowed'}: {result['why']}.")
