"""`manage.py dead_letters`: what receivers will not get any more, and why."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.delivery.dead_letters import DEAD_LETTERS
from hub.management.selection import add_narrowing_arguments
from hub.masking.masked_rows import masked_dead_letter
from parties.management.command import OperatorCommand

MOST_ROWS = 1_000


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists dead letters, newest first."""

    help = "What receivers refused or did not get, newest first; redrive sends it again."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them."""
        add_narrowing_arguments(parser, whose="the receiver, like DE-MSA")
        parser.add_argument("--before", type=int, metavar="ID", help="go on below this one")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read them, with what identifies a driver masked."""
        chosen = DEAD_LETTERS.chosen(party=options.party, module=options.module)
        if options.before:
            chosen = chosen.filter(pk__lt=options.before)
        newest = chosen.select_related("subscription__receiver").order_by("-id")[: MOST_ROWS + 1]
        shown = list(newest)[:MOST_ROWS]
        if len(newest) > MOST_ROWS:
            self.leave_out(f"There are older ones: dead_letters --before {shown[-1].pk}")
        return [
            {
                "id": dead_letter.pk,
                "receiver": dead_letter.subscription.receiver.key,
                "module": dead_letter.subscription.module,
                "owner": dead_letter.owner,
                "method": dead_letter.method,
                "path": dead_letter.path,
                "http_status": dead_letter.http_status,
                "status_code": dead_letter.status_code,
                "reason": dead_letter.reason,
                "correlation_id": dead_letter.correlation_id,
                "at": dead_letter.created_at.isoformat(timespec="seconds"),
            }
            for dead_letter in map(masked_dead_letter, shown)
        ]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print one line for each."""
        for each in result:
            self.stdout.write(
                f"{each['id']}  {each['at']}  {each['receiver']} {each['module']}  "
                f"{each['method']} {each['path']}: {each['reason']}"
            )
        self.stdout.write(f"{len(result):,} dead letters" if result else "No dead letters.")
