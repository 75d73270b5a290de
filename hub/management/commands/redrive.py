"""`manage.py redrive`: send again what receivers refused, or discard it."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from hub.delivery import dead_letters
from hub.delivery.redriving import Redriven, redrive
from hub.policy import POLICIES
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Re-drives dead letters: one, those of a party or module, or all."""

    help = "Send again what receivers refused: the present state of each object."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them."""
        parser.add_argument("--id", type=int, action="append", help="one letter; repeat for more")
        parser.add_argument("--party", metavar="PARTY", help="the receiver, like DE-MSA")
        parser.add_argument("--module", choices=[module.value for module in POLICIES])
        parser.add_argument("--all", action="store_true", help="all letters of all receivers")
        parser.add_argument("--discard", action="store_true", help="forget them, send nothing")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Work on what was chosen, and tell of each batch."""
        if not (options.id or options.party or options.module or options.all):
            message = "say which: --id, --party, --module or --all"
            raise CommandError(message)
        chosen = dead_letters.chosen(ids=options.id, party=options.party, module=options.module)
        ids = list(chosen.order_by("id").values_list("pk", flat=True))
        if options.discard:
            return {"chosen": len(ids), "discarded": dead_letters.discard(chosen)}
        dead_letters.audit("sent again", ids)
        done = 0

        def tell(result: Redriven) -> None:
            nonlocal done
            done += result.delivered + result.refused + result.moot
            if not options.json:
                self.stdout.write(f"{done:,} of {len(ids):,}  {_line(result)}")

        results = redrive(ids, tell=tell)
        return {
            "chosen": len(ids),
            "delivered": sum(each.delivered for each in results),
            "refused": sum(each.refused for each in results),
            "moot": sum(each.moot for each in results),
            "left": len(ids) - done,
            "batches": [asdict(each) for each in results],
        }

    def exit_code(self, result: dict[str, Any]) -> int:
        """Fail when letters are left."""
        return 1 if result.get("left") else 0

    def tell(self, result: dict[str, Any]) -> None:
        """Sum it up."""
        words = ("discarded", "delivered", "refused", "moot", "left")
        counts = ", ".join(f"{result[word]:,} {word}" for word in words if word in result)
        self.stdout.write(f"{result['chosen']:,} dead letters: {counts}.")


def _line(result: Redriven) -> str:
    said = f"{result.to}: {result.delivered} delivered, {result.refused} refused again"
    word = "stopped" if result.stopped else f"{result.left} left"
    return f"{said}; {word}: {result.why}" if result.why else said
