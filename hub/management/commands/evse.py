"""`manage.py evse`: how an EVSE is, how it was in the last days, and its uptime."""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import F

from hub.models import Evse
from hub.statistics import follower, uptime
from ocpi.types import PartyRef, fold, format_datetime
from parties import holders
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Shows what the console's page of an EVSE shows."""

    help = "How an EVSE was in the last 30 days, like: evse NL CPA L1 E1."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what names an EVSE."""
        parser.add_argument("country_code", metavar="COUNTRY")
        parser.add_argument("party_id", metavar="PARTY")
        parser.add_argument("location", metavar="LOCATION_ID")
        parser.add_argument("uid", metavar="UID")

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Find it by its ids, in any spelling of case."""
        owner = PartyRef.parse(f"{options.country_code}-{options.party_id}")
        present = Evse.objects.filter(
            generation=F("object__generation"), object__publish=True, object__audience=""
        )
        found = present.filter(
            object__owner__in=holders.names(owner),
            object__object_key=fold(options.location),
            key=fold(options.uid),
        ).first()
        if found is None:
            message = f"the hub holds no published EVSE {options.location}/{options.uid} of {owner}"
            raise ValueError(message)
        spans = uptime.recent_spans(found)
        return {
            "evse_id": found.evse_id,
            "status": found.status,
            "as_of": follower.as_of(),
            "uptime": uptime.uptime_share(spans),
            "spans": [
                {
                    "begin": format_datetime(span.begin),
                    "end": format_datetime(span.end),
                    "status": span.status or None,
                }
                for span in spans
            ],
        }

    def show(self, result: dict[str, Any]) -> None:
        """Print its uptime, and a line for each time in which its status was the same."""
        share = result["uptime"]
        known = "not known" if share is None else f"{share:.2%}"
        self.stdout.write(f"{result['evse_id'] or '-'} is {result['status']}; uptime {known}")
        self.stdout.write(f"  as of {result['as_of'] or 'never'}:")
        for span in result["spans"]:
            status = span["status"] or "not there"
            self.stdout.write(f"  {span['begin']} to {span['end']}: {status}")
