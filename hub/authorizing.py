"""Who may authorize a driver when nobody knows whose the token is.

Spec: 2.2.1 mod_tokens, real-time authorization; transport and format (Open Routing Request); A-35,
A-100, A-103. By `HUB_AUTHORIZE_UNKNOWN` the hub answers 404 and 2004, or asks at once every eMSP
with which the sender may exchange tokens; the first that allows the driver is taken.
"""

import asyncio
from collections.abc import Sequence
from itertools import islice

from django.conf import settings

from hub import circuits, forwarding
from hub.directory import PartyDirectory
from hub.forwarding import Answer, Outbound
from hub.messages import Message
from hub.routing import Destination, Direct, decide_for
from ocpi import client
from ocpi.errors import OcpiError, UnknownToken
from ocpi.types import PartyRef
from ocpi.validation import decode_object
from parties import access, database, peers

_MOST = 20
"""eMSPs that are asked at once."""

_EVERYBODY = 0
"""In place of a platform's id: no platform has it."""

_Asked = tuple[Outbound, client.Peer]
_Heard = tuple[Outbound, client.Reply | client.PeerError]


def ask_all(message: Message, directory: PartyDirectory) -> tuple[Answer, Destination]:
    """Return the answer of the eMSP that allows the driver; `UnknownToken` when none does."""
    asked = [
        (forwarding.outbound(message, destination), peers.peer_of(destination.platform_id))
        for destination in _candidates(message, directory)
    ]
    database.release()
    with forwarding.waiting(_EVERYBODY):
        heard = client.shared().run(_until_one_allows(asked))
    for request, reply in heard:
        if isinstance(reply, client.Reply) and _allows(reply):
            return forwarding.relayed(request, reply), request.destination
    _note(asked, heard)
    text = f"no eMSP that {message.sender} exchanges tokens with allows this token"
    raise UnknownToken(text, http_status=404)


def _candidates(message: Message, directory: PartyDirectory) -> list[Destination]:
    """Return the eMSPs that can be asked now."""
    module = message.module.identifier
    owners = sorted(access.visible_owners(receiver=message.sender, module=module))
    routes = (decide_for(PartyRef.parse(owner), message.address, directory) for owner in owners)
    reachable = (route.destination for route in routes if isinstance(route, Direct))
    # What a hub asks goes to no other hub: it could come round.
    askable = (one for one in reachable if not (message.is_from_hub and one.is_behind_hub))
    return list(islice(askable, _MOST))


async def _until_one_allows(asked: Sequence[_Asked]) -> list[_Heard]:
    """Ask all at once; return what was heard until one allowed, or the time was up."""
    heard: list[_Heard] = []
    tasks = [asyncio.ensure_future(_ask(request, peer)) for request, peer in asked]
    try:
        for next_one in asyncio.as_completed(tasks, timeout=settings.HUB_AUTHORIZE_TIMEOUT):
            request, reply = await next_one
            heard.append((request, reply))
            if isinstance(reply, client.Reply) and _allows(reply):
                break
    except TimeoutError:
        pass
    finally:
        for task in tasks:
            task.cancel()
    return heard


async def _ask(request: Outbound, peer: client.Peer) -> _Heard:
    try:
        return request, await client.shared().send(
            request.method,
            request.url,
            peer=peer,
            headers=forwarding.headers(request),
            body=request.body or None,
        )
    except client.PeerError as error:
        return request, error


def _note(asked: Sequence[_Asked], heard: Sequence[_Heard]) -> None:
    """Count who left a driver waiting: soon nobody waits for it (circuits)."""
    answered = {
        request.destination.platform_id
        for request, reply in heard
        if not isinstance(reply, client.PeerTimeout | client.PeerUnreachable)
    }
    for request, _ in asked:
        if request.destination.platform_id in answered:
            circuits.note_answer(request.destination)
        else:
            circuits.note_silence(request.destination)


def _allows(reply: client.Reply) -> bool:
    try:
        data = decode_object(reply.body).get("data")
    except OcpiError:
        return False
    return reply.ok and isinstance(data, dict) and data.get("allowed") == "ALLOWED"
