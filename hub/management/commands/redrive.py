"""`manage.py redrive`: send again what receivers refused; `discard` forgets it."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from hub.delivery.dead_letters import DEAD_LETTERS
from hub.delivery.redrive import RedriveResult, redrive
from hub.management.progress import Bar
from hub.management.selection import add_choosing_arguments, selection_of
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Re-drives dead letters: one, those of a party or module, or all."""

    help = "Send again what receivers refused: the present state of each object."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them."""
        add_choosing_arguments(parser)

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Send what was chosen again, and report each batch."""
        chosen = DEAD_LETTERS.chosen(**selection_of(options))
        ids = list(chosen.order_by("id").values_list("pk", flat=True))
        DEAD_LETTERS.audit("sent again", ids)
        done, bar = 0, Bar(self.stderr)

        def report(result: RedriveResult) -> None:
            nonlocal done
            done += result.delivered + result.refused + result.moot + result.gone
            bar.end()
            if not options.json:
                self.stdout.write(f"{done:,} of {len(ids):,}  {_line(result)}")
            bar.show(done / len(ids), f"{done:,} of {len(ids):,} dead letters")

        results = redrive(ids, report=report)
        bar.end()
        return {
            "chosen": len(ids),
            "delivered": sum(each.delivered for each in results),
            "refused": sum(each.refused for each in results),
            "moot": sum(each.moot for each in results),
            "gone": sum(each.gone for each in results),
            "left": len(ids) - done,
            "batches": [asdict(each) for each in results],
        }

    def exit_code(self, result: dict[str, Any]) -> int:
        """Fail when dead letters are left."""
        return 1 if result.get("left") else 0

    def show(self, result: dict[str, Any]) -> None:
        """Sum it up."""
        words = ("delivered", "refused", "moot", "gone", "left")
        counts = ", ".join(f"{result[word]:,} {word}" for word in words)
        self.stdout.write(f"{result['chosen']:,} dead letters: {counts}.")


def _line(result: RedriveResult) -> str:
    if result.gone:
        return f"{result.gone} were no longer in the list"
    said = f"{result.to}: {result.delivered} delivered, {result.refused} refused again"
    word = "stopped" if result.stopped else f"{result.left} left"
    return f"{said}; {word}: {result.why}" if result.why else said
