"""Verification: whether platforms still have the client info they were sent.

Spec: 2.2.1 mod_hub_client_info, Receiver interface (GET); A-114. A copy that is missing or has
another status is sent again. A platform that keeps one object for each URL shows only one of a
party's roles, which says nothing of the others; neither does an answer that shows no copy.
"""

from datetime import timedelta
from http import HTTPStatus

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from database import sql
from hub.client_info.push import CONNECTED, receiver_of, unpaused
from hub.delivery.receiver import Receiver
from hub.models import ClientInfo
from ocpi import client
from ocpi.errors import OcpiError
from ocpi.transport.message_ids import MessageIds
from ocpi.validation import decode
from parties import connection_health
from parties.registration.discovery import unwrapped

# Rows that one task looks at, and how long one that was looked at is trusted.
_AT_ONCE = 100
_TRUSTED = timedelta(days=1)


def unverified() -> list[int]:
    """Return the platforms with copies that were not verified for a day."""
    return sorted(_unverified().values_list("platform", flat=True).distinct())


def verify(platform_id: int) -> int:
    """GET a platform's own copies, some at a time, and count those that have to be sent again."""
    receiver, wrong = receiver_of(platform_id), 0
    if receiver is None:
        return 0
    rows = _unverified().filter(platform=platform_id)
    for row in rows.order_by(F("verified_at").asc(nulls_first=True), "pk")[:_AT_ONCE]:
        sql.release()
        reply = _answer(receiver, row)
        if reply is None or _blocks_all(platform_id, reply):
            break
        is_wrong = _is_intact(reply, row) is False
        wrong += is_wrong
        ClientInfo.objects.filter(pk=row.pk, sent_status=row.sent_status).update(
            verified_at=timezone.now(), sent_status="" if is_wrong else row.sent_status
        )
    return wrong


def _unverified() -> QuerySet[ClientInfo]:
    now = timezone.now()
    looked_at = Q(verified_at=None) | Q(verified_at__lte=now - _TRUSTED)
    return ClientInfo.objects.filter(
        CONNECTED, unpaused(now), looked_at, sent_status=F("status"), refusal=""
    )


def _answer(receiver: Receiver, row: ClientInfo) -> client.Reply | None:
    """Ask a platform for its copy; None without an answer."""
    url = client.join(receiver.endpoint, f"{row.country_code}/{row.party_id}")
    try:
        headers = MessageIds.new().as_headers()
        return client.shared().request("GET", url, peer=receiver.peer, headers=headers)
    except client.PeerError:
        return None


def _blocks_all(platform_id: int, reply: client.Reply) -> bool:
    """Whether an answer refuses the hub's token or its requests altogether; note it if so."""
    if reply.refuses_token:
        connection_health.doubt(platform_id)
    if reply.is_throttled:
        connection_health.throttled(platform_id, reply.retry_after)
    return reply.refuses_token or reply.is_throttled


def _is_intact(reply: client.Reply, row: ClientInfo) -> bool | None:
    """Compare a platform's copy with what it was sent; None if the answer says nothing of it."""
    envelope = reply.envelope
    if envelope is None:
        return None
    if reply.http_status == HTTPStatus.NOT_FOUND:
        return False
    return _matches(envelope.data, row) if reply.ok else None


def _matches(data: bytes | None, row: ClientInfo) -> bool:
    """Whether a copy has the status that was sent; that of another role is not compared."""
    try:
        copy = unwrapped(decode(data or b""))
    except OcpiError:
        return False
    if not isinstance(copy, dict):
        return False
    return copy.get("role") != row.role or copy.get("status") == row.sent_status
