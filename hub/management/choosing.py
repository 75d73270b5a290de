"""Which dead letters or quarantined objects a command is about: some, or expressly all."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandError, CommandParser

from hub.policy import POLICIES


def add_choosing_arguments(parser: CommandParser) -> None:
    """Add what chooses among them."""
    parser.add_argument("--id", type=int, action="append", help="this one; repeat for more")
    parser.add_argument("--party", metavar="PARTY", help="the receiver, or whose list, like DE-MSA")
    parser.add_argument("--module", choices=[module.value for module in POLICIES])
    parser.add_argument("--all", action="store_true", help="all there are")


def wanted(options: Namespace) -> dict[str, Any]:
    """Return what was chosen; an operator who says nothing means nothing."""
    if not (options.id or options.party or options.module or options.all):
        raise CommandError("say which: --id, --party, --module or --all")
    return {"ids": options.id, "party": options.party, "module": options.module}
