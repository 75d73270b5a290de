"""`manage.py log`: the newest messages, narrowed to what one is looking for."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from hub.message_log import render, search, typed_times
from hub.message_log.entry import LoggedRoute
from hub.message_log.search import FAILED, MessageQuery
from parties.management.command import OperatorCommand

MOST_ROWS = 10_000


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists exchanges, the newest last."""

    help = "List the newest requests in both directions; manage.py trace shows what one led to."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Take what is looked for."""
        parser.add_argument("--party", default="", metavar="NL-CPA", help="asked or was asked")
        parser.add_argument("--module", default="", metavar="MODULE", help="like tokens")
        parser.add_argument("--code", default="", help=f"OCPI status code, like 4003, or {FAILED}")
        parser.add_argument(
            "--direction", default="", choices=("in", "out"), help="as the hub sees"
        )
        parser.add_argument(
            "--route", default="", choices=tuple(LoggedRoute), help="what the hub did"
        )
        parser.add_argument("--since", default="", metavar="TIME", help="like 10m, 7d, 2027-01-31")
        parser.add_argument("--until", default="", metavar="TIME", help="like 10m, 7d, 2027-01-31")
        parser.add_argument("--object", default="", metavar="ID", help="id of the object")
        parser.add_argument("--limit", type=int, default=50, help="how many at most (50)")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look them up."""
        if not 0 < options.limit <= MOST_ROWS:
            raise ValueError(f"--limit is a number from 1 to {MOST_ROWS}")
        found = search.search(_query(options), limit=options.limit).rows[::-1]
        if len(found) == options.limit:
            self.leave_out(f"These are the newest {options.limit:,}; --limit or --until has others")
        return [render.as_json(exchange) for exchange in found]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print a table, with the id that `trace` takes."""
        if not result:
            self.stdout.write("No such messages in the log.")
            return
        for line in render.lines(result):
            self.stdout.write(line)
        last = next((row["correlation_id"] for row in result[::-1] if row["correlation_id"]), "")
        if last:  # a stranger's request has none
            self.stdout.write(f"manage.py trace {last} follows the last one.")


def _query(options: Namespace) -> MessageQuery:
    if options.code not in {"", FAILED} and not options.code.isdecimal():
        raise ValueError(f"--code is a number or {FAILED}")
    return MessageQuery(
        party=options.party,
        module=options.module,
        code=options.code,
        direction=options.direction,
        route=options.route,
        since=typed_times.moment(options.since) if options.since else None,
        until=typed_times.moment(options.until) if options.until else None,
        object_id=options.object,
    )
