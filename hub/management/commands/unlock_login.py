"""`manage.py unlock_login`: let an account log in again before its pause is over."""

from argparse import Namespace
from typing import Any

import redis
from django.core.management.base import CommandError, CommandParser

from operators import login_throttle, second_factor
from operators.audit import record
from operators.login_events import Event
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Forgets how often an account's log-in failed."""

    help = "Forget how often the log-in of an account failed."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the account."""
        parser.add_argument("user", metavar="USER")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Unlock it."""
        try:
            failed = login_throttle.unlock(options.user)
            second_factor.forgive(options.user)
        except redis.RedisError as error:
            raise CommandError(f"Redis does not answer: {error}") from error
        record(Event.UNLOCKED, options.user, kind="auth.User")
        return {"user": options.user, "had_failed": failed}

    def show(self, result: dict[str, Any]) -> None:
        """Say that it may try again."""
        self.stdout.write(f"{result['user']} may log in.")
