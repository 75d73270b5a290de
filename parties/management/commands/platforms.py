"""`manage.py platforms`: all platforms, with status, endpoints and last error."""

from argparse import Namespace
from typing import Any

from parties.management.command import OperatorCommand
from parties.models import Platform
from parties.operations import describe

_COLUMNS = ("name", "status", "version", "parties", "last seen", "endpoints", "alarm or last error")


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists the platforms."""

    help = "List the platforms with status, version, parties, last sign of life and endpoints."

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """List."""
        known = Platform.objects.prefetch_related(
            "parties__platform", "endpoints", "allowed_parties", "deviations", "credentials"
        )
        return [describe(platform) for platform in known]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print a table."""
        if not result:
            self.stdout.write("No platforms yet: invite_platform prepares the first.")
            return
        rows = [_COLUMNS, *(_row(platform) for platform in result)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _row(platform: dict[str, Any]) -> tuple[str, ...]:
    return (
        platform["name"],
        platform["status"],
        platform["version"] or "-",
        ", ".join(platform["parties"]) or "-",
        platform["last_seen_at"] or "never",
        str(len(platform["endpoints"])),
        platform["alarm"] or platform["last_error"] or "-",
    )
