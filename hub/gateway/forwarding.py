"""Forwarding of a message to its party, and of the answer back: at once, never queued or changed.

Spec: 2.2.1 transport and format, message routing. Who waits holds neither a thread nor a
database connection.
`hub.gateway.outbound` decides what is sent and what the answer becomes.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from django.conf import settings

from hub.gateway import bulkhead, outbound, peer_feedback
from hub.gateway.outbound import Outbound, PeerAnswer
from hub.gateway.steps import in_thread, remembered, waiting
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


async def send(request: Outbound) -> PeerAnswer:
    """Send a request to a party, once; raises `OcpiError` where no answer can be relayed.

    Ends on the loop, unless there is something to note of the platform.
    """
    platform_id = request.destination.platform_id
    peer = await remembered(partial(outbound_auth.peer_of, platform_id, request.epoch))
    with _place(platform_id):
        outcome = await waiting(partial(_asked, request, peer))
    answer = outbound.answer(request, outcome)
    if peer_feedback.has_news(request, outcome, answer):
        await in_thread()
        peer_feedback.note(request, outcome, answer)
    else:
        peer_feedback.note_deviations(request, outcome, answer)
    if isinstance(answer, OcpiError):
        raise answer from (outcome if isinstance(outcome, client.PeerError) else None)
    return answer


async def send_all(
    requests: Sequence[Outbound], *, is_enough: Callable[[Outcome], bool]
) -> list[ForwardingResult]:
    """Send all at once; return the results up to the first that `is_enough`, else all of them.

    Begins and ends in a thread.
    """
    peers = [outbound_auth.peer_of(each.destination.platform_id, each.epoch) for each in requests]
    asked = list(zip(requests, peers, strict=True))
    with _place(_ALL_PLATFORMS):
        exchanges = await waiting(partial(_until, asked, is_enough))
    await in_thread()
    return [_result(request, outcome) for request, outcome in exchanges]


def _place(platform_id: int) -> AbstractContextManager[None]:
    """Hold a slot of the platform's bulkhead; half of the connections are for who needs no peer."""
    most: int = settings.HUB_REQUESTS_PER_PEER
    return bulkhead.slot(platform_id, most=most, in_all=settings.HUB_WEB_CONNECTIONS // 2)


def _result(request: Outbound, outcome: Outcome) -> ForwardingResult:
    """Decide what an outcome becomes for the requester, and note what it says of the platform."""
    answer = outbound.answer(request, outcome)
    peer_feedback.note(request, outcome, answer)
    return ForwardingResult(request, outcome, answer)


async def _until(
    asked: Sequence[tuple[Outbound, client.Peer]], is_enough: Callable[[Outcome], bool]
) -> list[tuple[Outbound, Outcome]]:
    exchanges: list[tuple[Outbound, Outcome]] = []
    tasks = [asyncio.ensure_future(_one_of(request, peer)) for request, peer in asked]
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


async def _one_of(request: Outbound, peer: client.Peer) -> tuple[Outbound, Outcome]:
    return request, await _asked(request, peer)


async def _asked(request: Outbound, peer: client.Peer) -> Outcome:
    calling = client.shared()
    calling.adopt()
    try:
        async with asyncio.timeout(request.seconds):
            return await calling.send(
                request.method,
                request.url,
                peer=peer,
                headers=request.headers(),
                body=request.body or None,
            )
    except TimeoutError:
        return client.PeerTimeout(f"no answer within {request.seconds:g} s")
    except client.PeerError as error:
        return error
