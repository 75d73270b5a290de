"""Asking platforms that were silent for a while whether they are still there.

Spec: 2.2.1 mod_hub_client_info (still alive check): GET of the versions URL with the hub's token,
without routing headers. Whoever is due is asked at once, so many at a time, and each answer is
noted when it comes: one that hangs delays nobody. No database connection is held meanwhile.
"""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, as_completed
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from ocpi import client
from ocpi.errors import ReceiverNotConnected
from ocpi.transport.message_ids import MessageIds
from parties import database, life, peers
from parties.status import REGISTERED, ConnectionStatus
from parties.tokens import Undecryptable

log = logging.getLogger(__name__)

_AT_ONCE = 50
_MOST = 1_000
_TOKEN_REFUSED = {401, 403}

# Whoever is in a back-off is asked when that is over; greatest() passes over what is NULL.
_CLAIM = """
UPDATE parties_platform SET last_ping_at = statement_timestamp() WHERE id IN (
  SELECT id FROM parties_platform
  WHERE status = ANY(%(registered)s::text[]) AND versions_url <> '' AND (
    doubted_at > greatest(last_ping_at, '-infinity'::timestamptz)
    OR (next_attempt_at IS NULL OR next_attempt_at <= statement_timestamp()) AND (
      unreachable > 0 OR status = %(offline)s::text
      OR greatest(last_seen_at, last_ping_at, status_changed_at)
        <= statement_timestamp() - %(idle)s::interval))
  ORDER BY last_ping_at NULLS FIRST LIMIT %(most)s::bigint FOR UPDATE SKIP LOCKED)
RETURNING id, name, versions_url"""


@dataclass(frozen=True, slots=True)
class _Due:
    """A platform to be asked."""

    platform_id: int
    name: str
    url: str
    peer: client.Peer = field(repr=False)


def ping_idle() -> int:
    """Ask every platform that is due, note what became of each, and count them."""
    due = list(_due())
    database.release()
    places = asyncio.Semaphore(_AT_ONCE)
    asked = {client.shared().submit(_ask(one, places)): one for one in due}
    for future in as_completed(asked):
        _note(asked[future], future)
        database.release()
    return len(due)


def _due() -> Iterator[_Due]:
    """Claim who is due: nobody else asks them meanwhile."""
    found = database.rows(
        _CLAIM,
        {
            "registered": sorted(status.value for status in REGISTERED),
            "offline": ConnectionStatus.OFFLINE.value,
            "idle": timedelta(seconds=settings.HUB_IDLE_SECONDS),
            "most": _MOST,
        },
    )
    for platform_id, name, url in found:
        try:
            yield _Due(platform_id, name, url, peers.peer_of(platform_id))
        except (ReceiverNotConnected, Undecryptable) as error:
            log.error("%s cannot be pinged: %s", name, error)  # noqa: TRY400 - a sentence is enough


async def _ask(due: _Due, places: asyncio.Semaphore) -> client.Reply:
    async with places:
        headers = MessageIds.new().as_headers()
        return await client.shared().send("GET", due.url, peer=due.peer, headers=headers)


def _note(due: _Due, future: "Future[client.Reply]") -> None:
    """Judge one answer (A-117): any envelope is life, whatever it says."""
    try:
        reply = future.result()
    except client.PeerError as error:
        life.failed(due.platform_id, f"ping: {error.sentence} ({error})")
        return
    except CancelledError:  # the process ends
        return
    status = reply.http_status
    if status in _TOKEN_REFUSED:
        life.refused(due.platform_id, f"it refuses the hub's token (HTTP {status} to a ping)")
    elif reply.envelope is None:
        life.failed(due.platform_id, f"ping: HTTP {status} without an OCPI envelope")
    else:
        life.answered(due.platform_id)
