"""`manage.py export cdrs --party NL-CPA --since 30d > cdrs.csv`: a list as a file."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser

from hub.export import KINDS, FileChunk, FileFormat, Rows, file_chunks
from hub.management.progress import Bar
from hub.message_log.typed_times import moment
from hub.models.stored import of_party
from ocpi.types import PartyRef
from operators.audit import record
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Writes all rows that its filters leave; progress goes to standard error, not to the file."""

    help = "Print a list as CSV, or with --json as a line of JSON for each row."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what names a list and narrows it."""
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument(
            "--party", metavar="PARTY", help="its owner or its receiver, like NL-CPA"
        )
        parser.add_argument("--since", metavar="TIME", help="since 30d ago, or since a time")
        parser.add_argument("--until", metavar="TIME", help="and before: 1d ago, or a time")
        parser.add_argument(
            "--reveal",
            metavar="REASON",
            help="with whole uids and contract ids; the reason goes into the audit",
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Record in the audit what is exported, then write it out."""
        kind, form = KINDS[options.kind], FileFormat.JSON if options.json else FileFormat.CSV
        rows = _narrowed(options)
        filters = {
            name: value
            for name in ("party", "since", "until", "reveal")
            if (value := getattr(options, name))
        }
        record("exported", options.kind, after={"as": form, **filters}, kind=kind.model._meta.label)  # noqa: SLF001 - a documented name of Django
        return {"rows": self._write(file_chunks(kind, rows, form, revealed=bool(options.reveal)))}

    def _write(self, chunks: Iterable[FileChunk]) -> int:
        bar, number = Bar(self.stderr), 0
        try:
            for chunk in chunks:
                self.hand_out(chunk.text)
                number += chunk.rows
                bar.show(chunk.share, f"rows: {number:,}")
        except BrokenPipeError:
            # `| head` has seen enough: the file is not whole, hence the exit code. What Python has
            # still to flush goes nowhere, else it would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        finally:
            bar.end()
        return number

    def show(self, result: dict[str, Any]) -> None:
        """Say on standard error how many rows the file has."""
        self.stderr.write(f"rows: {result['rows']:,}", self.style.SUCCESS)

    def show_json(self, result: dict[str, Any]) -> None:
        """Say the same: a result as JSON would be one more line of the file."""
        self.show(result)


def _narrowed(options: Namespace) -> Rows:
    kind = KINDS[options.kind]
    rows = kind.rows()
    if options.party:
        rows = of_party(rows, PartyRef.parse(options.party))
    if options.since:
        rows = rows.filter(**{f"{kind.moment}__gte": moment(options.since)})
    if options.until:
        rows = rows.filter(**{f"{kind.moment}__lt": moment(options.until)})
    return rows
