"""`manage.py quarantine`: the objects of lists that could not be used, and why."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.management.selection import add_narrowing_arguments
from hub.masking.masked_rows import masked_object
from hub.models import Quarantined
from hub.pull.quarantine import QUARANTINE, hint
from ocpi.types import format_datetime
from parties.management.command import OperatorCommand

MOST_ROWS = 1_000


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists what was quarantined, last seen first."""

    help = "Show the objects of pulled lists that could not be used, and what would help."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them."""
        add_narrowing_arguments(parser, whose="whose list, like NL-CPA")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read them, with what identifies a driver masked."""
        chosen = QUARANTINE.chosen(party=options.party, module=options.module)
        newest = chosen.select_related("pull__party").order_by("-last_seen_at", "-id")[:MOST_ROWS]
        return [_row(masked_object(each)) for each in newest]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print one line for each, with the hint below."""
        for each in result:
            name = f"{each['party']} {each['module']} {each['id'] or '(no id)'}"
            since = f"{each['number']}  since {each['first_seen_at']}"
            self.stdout.write(f"{since}  {name}: {'; '.join(each['findings'])}\n  {each['hint']}")
        if not result:
            self.stdout.write("Nothing is in quarantine.")


def _row(row: Quarantined) -> dict[str, Any]:
    return {
        "number": row.pk,
        "party": row.pull.party.key,
        "module": row.pull.module,
        "id": row.object_id,
        "findings": row.findings.splitlines(),
        "hint": hint(row.fault),
        "first_seen_at": format_datetime(row.first_seen_at),
        "last_seen_at": format_datetime(row.last_seen_at),
    }
