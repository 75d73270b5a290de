"""`manage.py trace CORRELATION_ID`: the journey of a message, hop by hop."""

from argparse import Namespace
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from hub.message_log import journey, render
from parties.management.command import OperatorCommand


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Prints everything that carried one correlation id."""

    help = "Print the journey of a message: every request that carried its correlation id."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Take the id."""
        parser.add_argument(
            "correlation_id", metavar="CORRELATION_ID", help="X-Correlation-ID of any of its hops"
        )
        parser.add_argument(
            "--whole", action="store_true", help="with the bodies, and each request as curl"
        )

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look it up."""
        most = journey.MOST_OF_A_JOURNEY if options.whole else 0
        found = journey.journey(options.correlation_id, most_with_bodies=most)
        if not found:
            days = settings.HUB_MESSAGE_LOG_DAYS
            raise CommandError(
                f"nothing carried the correlation id {options.correlation_id!r:.150} in the last"
                f" {days} days; an X-Request-ID or object id is found by manage.py log or in the"
                " console"
                if days
                else "the message log is off: set HUB_MESSAGE_LOG_DAYS"
            )
        if len(found) == journey.MOST_OF_A_JOURNEY:
            self.leave_out("These are the newest; there may be more before them.")
        return [render.as_json(exchange, whole=options.whole) for exchange in found]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print a table."""
        for line in render.lines(result):
            self.stdout.write(line)
        for hop in result:
            if "curl" in hop:
                self.stdout.write(f"\n{hop['curl']}\n{hop['response_body']}")
