"""`manage.py export_driver --uid UID --reason 'ticket 7' > FILE`: all that is held of a driver."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.management.drivers import add_driver_arguments, driver_named_by
from hub.privacy import erasure
from hub.privacy.extract import extract
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Writes one JSON document with everything found, by kind; nothing in it is masked."""

    help = "Print all data of a driver as JSON, like: export_driver --uid UID --reason 'ticket 7'"

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what names a driver."""
        add_driver_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="only count what there is")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Write it out, or count."""
        driver = driver_named_by(options, needs_reason=not options.dry_run)
        if options.dry_run:
            found = erasure.survey(driver)
            return {"dry_run": True, "counts": dict(+found.counts)}
        for part in extract(driver, reason=options.reason):
            self.stdout.write(part, ending="")
        return {"dry_run": False}

    def show(self, result: dict[str, Any]) -> None:
        """Say how much there is, unless it was written."""
        for name, number in result.get("counts", {}).items():
            self.stdout.write(f"{name}: {number:,}")

    def show_json(self, result: dict[str, Any]) -> None:
        """Say the same: what was written is JSON already."""
        if result["dry_run"]:
            super().show_json(result)
