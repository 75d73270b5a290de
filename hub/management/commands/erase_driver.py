"""`manage.py erase_driver --uid UID --reason 'ticket 7' --yes`: nothing of a driver is left."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from hub.management.drivers import add_driver_arguments, driver_named_by
from hub.management.progress import Bar
from hub.privacy import erasure
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Deletes tokens, makes sessions and CDRs anonymous, and takes the driver out of all else."""

    help = "Erase a driver, like: erase_driver --uid UID --party DE-MSA --reason 'ticket 7' --yes"

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what names a driver, and the confirmation."""
        add_driver_arguments(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="only count what would be erased"
        )
        parser.add_argument("--yes", action="store_true", help="confirm: this cannot be undone")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Count, or erase, and show how far that is."""
        driver = driver_named_by(options, needs_reason=not options.dry_run)
        if not (options.dry_run or options.yes):
            raise CommandError(
                f"this erases driver {driver} for good; look first with --dry-run, confirm with"
                " --yes"
            )
        bar = Bar(self.stderr)

        def report(share: float, counts: Mapping[str, int]) -> None:
            bar.show(share, f"found: {sum(counts.values()):,}")

        found = (
            erasure.survey(driver, report=report)
            if options.dry_run
            else erasure.erase(driver, reason=options.reason, report=report)
        )
        bar.end()
        return {
            "driver": str(driver),
            "dry_run": options.dry_run,
            "complete": found.complete,
            "counts": dict(+found.counts),
            "sent_to": found.recipients,
        }

    def exit_code(self, result: dict[str, Any]) -> int:
        """Return 1 while somebody writes the driver's data anew."""
        return 0 if result["complete"] else 1

    def show(self, result: dict[str, Any]) -> None:
        """Say how much of each kind it was, and who has it all the same."""
        done = "would be erased" if result["dry_run"] else "erased"
        for name, number in sorted(result["counts"].items()):
            self.stdout.write(f"{name}: {number:,} {done}")
        if not result["counts"]:
            self.stdout.write(f"The hub holds nothing of driver {result['driver']}.")
        if result["sent_to"]:
            parties = ", ".join(result["sent_to"])
            self.stdout.write(
                f"These were sent some of it, and the eMSP has to inform them: {parties}."
            )
        if not result["complete"]:
            self.stdout.write("It is written anew all the time: end that, and erase again.")
