"""The still alive check: pings of platforms that were silent for a while.

Spec: 2.2.1 mod_hub_client_info (still alive check): GET of the versions URL with the hub's token,
without routing headers. Platforms are claimed and pinged all at once, and each outcome is recorded
when it comes, so that one that hangs delays nobody. A platform is not pinged while an earlier ping
of it may still be answered, nor while it exchanges credentials.
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

_MOST_AT_ONCE = 100
_MARGIN_SECONDS = 2.0
"""For noting what came of a ping, after the time its answer may take."""

# Due is who is in doubt (a message met a 401, or no answer); else, unless a back-off lasts, who was
# not reached or is OFFLINE, and who was silent for the idle time. greatest() ignores NULL.
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
class _DuePlatform:
    """A platform to be pinged, and the token as it was before that."""

    platform_id: int
    name: str
    url: str
    peer: client.Peer = field(repr=False)


def ping_idle() -> int:
    """Ping the platforms that are due, record what came of each, and count them."""
    due = list(_claim_due())
    sql.release()  # no connection is held while peers take their time
    pings = {client.shared().submit(_ping(platform)): platform for platform in due}
    for future in as_completed(pings):
        _record_outcome(pings[future], future)
        sql.release()
    return len(due)


def _claim_due() -> Iterator[_DuePlatform]:
    """Claim the platforms that are due, so that no other worker pings them meanwhile."""
    under_way = timedelta(seconds=settings.HUB_REQUEST_TIMEOUT + _MARGIN_SECONDS)
    found = sql.rows(
        _CLAIM,
        {
            "registered": sorted(status.value for status in REGISTERED),
            "offline": ConnectionStatus.OFFLINE.value,
            "idle": timedelta(seconds=settings.HUB_IDLE_SECONDS),
            "under_way": under_way,
            "at_once": _MOST_AT_ONCE,
        },
    )
    for platform_id, name, url in found:
        try:
            yield _DuePlatform(platform_id, name, url, outbound_auth.peer_of(platform_id))
        except (ReceiverNotConnected, Undecryptable) as error:
            log.error("%s cannot be pinged: %s", name, error)  # noqa: TRY400 - a sentence is enough


async def _ping(platform: _DuePlatform) -> client.Reply:
    headers = MessageIds.new().as_headers()
    return await client.shared().send("GET", platform.url, peer=platform.peer, headers=headers)


def _record_outcome(platform: _DuePlatform, future: "Future[client.Reply]") -> None:
    try:
        _record_reply(platform, future.result())
    except client.PeerError as error:
        connection_health.failed(platform.platform_id, f"ping: {error.sentence} ({error})")
    except CancelledError:  # the process ends
        return


def _record_reply(platform: _DuePlatform, reply: client.Reply) -> None:
    """Record an answer (A-117): any envelope is a sign of life, whatever it says."""
    if reply.refuses_token:
        _record_refusal(platform, reply.http_status)
        return
    if reply.is_throttled:
        connection_health.throttled(platform.platform_id, reply.retry_after)
    if reply.envelope is not None:
        connection_health.answered(platform.platform_id)
    elif not reply.is_throttled:
        connection_health.failed(
            platform.platform_id, f"ping: HTTP {reply.http_status} without an OCPI envelope"
        )


def _record_refusal(platform: _DuePlatform, status: int) -> None:
    """Raise the alarm; if the token was replaced since, have the platform pinged again instead."""
    if _is_token_outdated(platform):
        connection_health.doubt(platform.platform_id)
        return
    connection_health.refused(
        platform.platform_id,
        f"it refuses the hub's token (HTTP {status} to a ping); have it PUT new credentials,"
        f" or `invite_platform {platform.name!r} --reset` and register anew",
    )


def _is_token_outdated(platform: _DuePlatform) -> bool:
    try:
        present = outbound_auth.peer_of(platform.platform_id)
    except (ReceiverNotConnected, Undecryptable):
        return True
    return present != platform.peer or lock.is_under_way(platform.platform_id)
