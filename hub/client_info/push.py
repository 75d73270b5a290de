"""Client info that is PUT to platforms: the statuses that each was not sent yet.

Spec: 2.2.1 mod_hub_client_info, Receiver interface (PUT); A-114 in docs/ambiguities.md. A row of
`ClientInfo` is one party in one role, for one platform that is sent its status. It is claimed for a
while, so that a worker that dies loses nothing and two workers do not send it twice. However often
a party comes and goes, the platform is sent its status at most once in `HUB_CLIENT_INFO_SECONDS`:
after one at 10:00:00, of OFFLINE at 10:00:01 and CONNECTED at 10:00:04 only the latter.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from database import sql
from hub.client_info import sql as statements
from hub.client_info.client_info_object import ClientInfoObject
from hub.delivery.push import Outcome, Push, Result
from hub.delivery.receiver import Receiver, send_all
from hub.models import ClientInfo
from ocpi.errors import ReceiverNotConnected
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID
from parties import connection_health, outbound_auth
from parties.connection_status import ConnectionStatus
from parties.models import Endpoint

log = logging.getLogger(__name__)

_BATCH = 200
_SENDING_SECONDS: Final = 30.0
_CLAIMED_SECONDS: Final = 90.0
"""Longer than sending may take, with its last request."""
_FAILED_SECONDS: Final = 300.0
"""How long a row waits whose PUT the platform failed on."""
# No answer, or one that says that nothing will pass now: 401, 403, 429, 503 …
_NOTHING_PASSES = {Outcome.UNREACHABLE, Outcome.SILENT}

CONNECTED = Q(
    platform__status=ConnectionStatus.CONNECTED.value,
    platform__endpoints__module=ModuleID.HUBCLIENTINFO,
    platform__endpoints__role=InterfaceRole.RECEIVER.value,
)
"""The rows of platforms that can be sent something."""


def behind() -> list[int]:
    """Return the platforms that are to be sent something now."""
    now = timezone.now()
    due = ClientInfo.objects.filter(
        CONNECTED,
        ~Q(sent_status=F("status")),
        Q(sent_at=None) | Q(sent_at__lte=_sent_before(now)),
        Q(not_before=None) | Q(not_before__lte=now),
        unpaused(now),
    )
    return sorted(due.values_list("platform", flat=True).distinct())


def send(platform_id: int) -> None:
    """Send one platform all it was not sent yet, or as much as passes."""
    receiver = receiver_of(platform_id)
    while receiver is not None:
        by_correlation_id = {str(uuid4()): info for info in sorted(_claim(platform_id))}
        if not by_correlation_id:
            return
        sql.release()  # no connection is held while a slow platform answers
        pushes = [_push(info, correlation_id) for correlation_id, info in by_correlation_id.items()]
        sent = send_all(receiver, pushes, seconds=_SENDING_SECONDS)
        results = {by_correlation_id[each.push.correlation_id]: each for each in sent}
        if not _record(platform_id, list(by_correlation_id.values()), results):
            return


def unpaused(now: datetime) -> Q:
    """Select the rows of platforms that do not back off."""
    return Q(platform__next_attempt_at=None) | Q(platform__next_attempt_at__lte=now)


def _sent_before(now: datetime) -> datetime:
    """Return the latest time of a status sent before after which another may follow now."""
    return now - timedelta(seconds=settings.HUB_CLIENT_INFO_SECONDS)


def receiver_of(platform_id: int) -> Receiver | None:
    """Return where a platform takes client info: without routing headers (HCI-03)."""
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


def _claim(platform_id: int) -> list[ClientInfoObject]:
    now = timezone.now()
    return sql.rows(
        statements.CLAIM,
        {
            "platform": platform_id,
            "now": now,
            "sent_before": _sent_before(now),
            "until": now + timedelta(seconds=_CLAIMED_SECONDS),
            "limit": _BATCH,
        },
    )


def _push(info: ClientInfoObject, correlation_id: str) -> Push:
    """Make the PUT of a row; a party's roles share one URL and key, so one goes after the other.

    The path is both where it goes and how it is named in the log.
    """
    body = msgspec.json.encode(info.as_json()).decode()
    key = (f"{info.country_code}-{info.party_id}", "", "")
    return Push(key, "PUT", info.path, body, info.path, correlation_id)


def _record(
    platform_id: int, infos: Sequence[ClientInfoObject], results: dict[ClientInfoObject, Result]
) -> bool:
    """Record what was sent, and the platform's health; False when nothing passes at present."""
    for info in infos:
        _record_one(info, results.get(info))
    blocking = [result for result in results.values() if result.outcome in _NOTHING_PASSES]
    if any(result.outcome is Outcome.DELIVERED for result in results.values()):
        connection_health.answered(platform_id, delivered=True)
    if blocking:
        cause = blocking[0]
        connection_health.failed(
            platform_id,
            f"client info: {cause.explanation}",
            answered=cause.http_status is not None,
            retry_after=cause.retry_after,
        )
        if cause.is_refusal:
            connection_health.doubt(platform_id)
    return not blocking


def _record_one(info: ClientInfoObject, result: Result | None) -> None:
    """Record what became of one row; without an outcome it may be claimed again at once.

    A status that the platform rejected counts as sent: it is not repeated until it changes.
    """
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
