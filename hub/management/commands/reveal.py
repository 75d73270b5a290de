"""`manage.py reveal`: what identifies the driver in a Token, Session or CDR, with a reason."""

import logging
from argparse import Namespace
from getpass import getuser
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q

from hub.masking.personal import mask_in_text, mask_value, personal_members
from hub.module_policy import POLICIES
from hub.store.identity import any_variant
from ocpi.types import ModuleID, PartyRef
from operators.audit import record
from parties import holders
from parties.management.command import OperatorCommand

log = logging.getLogger(__name__)
_KINDS = {"TOKEN": ModuleID.TOKENS, "SESSION": ModuleID.SESSIONS, "CDR": ModuleID.CDRS}


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Shows personal data; the process's log says who saw what, and why."""

    help = "Show what identifies the driver, like: reveal SESSION NL CPA S1 --reason 'ticket 7'."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what names an object, and the reason."""
        parser.add_argument("kind", choices=sorted(_KINDS))
        parser.add_argument("country_code", metavar="COUNTRY")
        parser.add_argument("party_id", metavar="PARTY")
        parser.add_argument("id", metavar="ID")
        parser.add_argument("--reason", required=True, help="kept in the log")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look it up, in all its variants, and record that."""
        owner = PartyRef.parse(f"{options.country_code}-{options.party_id}")
        exactly, variants = any_variant(options.id)
        model = POLICIES[_KINDS[options.kind]].model
        rows = model._default_manager.filter(  # noqa: SLF001 - a documented name of Django
            Q(object_key=exactly) | Q(object_key__startswith=variants),
            owner__in=holders.names(owner),
        )
        shown = mask_value(options.id) if options.kind == "TOKEN" else options.id
        found = [
            {"audience": row.audience, **dict(personal_members(row.text.encode()))} for row in rows
        ]
        if not found:
            raise ValueError(f"the hub holds no {options.kind} {shown} of {owner}")
        about = f"{options.kind} {owner}/{shown}"
        reason = mask_in_text(options.reason, {value for each in found for value in each.values()})
        log.warning("%s revealed personal data of %s: %s", getuser(), about, reason)
        record("revealed", about, after={"reason": reason})
        return found

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print a line for each value."""
        for each in result:
            for name, value in each.items():
                # Only an audience can be empty: the object is for everybody with access.
                self.stdout.write(f"{name}: {value or 'all with access'}")
