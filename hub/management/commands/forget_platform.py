"""`manage.py forget_platform NAME --yes`: remove a platform with everything that is of it."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from hub.management.progress import Bar
from hub.privacy import departure
from parties.management.command import OperatorCommand
from parties.operations import find_platform


class Command(OperatorCommand[dict[str, Any]]):
    """Ends the registration at the other side too; says what is removed and what has to remain."""

    help = "Remove a platform, its parties, tokens, agreements, and what the hub stores of them."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name and the confirmation."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")
        parser.add_argument("--yes", action="store_true", help="confirm: this cannot be undone")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Count, or forget and show how far that is."""
        platform = find_platform(options.name)
        if options.dry_run:
            counts = departure.counts(departure.survey(platform))
            return {"forgotten": None, **counts, "stays": list(departure.REMAINS)}
        if not options.yes:
            raise CommandError(
                f"this removes {platform.name} with its parties, agreements and all that is stored"
                " of them; look first with --dry-run, confirm with --yes"
            )
        bar = Bar(self.stderr)

        def report(share: float, counts: Mapping[str, int]) -> None:
            bar.show(share, f"rows: {sum(counts.values()):,}")

        counts = departure.counts(departure.forget_platform(platform, report=report))
        bar.end()
        return {"forgotten": options.name, **counts, "stays": list(departure.REMAINS)}

    def show(self, result: dict[str, Any]) -> None:
        """Say what is removed, what remains, and that it is done."""
        is_done = result["forgotten"] is not None
        for name, number in sorted(result["removed"].items()):
            self.stdout.write(f"{name}: {number:,} {'removed' if is_done else 'would be removed'}")
        for name, number in sorted(result["kept"].items()):
            self.stdout.write(f"{name}: {number:,}, for operators alone")
        for sentence in result["stays"]:
            self.stdout.write(sentence)
        if is_done:
            self.stdout.write(f"{result['forgotten']} is forgotten.")
