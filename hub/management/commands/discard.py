"""`manage.py discard`: forget dead letters, or what is in quarantine."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from hub.delivery.dead_letters import DEAD_LETTERS
from hub.management.progress import Bar
from hub.management.selection import add_choosing_arguments, selection_of
from hub.pull.quarantine import QUARANTINE
from hub.review_queue import ReviewQueue
from parties.management.command import OperatorCommand

_QUEUES: Mapping[str, ReviewQueue[Any]] = {"dead_letters": DEAD_LETTERS, "quarantine": QUARANTINE}


class Command(OperatorCommand[dict[str, Any]]):
    """Discards for good: no receiver gets the dead letters, the store gets nothing quarantined."""

    help = "Forget dead letters or objects in quarantine, like: discard dead_letters --party DE-MSA"

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what is discarded, and which of it."""
        parser.add_argument("what", choices=list(_QUEUES))
        add_choosing_arguments(parser)

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Forget it, and show how far that is."""
        bar = Bar(self.stderr)

        def report(done: int, total: int) -> None:
            bar.show(done / total, f"{done:,} of {total:,}")

        queue = _QUEUES[options.what]
        number = queue.discard(queue.chosen(**selection_of(options)), report=report)
        bar.end()
        return {"discarded": number}

    def show(self, result: dict[str, Any]) -> None:
        """Say how many they were."""
        self.stdout.write(f"{result['discarded']:,} discarded.")
