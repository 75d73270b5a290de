"""The options of a command that name the driver it is about."""

from argparse import Namespace

from django.core.management.base import CommandParser

from hub.privacy.drivers import Driver


def add_driver_arguments(parser: CommandParser) -> None:
    """Add what names a driver."""
    parser.add_argument(
        "--uid", action="append", default=[], help="whole uid of a token; repeat for more"
    )
    parser.add_argument(
        "--contract", action="append", default=[], metavar="ID", help="whole contract id"
    )
    parser.add_argument("--party", default="", help="the eMSP whose driver it is, like DE-MSA")
    parser.add_argument(
        "--by-uid",
        action="store_true",
        help="leave contract ids out that are found beside the uids: others have them too",
    )
    parser.add_argument("--reason", default="", help="kept in the audit")


def driver_named_by(options: Namespace, *, needs_reason: bool) -> Driver:
    """Return the driver that is named, and demand a reason where one is needed."""
    driver = Driver.named(options.uid, options.contract, party=options.party, by_uid=options.by_uid)
    if needs_reason and not options.reason.strip():
        raise ValueError("give a --reason, like a ticket's number: the audit keeps it")
    return driver
