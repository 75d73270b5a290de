"""Other hubs: what they report of the parties behind them.

Spec: 2.2.1 mod_hub_client_info, Receiver interface; A-31, A-86. A hub may only bring the allowed
parties that an operator listed for it, unless it has the quirk `announces`: then it is trusted to
name them itself. A party of another platform is never taken over.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from database import sql
from ocpi import client
from ocpi.errors import InvalidParameters
from ocpi.transport.pagination import PageRequest
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role, parse_datetime
from ocpi.validation import validate
from ocpi.versions import VERSIONS, Version, latest
from parties import outbound_auth
from parties.connection_status import ConnectionStatus
from parties.hub_identity import hub_party
from parties.models import AllowedParty, Endpoint, Party, Platform
from parties.registration.credentials_object import may_be_hub
from parties.registration.discovery import fetch
from parties.signals import announce, platform_changed

log = logging.getLogger(__name__)

# Objects of a page that is asked for.
_PAGE = 100
MOST_PAGES = 100
"""Of a list: it is not read further, however long another hub says it is."""


def take_over(platform_id: int, value: dict[str, Any]) -> None:
    """Take over one ClientInfo; raises `InvalidParameters` for a party the hub may not bring."""
    if _take_over(platform_id, value):
        announce(platform_changed, Platform, platform_id=platform_id)


def _take_over(platform_id: int, value: dict[str, Any]) -> bool:
    """Take over one ClientInfo, and return whether that changed the party's status."""
    platform = Platform.objects.get(pk=platform_id)
    report = _Report.read(value, VERSIONS.get(platform.version, latest()))
    with transaction.atomic():
        party = _party(platform, report)
        newer = Q(reported_at=None) | Q(reported_at__lte=report.moment)
        changed = Party.objects.filter(newer, pk=party.pk).update(
            is_active=True,
            claimed_at=Coalesce("claimed_at", timezone.now()),
            reported_status=report.status.value,
            reported_at=report.moment,
        )
    return bool(changed) and (party.reported_status != report.status or not party.is_active)


def take_over_all(platform_id: int) -> int:
    """GET the whole list of another hub, and count what was taken over.

    However many statuses changed, that is announced to the rest of the hub once.
    """
    endpoint = Endpoint.objects.filter(
        platform=platform_id,
        module=ModuleID.HUBCLIENTINFO,
        role=InterfaceRole.SENDER.value,
    ).first()
    if endpoint is None or not may_be_hub(platform_id):
        return 0
    changes: list[bool] = []
    try:
        for value in _listed(endpoint.url, outbound_auth.peer_of(platform_id)):
            with suppress(InvalidParameters):
                changes.append(_take_over(platform_id, value))
    finally:
        if any(changes):
            announce(platform_changed, Platform, platform_id=platform_id)
    return len(changes)


def _listed(url: str, peer: client.Peer) -> Iterator[dict[str, Any]]:
    """Page through a list by offset: that works whatever its links look like.

    Pages may be larger than was asked for; the bound on all objects holds nevertheless.
    """
    offset = 0
    for _ in range(MOST_PAGES):
        if offset >= MOST_PAGES * _PAGE:
            return
        query = PageRequest(offset=offset, limit=_PAGE).as_query()
        sql.release()
        page = fetch(client.with_query(url, query), peer=peer)
        if not isinstance(page, list) or not page:
            return
        yield from (value for value in page if isinstance(value, dict))
        offset += len(page)


@dataclass(frozen=True, slots=True)
class _Report:
    """A ClientInfo that another hub reports, with a role and status known here."""

    role: Role
    ref: PartyRef
    status: ConnectionStatus
    moment: datetime

    @classmethod
    def read(cls, value: dict[str, Any], version: Version) -> Self:
        """Read one; a `last_updated` in the future counts as now, so that later reports win."""
        validate(version.client_info, value)
        try:
            role, status = Role(value["role"]), ConnectionStatus(value["status"])
        except ValueError as error:
            raise InvalidParameters(str(error)) from None
        moment = min(parse_datetime(value["last_updated"]), timezone.now())
        return cls(role, PartyRef(value["country_code"], value["party_id"]), status, moment)


def _party(platform: Platform, report: _Report) -> Party:
    """Return the party of a report; raises `InvalidParameters` if the hub may not bring it."""
    who = {
        "role": report.role.value,
        "country_code": report.ref.country_code,
        "party_id": report.ref.party_id,
    }
    if platform.quirks.announces and _is_free(platform, who):
        AllowedParty.objects.get_or_create(**who, defaults={"platform": platform})
        Party.objects.get_or_create(**who, defaults={"platform": platform})
    listed = AllowedParty.objects.filter(platform=platform, **who).exists()
    found = Party.objects.filter(platform=platform, **who).first() if listed else None
    if found is None or report.role is Role.HUB:
        text = f"{report.role} {report.ref} is not among the parties agreed with the hub's operator"
        log.warning("%s reports a party it may not bring: %s", platform.name, text)
        raise InvalidParameters(text)
    return found


def _is_free(platform: Platform, who: dict[str, str]) -> bool:
    """Whether no other platform has a party, by registration or as an allowed party."""
    if who["role"] == Role.HUB or f"{who['country_code']}-{who['party_id']}" == str(hub_party()):
        return False
    return not any(
        rows.exclude(platform=platform).filter(**who).exists()
        for rows in (AllowedParty.objects.all(), Party.objects.all())
    )
