"""`manage.py pulls`: how far the reading of each list is."""

from argparse import Namespace
from typing import Any

from hub.pull import status
from parties.management.command import OperatorCommand


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Shows each party's lists: when they were read, what came of it, when they are due."""

    help = "Show the lists the hub reads, their progress and their errors."

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look."""
        del options
        return [status.describe(state) | {"line": status.line(state)} for state in status.states()]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print one line for each list."""
        for each in result:
            self.stdout.write(f"{each['line']} (next: {each['due_at']})")
        if not result:
            self.stdout.write("No connected platform offers a list.")
