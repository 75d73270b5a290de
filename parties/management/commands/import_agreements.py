"""`manage.py import_agreements`: bring agreements in line with a CSV file that is good."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from ocpi.printable import escaped
from parties import agreement_csv
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Reads agreements from a CSV file."""

    help = f"Read agreements from a CSV file with the columns {', '.join(agreement_csv.COLUMNS)}."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the file."""
        parser.add_argument("file", metavar="FILE", help="in UTF-8")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Read the file; agreements that it does not name are left alone."""
        try:
            with open(options.file, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123 - options.file is a str
                imported = agreement_csv.read(file, dry_run=options.dry_run)
        except OSError as error:
            message = f"{options.file} cannot be read: {error.strerror}"
            raise ValueError(message) from error
        return {**asdict(imported), "dry_run": options.dry_run}

    def exit_code(self, result: dict[str, Any]) -> int:
        """Fail when a line is bad."""
        return 1 if result["bad"] else 0

    def show(self, result: dict[str, Any]) -> None:
        """Name every bad line, or count what changed."""
        for each in result["bad"]:
            self.stderr.write(f"line {each['line']}: {escaped(each['why'])}")
        if result["bad"]:
            self.stderr.write(f"{len(result['bad'])} bad lines; nothing was changed.")
            return
        counts = ", ".join(f"{result[word]} {word}" for word in ("created", "changed", "unchanged"))
        would = "Nothing was changed; it would be: " if result["dry_run"] else ""
        self.stdout.write(f"{would}{counts}.")
