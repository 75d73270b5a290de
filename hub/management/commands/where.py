"""`manage.py where`: who has which version of an object, and if not the present one, why."""

from argparse import Namespace
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q

from hub.delivery.object_status import DeliveryStatus, Subject, statuses
from hub.masking.personal import mask_value
from hub.models import Evse, StoredObject
from hub.module_policy import POLICIES
from hub.store import set_aside
from hub.store.identity import any_variant
from ocpi.types import ModuleID, PartyRef, fold
from parties import holders
from parties.management.command import OperatorCommand

_KINDS = {
    "LOCATION": ModuleID.LOCATIONS,
    "EVSE": ModuleID.LOCATIONS,
    "TARIFF": ModuleID.TARIFFS,
    "TOKEN": ModuleID.TOKENS,
    "SESSION": ModuleID.SESSIONS,
    "CDR": ModuleID.CDRS,
}
_OTHERS_SHOWN = 100


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Says for every party whether and since when it has an object."""

    help = "Who has an object, like: where LOCATION NL CPA L1, or where EVSE NL CPA L1 E1."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what names an object."""
        parser.add_argument("kind", choices=sorted(_KINDS))
        parser.add_argument("country_code", metavar="COUNTRY")
        parser.add_argument("party_id", metavar="PARTY")
        parser.add_argument("ids", nargs="+", metavar="ID", help="of an EVSE: LOCATION_ID UID")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look the object up, with whatever variants there are of it."""
        needed = 2 if options.kind == "EVSE" else 1
        if len(options.ids) != needed:
            message = f"{options.kind} takes {needed} id{'s' * (needed - 1)} behind the party"
            raise ValueError(message)
        owner = PartyRef.parse(f"{options.country_code}-{options.party_id}")
        found = [
            _object(options.kind, subject)
            for row in _rows(_KINDS[options.kind], owner, options.ids[0])
            for subject in _subjects(_KINDS[options.kind], row, options.ids[1:])
        ]
        if not found:
            shown = (
                mask_value(options.ids[-1]) if options.kind == "TOKEN" else "/".join(options.ids)
            )
            message = f"the hub holds no {options.kind} {shown} of {owner}"
            raise ValueError(message)
        return found

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print the object, and one line for each party."""
        for each in result:
            sent_to = f", for {each['audience']}" if each["audience"] else ""
            odd = f", {each['findings']} members break the tables" if each["findings"] else ""
            self.stdout.write(
                f"{each['kind']} {each['owner']}/{each['id']}: revision {each['revision']}, "
                f"last_updated {each['last_updated']}{odd}{sent_to}"
            )
            for name, why in each["set_aside"].items():
                self.stdout.write(f"  set aside: {name}: {why}")
            for line in each["parties"]:
                self.stdout.write(f"  {_line(line)}")
            if not each["parties"]:
                self.stdout.write("  nobody may have it")


def _rows(module: ModuleID, owner: PartyRef, object_id: str) -> list[StoredObject]:
    """Return the object for everybody, then the own copies of single parties."""
    model = POLICIES[module].model
    exactly, variants = any_variant(object_id)
    rows = model._default_manager.filter(  # noqa: SLF001 - a documented name of Django
        Q(object_key=exactly) | Q(object_key__startswith=variants), owner__in=holders.names(owner)
    )
    return list(rows.defer("text").order_by("owner", "audience", "object_key"))


def _subjects(module: ModuleID, row: StoredObject, part_ids: list[str]) -> list[Subject]:
    if not part_ids:
        return [Subject(module, row, revision=row.revision)]
    parts = Evse.objects.filter(object=row.pk, generation=row.generation, key=fold(part_ids[0]))
    return [Subject(module, row, part.key, part.revision, part) for part in parts]


def _object(kind: str, subject: Subject) -> dict[str, Any]:
    row, part = subject.row, subject.part
    object_id = mask_value(row.object_id) if kind == "TOKEN" else row.object_id
    return {
        "kind": kind,
        "owner": row.owner,
        "id": f"{object_id}/{part.uid}" if part else object_id,
        "audience": row.audience,
        "revision": subject.revision,
        "last_updated": (part or row).last_updated.isoformat(),
        "findings": row.findings + row.part_findings,
        "set_aside": set_aside.read(row.set_aside),
        "parties": [_status(each) for each in statuses(subject, others=_OTHERS_SHOWN)],
    }


def _status(status: DeliveryStatus) -> dict[str, Any]:
    return {
        "party": str(status.party),
        "platform": status.party.platform.name,
        "outcome": status.state.value,
        "why": status.why,
        "revision": status.revision,
        "since": _moment(status.since),
        "tried_at": _moment(status.tried_at),
        "behind": status.behind,
        "behind_since": _moment(status.oldest),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _line(line: dict[str, Any]) -> str:
    has = f"has revision {line['revision']}" if line["revision"] is not None else ""
    parts = [
        f"{line['party']}: {line['outcome']}",
        line["why"],
        f"{has} since {line['since']}" if has and line["since"] else has,
        f"{line['behind']} changes behind since {line['behind_since']}" if line["behind"] else "",
    ]
    return "; ".join(part for part in parts if part)
