"""`manage.py sessions`: who is logged in at the console, where and since when; `--end` ends it."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from operators import sessions
from operators.audit import record
from operators.login_events import Event
from operators.models import ConsoleSession
from parties.management.command import OperatorCommand

_SHORTEST_ID = 4


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists sessions, or ends them."""

    help = "Who is logged in at the console; sessions --user nora --end logs her out everywhere."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them, and whether they end."""
        parser.add_argument("--user", default="", metavar="USER", help="whose")
        parser.add_argument("--id", default="", metavar="ID", help="the first letters of an id")
        parser.add_argument("--all", action="store_true", help="with --end: everybody's")
        parser.add_argument("--end", action="store_true", help="end what is chosen")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look them up, and end them if that is asked for."""
        if options.end and not (options.user or options.id or options.all):
            raise CommandError("say which sessions are to end: --user, --id or --all")
        if options.id and len(options.id) < _SHORTEST_ID:
            raise CommandError(f"--id takes {_SHORTEST_ID} letters or more")
        chosen = _chosen(options)
        rows = list(chosen.select_related("user"))
        if options.end:
            sessions.end(chosen)
            for user in {row.user for row in rows if row.user is not None}:
                record(Event.ENDED_SESSIONS, user)
        return [_row(row) for row in rows]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print one line for each."""
        for each in result:
            self.stdout.write(
                f"{each['id']}  {each['user']}  {each['address'] or '-'}  since {each['since']}"
                f"  seen {each['seen']}  {each['browser']}"
            )
        if not result:
            self.stdout.write("No such sessions.")


def _chosen(options: Namespace) -> QuerySet[ConsoleSession]:
    chosen = sessions.alive().exclude(user=None)
    if options.user:
        chosen = chosen.filter(user__username=options.user)
    return chosen.filter(session_key__startswith=options.id) if options.id else chosen


def _row(row: ConsoleSession) -> dict[str, Any]:
    return {
        "id": row.session_key[:8],
        "user": str(row.user),
        "since": row.since.isoformat(timespec="seconds"),
        "seen": row.seen.isoformat(timespec="seconds"),
        "address": row.address,
        "browser": row.browser,
    }
