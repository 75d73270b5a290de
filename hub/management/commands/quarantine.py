"""`manage.py quarantine`: the objects of lists that could not be used, and why."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.admin.quarantine import describe
from hub.policy import POLICIES
from hub.sync.quarantine import QUARANTINE
from parties.management.command import OperatorCommand

_MOST = 1_000


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists what was quarantined, last seen first."""

    help = "Show the objects of pulled lists that could not be used, and what would help."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them."""
        parser.add_argument("--party", metavar="PARTY", help="whose list, like NL-CPA")
        parser.add_argument(
            "--module", choices=[module.value for module in POLICIES], help="only this module"
        )

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read them, with what identifies a driver masked."""
        chosen = QUARANTINE.chosen(party=options.party, module=options.module)
        return describe(
            chosen.select_related("pull__party").order_by("-last_seen_at", "-id")[:_MOST]
        )

    def tell(self, result: list[dict[str, Any]]) -> None:
        """Say it in one line each, with the hint below."""
        for each in result:
            name = f"{each['party']} {each['module']} {each['id'] or '(no id)'}"
            since = f"{each['number']}  since {each['first_seen_at']}"
            self.stdout.write(f"{since}  {name}: {'; '.join(each['findings'])}\n  {each['hint']}")
        if not result:
            self.stdout.write("Nothing is in quarantine.")
