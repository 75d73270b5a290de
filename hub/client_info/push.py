"""Telling platforms how the parties stand.

Spec: 2.2.1 mod_hub_client_info, Receiver interface (PUT); A-114. A row is claimed for a
while, so a worker that dies loses nothing and two tell nothing twice; however often a party comes
and goes, a platform hears of it once in `HUB_CLIENT_INFO_SECONDS`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from database import sql
from hub.delivery.push import Outcome, Push, Result
from hub.delivery.receiver import Receiver, send_all
from hub.models import ClientInfo
from ocpi.errors import ReceiverNotConnected
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID, format_datetime
from parties import connection_health, outbound_auth
from parties.connection_status import ConnectionStatus
from parties.models import Endpoint

log = logging.getLogger(__name__)

_BATCH = 200
_SENDING_SECONDS: Final = 30.0
_CLAIMED_SECONDS: Final = 90.0
"""Longer than sending may take, and the last request of it."""
_FAILED_SECONDS: Final = 300.0
_NOTHING_PASSES = {Outcome.UNREACHABLE, Outcome.SILENT}

CONNECTED = Q(
    platform__status=ConnectionStatus.CONNECTED.value,
    platform__endpoints__module=ModuleID.HUBCLIENTINFO,
    platform__endpoints__role=InterfaceRole.RECEIVER.value,
)
"""The rows of platforms that can be told."""

_CLAIM = """
UPDATE hub_clientinfo SET not_before = %(until)s::timestamptz WHERE id IN (
  SELECT id FROM hub_clientinfo
  WHERE platform_id = %(platform)s::bigint AND NOT sent_status = status
    AND (sent_at IS NULL OR sent_at <= %(settled)s::timestamptz)
    AND (not_before IS NULL OR not_before <= %(now)s::timestamptz)
  ORDER BY country_code, party_id, role LIMIT %(limit)s::bigint FOR UPDATE SKIP LOCKED)
RETURNING country_code, party_id, role, status, last_updated, id"""


@dataclass(frozen=True, slots=True, order=True)
class Info:
    """What is told of one party in one role; sorted, CPO comes before EMSP (A-114)."""

    country_code: str
    party_id: str
    role: str
    status: str
    last_updated: datetime
    id: int = 0

    @property
    def path(self) -> str:
        """Where it is below the receiver's endpoint."""
        return f"{self.country_code}/{self.party_id}"

    def as_json(self) -> dict[str, str]:
        """Return the ClientInfo object."""
        return {
            "party_id": self.party_id,
            "country_code": self.country_code,
            "role": self.role,
            "status": self.status,
            "last_updated": format_datetime(self.last_updated),
        }


def behind() -> list[int]:
    """Return the platforms that have something to be told now."""
    now = timezone.now()
    due = ClientInfo.objects.filter(
        CONNECTED,
        ~Q(sent_status=F("status")),
        Q(sent_at=None) | Q(sent_at__lte=_settled(now)),
        Q(not_before=None) | Q(not_before__lte=now),
        unpaused(now),
    )
    return sorted(due.values_list("platform", flat=True).distinct())


def send(platform_id: int) -> None:
    """Tell one platform all it has not taken yet, or as much as passes."""
    receiver = receiver_of(platform_id)
    while receiver is not None:
        due = {str(uuid4()): info for info in sorted(_claim(platform_id))}
        if not due:
            return
        sql.release()  # no connection is held while a slow platform answers
        pushes = [_push(info, correlation_id) for correlation_id, info in due.items()]
        results = send_all(receiver, pushes, seconds=_SENDING_SECONDS)
        outcomes = {due[result.push.correlation_id]: result for result in results}
        if not _note(platform_id, list(due.values()), outcomes):
            return


def unpaused(now: datetime) -> Q:
    """Select the rows of platforms that something may be sent to now."""
    return Q(platform__next_attempt_at=None) | Q(platform__next_attempt_at__lte=now)


def _settled(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.HUB_CLIENT_INFO_SECONDS)


def receiver_of(platform_id: int) -> Receiver | None:
    """Return where to tell a platform; message ids, but no routing headers (HCI-03)."""
    endpoint = Endpoint.objects.filter(
        platform=platform_id,
        platform__status=ConnectionStatus.CONNECTED.value,
        module=ModuleID.HUBCLIENTINFO,
        role=InterfaceRole.RECEIVER.value,
    ).first()
    try:
        peer = outbound_auth.peer_of(platform_id) if endpoint else None
    except ReceiverNotConnected:  # unregistered at this very moment
        return None
    if endpoint is None or peer is None:
        return None
    return Receiver(endpoint.url, peer, RoutingHeaders(), patch_supported=False)


def _claim(platform_id: int) -> list[Info]:
    now = timezone.now()
    claimed = sql.rows(
        _CLAIM,
        {
            "platform": platform_id,
            "now": now,
            "settled": _settled(now),
            "until": now + timedelta(seconds=_CLAIMED_SECONDS),
            "limit": _BATCH,
        },
    )
    return [Info(*row) for row in claimed]


def _push(info: Info, correlation_id: str) -> Push:
    """One party's roles share a key: they have one URL, so one goes after the other."""
    body = msgspec.json.encode(info.as_json()).decode()
    key = (f"{info.country_code}-{info.party_id}", "", "")
    return Push(key, "PUT", info.path, body, info.path, correlation_id)


def _note(platform_id: int, infos: Sequence[Info], outcomes: dict[Info, Result]) -> bool:
    """Note what the platform took, and how it does; False when nothing passes at present."""
    for info in infos:
        _note_one(info, outcomes.get(info))
    stopped = [result for result in outcomes.values() if result.outcome in _NOTHING_PASSES]
    if any(result.outcome is Outcome.DELIVERED for result in outcomes.values()):
        connection_health.answered(platform_id, delivered=True)
    if stopped:
        cause = stopped[0]
        connection_health.failed(
            platform_id,
            f"client info: {cause.explanation}",
            answered=cause.http_status is not None,
            retry_after=cause.retry_after,
        )
        if cause.is_refusal:
            connection_health.doubt(platform_id)
    return not stopped


def _note_one(info: Info, result: Result | None) -> None:
    """Note what became of one row; what was not sent is free for the next task."""
    row, now = ClientInfo.objects.filter(pk=info.id), timezone.now()
    if result is None or result.outcome in _NOTHING_PASSES:
        row.update(not_before=None)
    elif result.outcome is Outcome.TEMPORARY:
        row.update(not_before=now + timedelta(seconds=_FAILED_SECONDS), refusal=result.explanation)
    else:
        refusal = "" if result.outcome is Outcome.DELIVERED else result.explanation
        row.update(sent_status=info.status, sent_at=now, not_before=None, refusal=refusal)
        if refusal:
            log.warning("client info of %s refused: %s", info.path, refusal)
