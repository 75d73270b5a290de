"""`manage.py quarantine`: the objects of lists that could not be used, and why."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.management.selection import add_narrowing_arguments
from hub.masking.masked_rows import masked_object
from hub.models import Quarantined
from hub.pull.quarantine import MOST, QUARANTINE, hint, not_kept, owner_of
from ocpi.types import format_datetime
from parties.management.command import OperatorCommand

_CHUNK = 200
"""Objects whose texts are in memory at a time."""


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists what was quarantined, last seen first."""

    help = "Show the objects of pulled lists that could not be used, and what would help."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them."""
        add_narrowing_arguments(parser, whose="whose list or object, like NL-CPA")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read them, with what identifies a driver masked."""
        chosen = QUARANTINE.chosen(party=options.party, module=options.module)
        for pull, number in not_kept(chosen).items():
            self.leave_out(f"{pull} has {number:,} more: {MOST:,} of a list are kept")
        newest = chosen.select_related("pull__party").order_by("-last_seen_at", "-id")
        return [_row(masked_object(each)) for each in newest.iterator(chunk_size=_CHUNK)]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print one line for each, with the hint below."""
        for each in result:
            name = f"{each['owner']} {each['module']} {each['id']}"
            where = "" if each["owner"] == each["party"] else f" (in the list of {each['party']})"
            since = f"{each['number']}  since {each['first_seen_at']}"
            findings = "; ".join(each["findings"])
            self.stdout.write(f"{since}  {name}{where}: {findings}\n  {each['hint']}")
        if not result:
            self.stdout.write("Nothing is in quarantine.")


def _row(row: Quarantined) -> dict[str, Any]:
    return {
        "number": row.pk,
        "party": row.pull.party.key,
        "owner": owner_of(row),
        "module": row.pull.module,
        "id": row.object_id,
        "findings": row.findings.splitlines(),
        "hint": hint(row.fault),
        "first_seen_at": format_datetime(row.first_seen_at),
        "last_seen_at": format_datetime(row.last_seen_at),
    }
