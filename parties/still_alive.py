"""Asking platforms that were silent for a while whether they are still there.

Spec: 2.2.1 mod_hub_client_info (still alive check): GET of the versions URL with the hub's token,
without routing headers. All that are claimed are asked at once, and each answer is noted when it
comes: one that hangs delays nobody. Nobody is asked again before that ping is answered or given up,
nor while it exchanges credentials. No database connection is held meanwhile.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, as_completed
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from database import sql
from ocpi import client
from ocpi.errors import ReceiverNotConnected
from ocpi.transport.message_ids import MessageIds
from parties import connection_health, outbound_auth
from parties.connection_status import REGISTERED, ConnectionStatus
from parties.registration import lock
from parties.tokens import Undecryptable

log = logging.getLogger(__name__)

_AT_ONCE = 100
_MARGIN_SECONDS = 2.0

# Whoever is in a back-off is asked when that is over; greatest() passes over what is NULL.
_CLAIM = """
UPDATE parties_platform SET last_ping_at = statement_timestamp() WHERE id IN (
  SELECT id FROM parties_platform
  WHERE status = ANY(%(registered)s::text[]) AND versions_url <> ''
    AND (last_ping_at <= statement_timestamp() - %(under_way)s::interval) IS NOT FALSE
    AND (handshake_until <= statement_timestamp()) IS NOT FALSE AND (
    doubted_at > greatest(last_ping_at, '-infinity'::timestamptz)
    OR (next_attempt_at IS NULL OR next_attempt_at <= statement_timestamp()) AND (
      unreachable > 0 OR status = %(offline)s::text
      OR greatest(last_seen_at, last_ping_at, status_changed_at)
        <= statement_timestamp() - %(idle)s::interval))
  ORDER BY last_ping_at NULLS FIRST LIMIT %(at_once)s::bigint FOR UPDATE SKIP LOCKED)
RETURNING id, name, versions_url"""


@dataclass(frozen=True, slots=True)
class _Due:
    """A platform to be asked."""

    platform_id: int
    name: str
    url: str
    peer: client.Peer = field(repr=False)


def ping_idle() -> int:
    """Ask the platforms that are due, note what became of each, and count them."""
    due = list(_due())
    sql.release()
    asked = {client.shared().submit(_ask(one)): one for one in due}
    for future in as_completed(asked):
        _note(asked[future], future)
        sql.release()
    return len(due)


def _due() -> Iterator[_Due]:
    """Claim who is due: nobody else asks them meanwhile."""
    under_way = timedelta(seconds=settings.HUB_REQUEST_TIMEOUT + _MARGIN_SECONDS)
    found = sql.rows(
        _CLAIM,
        {
            "registered": sorted(status.value for status in REGISTERED),
            "offline": ConnectionStatus.OFFLINE.value,
            "idle": timedelta(seconds=settings.HUB_IDLE_SECONDS),
            "under_way": under_way,
            "at_once": _AT_ONCE,
        },
    )
    for platform_id, name, url in found:
        try:
            yield _Due(platform_id, name, url, outbound_auth.peer_of(platform_id))
        except (ReceiverNotConnected, Undecryptable) as error:
            log.error("%s cannot be pinged: %s", name, error)  # noqa: TRY400 - a sentence is enough


async def _ask(due: _Due) -> client.Reply:
    headers = MessageIds.new().as_headers()
    return await client.shared().send("GET", due.url, peer=due.peer, headers=headers)


def _note(due: _Due, future: "Future[client.Reply]") -> None:
    """Note what became of one ping."""
    try:
        _judge(due, future.result())
    except client.PeerError as error:
        connection_health.failed(due.platform_id, f"ping: {error.sentence} ({error})")
    except CancelledError:  # the process ends
        return


def _judge(due: _Due, reply: client.Reply) -> None:
    """Judge one answer (A-117): any envelope is life, whatever it says."""
    if reply.refuses_token:
        _note_refusal(due, reply.http_status)
        return
    if reply.is_throttled:
        connection_health.throttled(due.platform_id, reply.retry_after)
    if reply.envelope is not None:
        connection_health.answered(due.platform_id)
    elif not reply.is_throttled:
        connection_health.failed(
            due.platform_id, f"ping: HTTP {reply.http_status} without an OCPI envelope"
        )


def _note_refusal(due: _Due, status: int) -> None:
    """Raise the alarm, unless the token was replaced meanwhile: then the next ping tells."""
    if _is_outdated(due):
        connection_health.doubt(due.platform_id)
        return
    connection_health.refused(
        due.platform_id,
        f"it refuses the hub's token (HTTP {status} to a ping); have it PUT new credentials,"
        f" or `invite_platform {due.name!r} --reset` and register anew",
    )


def _is_outdated(due: _Due) -> bool:
    try:
        present = outbound_auth.peer_of(due.platform_id)
    except (ReceiverNotConnected, Undecryptable):
        return True
    return present != due.peer or lock.is_under_way(due.platform_id)
