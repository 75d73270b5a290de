"""`manage.py kept_cdrs`: the CDRs of forgotten platforms, which have to be kept by law."""

from argparse import Namespace
from typing import Any

import msgspec
from django.core.management.base import CommandParser
from django.db.models import Q

from hub.models import KeptCdr
from ocpi.types import PartyRef, format_datetime
from parties.management.command import OperatorCommand

MOST_ROWS = 1_000


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists them, newest first; no peer gets them any more, and no driver is named in them."""

    help = "Show the CDRs of forgotten platforms, like: kept_cdrs --party NL-CPA."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what narrows the list."""
        parser.add_argument("--party", help="owner or receiver, like NL-CPA")
        parser.add_argument("--platform", metavar="NAME", help="the forgotten platform")
        parser.add_argument("--before", type=int, metavar="NUMBER", help="go on below this one")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read them."""
        rows = KeptCdr.objects.order_by("-pk")
        if options.party:
            key = str(PartyRef.parse(options.party))
            rows = rows.filter(Q(owner=key) | Q(recipient=key))
        if options.platform:
            rows = rows.filter(platform=options.platform)
        if options.before:
            rows = rows.filter(pk__lt=options.before)
        found = list(rows[: MOST_ROWS + 1])
        if len(found) > MOST_ROWS:
            self.leave_out(f"There are older ones: kept_cdrs --before {found[MOST_ROWS - 1].pk}")
        return [_row(each) for each in found[:MOST_ROWS]]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print one line for each."""
        for each in result:
            amount = f"{each['cost']} {each['currency']}, {each['kwh']} kWh"
            self.stdout.write(
                f"{each['number']}  {each['owner']}/{each['id']} for {each['recipient']}: {amount}"
            )
        if not result:
            self.stdout.write("None is kept.")


def _row(row: KeptCdr) -> dict[str, Any]:
    return {
        "number": row.pk,
        "platform": row.platform,
        "owner": row.owner,
        "recipient": row.recipient,
        "id": row.object_id,
        "kwh": row.kwh,
        "cost": row.cost,
        "currency": row.currency,
        "posted_at": format_datetime(row.posted_at),
        "cdr": msgspec.Raw(row.text.encode()),
    }
