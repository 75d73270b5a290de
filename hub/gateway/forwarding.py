"""Forwarding of a message to its party, and of the answer back: at once, never queued or changed.

Spec: 2.2.1 transport and format, message routing. No database connection is held while waiting.
`hub.gateway.outbound` decides what is sent and what the answer becomes.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from django.conf import settings

from database import sql
from hub.gateway import bulkhead, outbound, peer_feedback
from hub.gateway.outbound import Outbound, PeerAnswer
from ocpi import client
from ocpi.errors import OcpiError
from parties import outbound_auth

Outcome = client.Reply | client.PeerError
_ALL_PLATFORMS = 0
"""In place of a platform's id, for requests to many at once: no platform has the id 0."""


class ForwardingResult(NamedTuple):
    """A request, the reply or failure, and the answer that it becomes for the requester."""

    request: Outbound
    outcome: Outcome
    answer: PeerAnswer | OcpiError


def send(request: Outbound) -> PeerAnswer:
    """Send a request to a party, once; raises `OcpiError` where no answer can be relayed."""
    platform_id = request.destination.platform_id
    peer = outbound_auth.peer_of(platform_id, request.epoch)
    sql.release()
    with _waiting(platform_id):
        outcome = _exchange(request, peer)
    answer = _result(request, outcome).answer
    if isinstance(answer, OcpiError):
        raise answer from (outcome if isinstance(outcome, client.PeerError) else None)
    return answer


def send_all(
    requests: Sequence[Outbound], *, is_enough: Callable[[Outcome], bool]
) -> list[ForwardingResult]:
    """Send all at once; return the results up to the first that `is_enough`, else all of them."""
    peers = [outbound_auth.peer_of(each.destination.platform_id, each.epoch) for each in requests]
    asked = list(zip(requests, peers, strict=True))
    sql.release()
    with _waiting(_ALL_PLATFORMS):
        exchanges = client.shared().run(_until(asked, is_enough))
    return [_result(request, outcome) for request, outcome in exchanges]


def _waiting(platform_id: int) -> AbstractContextManager[None]:
    """Hold a slot of the platform's bulkhead."""
    # One platform gets a quarter of the threads; two in all are kept for messages without a peer.
    threads = settings.HUB_WEB_THREADS
    most = min(settings.HUB_REQUESTS_PER_PEER, max(1, threads // 4))
    return bulkhead.slot(platform_id, most=most, in_all=max(1, threads - 2))


def _result(request: Outbound, outcome: Outcome) -> ForwardingResult:
    """Decide what an outcome becomes for the requester, and note what it says of the platform."""
    answer = outbound.answer(request, outcome)
    peer_feedback.note(request, outcome, answer)
    return ForwardingResult(request, outcome, answer)


def _exchange(request: Outbound, peer: client.Peer) -> Outcome:
    try:
        return client.shared().request(
            request.method,
            request.url,
            peer=peer,
            headers=request.headers(),
            body=request.body or None,
            seconds=request.seconds,
        )
    except client.PeerError as error:
        return error


async def _until(
    asked: Sequence[tuple[Outbound, client.Peer]], is_enough: Callable[[Outcome], bool]
) -> list[tuple[Outbound, Outcome]]:
    exchanges: list[tuple[Outbound, Outcome]] = []
    tasks = [asyncio.ensure_future(_ask(request, peer)) for request, peer in asked]
    try:
        for finished in asyncio.as_completed(tasks):
            request, outcome = await finished
            exchanges.append((request, outcome))
            if is_enough(outcome):
                break
    finally:
        for task in tasks:
            task.cancel()
    return exchanges


async def _ask(request: Outbound, peer: client.Peer) -> tuple[Outbound, Outcome]:
    try:
        async with asyncio.timeout(request.seconds):
            return request, await client.shared().send(
                request.method,
                request.url,
                peer=peer,
                headers=request.headers(),
                body=request.body or None,
            )
    except TimeoutError:
        return request, client.PeerTimeout(f"no answer within {request.seconds} s")
    except client.PeerError as error:
        return request, error
