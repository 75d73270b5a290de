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
    """Writes every row; progress goes to standard error, and so is no part of the file."""

    help = "Print a list as CSV, or with --json as a line of JSON for each row."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what names a list and narrows it."""
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("--party", metavar="PARTY", help="the owner or receiver, like NL-CPA")
        parser.add_argument("--since", metavar="TIME", help="changed since: 30d, or a moment")
        parser.add_argument("--until", metavar="TIME", help="and before this moment")
        parser.add_argument(
            "--reveal", metavar="REASON", help="with whole uids and contract ids; kept in the audit"
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

    def _write(self, made: Iterable[FileChunk]) -> int:
        bar, number = Bar(self.stderr), 0
        try:
            for part in made:
                self.hand_out(part.text)
                number += part.rows
                bar.show(part.share, f"rows: {number:,}")
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        finally:
            bar.end()
        return number

    def show(self, result: dict[str, Any]) -> None:
        """Say how many rows there are, beside the file."""
        self.stderr.write(f"rows: {result['rows']:,}", self.style.SUCCESS)

    def show_json(self, result: dict[str, Any]) -> None:
        """Say the same: what was printed is JSON already."""
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
