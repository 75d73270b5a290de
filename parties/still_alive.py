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
from parties.sql import CLAIM_DUE_PLATFORMS, DuePlatform
from parties.tokens import Undecryptable

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 100
"""Platforms pinged in one run; the others are due again in the next."""
_MARGIN_SECONDS = 2.0
"""For recording the outcome, after the time that the answer to a ping may take."""


@dataclass(frozen=True, slots=True)
class _Ping:
    """A platform to be pinged, and the token as it was before that."""

    platform: DuePlatform
    peer: client.Peer = field(repr=False)


def ping_idle() -> int:
    """Ping the platforms that are due, record what came of each, and count them."""
    due = list(_claim_due())
    sql.release()  # no connection is held while peers take their time
    sent = {client.shared().submit(_send(ping)): ping for ping in due}
    for future in as_completed(sent):
        _record_outcome(sent[future], future)
        sql.release()
    return len(due)


def _claim_due() -> Iterator[_Ping]:
    """Claim the platforms that are due, so that no other worker pings them meanwhile."""
    under_way = timedelta(seconds=settings.HUB_REQUEST_TIMEOUT + _MARGIN_SECONDS)
    parameters = {
        "registered": sorted(status.value for status in REGISTERED),
        "offline": ConnectionStatus.OFFLINE.value,
        "idle": timedelta(seconds=settings.HUB_IDLE_SECONDS),
        "under_way": under_way,
        "first_go": timedelta(seconds=2 * settings.HUB_DISPATCH_SECONDS),
        "at_once": _MOST_AT_ONCE,
    }
    for platform in sql.rows(CLAIM_DUE_PLATFORMS, parameters):
        try:
            yield _Ping(platform, outbound_auth.peer_of(platform.id))
        except (ReceiverNotConnected, Undecryptable) as error:
            log.error("%s cannot be pinged: %s", platform.name, error)  # noqa: TRY400 - a sentence is enough


async def _send(ping: _Ping) -> client.Reply:
    url, headers = ping.platform.versions_url, MessageIds.new().as_headers()
    return await client.shared().send("GET", url, peer=ping.peer, headers=headers)


def _record_outcome(ping: _Ping, future: "Future[client.Reply]") -> None:
    try:
        _record_reply(ping, future.result())
    except client.PeerError as error:
        connection_health.failed(ping.platform.id, f"ping: {error.sentence} ({error})")
    except CancelledError:  # the process ends
        return


def _record_reply(ping: _Ping, reply: client.Reply) -> None:
    """Record an answer (A-117): any envelope is a sign of life, whatever it says."""
    platform_id = ping.platform.id
    if reply.refuses_token:
        _record_refusal(ping, reply.http_status)
        return
    if reply.is_throttled:
        connection_health.throttled(platform_id, reply.retry_after)
    if reply.envelope is not None:
        connection_health.answered(platform_id)
    elif not reply.is_throttled:
        reason = f"ping: HTTP {reply.http_status} without an OCPI envelope"
        words = reply.words
        connection_health.failed(platform_id, f"{reason}: {words}" if words else reason)


def _record_refusal(ping: _Ping, status: int) -> None:
    """Raise the alarm; if the token was replaced since, have the platform pinged again instead."""
    if _is_token_outdated(ping):
        connection_health.doubt(ping.platform.id)
        return
    connection_health.refused(
        ping.platform.id,
        f"it refuses the hub's token (HTTP {status} to a ping); have it PUT new credentials,"
        f" or `invite_platform {ping.platform.name!r} --reset` and register anew",
    )


def _is_token_outdated(ping: _Ping) -> bool:
    try:
        present = outbound_auth.peer_of(ping.platform.id)
    except (ReceiverNotConnected, Undecryptable):
        return True
    return present != ping.peer or lock.is_under_way(ping.platform.id)
