"""`manage.py log`: the newest messages, narrowed to what one is looking for."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.message_log import reading, telling
from hub.message_log.reading import Wanted
from parties.management.command import OperatorCommand

_MOST = 10_000


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists exchanges, the newest last."""

    help = "List the newest requests in both directions; manage.py trace shows what one led to."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Take what is looked for."""
        parser.add_argument("--party", default="", metavar="NL-CPA", help="said or was told it")
        parser.add_argument("--module", default="", metavar="MODULE", help="like tokens")
        parser.add_argument("--code", type=int, metavar="CODE", help="OCPI status code, like 4003")
        parser.add_argument("--since", default="", metavar="TIME", help="like 30s, 10m, 2h, 7d")
        parser.add_argument("--object", default="", metavar="ID", help="id of the object")
        parser.add_argument("--limit", type=int, default=50, help="how many at most (50)")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look them up."""
        if not 0 < options.limit <= _MOST:
            raise ValueError(f"--limit is a number from 1 to {_MOST}")
        wanted = Wanted(
            party=options.party,
            module=options.module,
            code=options.code,
            since=reading.span(options.since) if options.since else None,
            object_id=options.object,
        )
        found = reading.newest(wanted, limit=options.limit)
        return [telling.as_json(exchange) for exchange in found]

    def tell(self, result: list[dict[str, Any]]) -> None:
        """Print a table, with what `trace` wants to know."""
        if not result:
            self.stdout.write("No such messages in the log.")
            return
        for line in telling.lines(result):
            self.stdout.write(line)
        self.stdout.write(f"manage.py trace {result[-1]['correlation_id']} follows the last one.")
