"""The options of a command that choose rows: a party's, a module's, some, or expressly all."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandError, CommandParser

from hub.module_policy import POLICIES


def add_narrowing_arguments(parser: CommandParser, *, whose: str) -> None:
    """Add what narrows a list."""
    parser.add_argument("--party", metavar="PARTY", help=whose)
    add_module_argument(parser)


def add_module_argument(parser: CommandParser) -> None:
    """Add what narrows a list to one of the modules that are stored."""
    parser.add_argument("--module", choices=list(POLICIES), help="only this module")


def add_choosing_arguments(parser: CommandParser) -> None:
    """Add what chooses among rows that something is done to."""
    parser.add_argument("--id", type=int, action="append", help="this one; repeat for more")
    add_narrowing_arguments(parser, whose="the receiver, or whose list, like DE-MSA")
    parser.add_argument("--all", action="store_true", help="all there are")


def selection_of(options: Namespace) -> dict[str, Any]:
    """Return what was chosen; without a choice it is an error, never all."""
    if not (options.id or options.party or options.module or options.all):
        raise CommandError("say which: --id, --party, --module or --all")
    return {"ids": options.id, "party": options.party, "module": options.module}
