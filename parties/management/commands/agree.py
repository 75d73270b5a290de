"""`manage.py agree`: let two parties exchange data, or stop them."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from ocpi.types import ModuleID, PartyRef
from ocpi.versions import known_modules
from parties.agreements import agree, outside_period, suspend
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Sets the agreement of a CPO and an eMSP."""

    help = "Let two parties exchange data, like: agree NL-CPA DE-MSA --module locations."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the two parties."""
        parser.add_argument("one", metavar="CPO", help="like NL-CPA")
        parser.add_argument("other", metavar="EMSP", help="like DE-MSA")
        parser.add_argument(
            "--module",
            action="append",
            default=[],
            choices=known_modules(),
            help="only this module; repeat for more; without it an agreement keeps those it has "
            "and a new one is about all",
        )
        parser.add_argument("--suspend", action="store_true", help="stop the exchange")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Agree or suspend."""
        one, other = PartyRef.parse(options.one), PartyRef.parse(options.other)
        if options.suspend:
            agreement = suspend(one, other)
        else:
            agreement = agree(one, other, modules=[ModuleID(name) for name in options.module])
        return {
            "cpo": str(agreement.cpo.ref),
            "emsp": str(agreement.emsp.ref),
            "state": str(agreement.state),
            "modules": agreement.modules,
            "outside_period": outside_period(agreement),
        }

    def show(self, result: dict[str, Any]) -> None:
        """Say what the agreement is now."""
        modules = ", ".join(result["modules"]) or "all modules"
        self.stdout.write(f"{result['cpo']} and {result['emsp']}: {result['state']} for {modules}.")
        if result["outside_period"]:
            pair = f"{result['cpo']} - {result['emsp']}"
            self.stdout.write(f"Nothing passes: the agreement {pair} {result['outside_period']}.")
