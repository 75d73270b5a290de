"""Who may authorize a driver when nobody knows whose the token is.

Spec: 2.2.1 mod_tokens, real-time authorization; transport and format (Open Routing Request); A-35,
A-100, A-103. By `HUB_AUTHORIZE_UNKNOWN` the hub answers 404 and 2004, or asks at once every eMSP
with which the sender may exchange tokens; the first that allows the driver is taken.
"""

import asyncio
from collections.abc import Sequence
from itertools import islice

from database import sql
from hub.gateway import forwarding, peer_feedback
from hub.gateway.directory import PartyDirectory
from hub.gateway.forwarding import Answer, Outbound
from hub.gateway.message import Message
from hub.gateway.routing import Destination, Direct, Meant, decide_for
from ocpi import client
from ocpi.errors import (
    HubError,
    OcpiError,
    ReceiverNotConnected,
    ReceiverTimeout,
    UnknownToken,
)
from ocpi.validation import decode_object
from parties import access, outbound_auth
from parties.holders import ref_of

MOST_ASKED = 20
"""eMSPs that are asked at once."""

MOST_BYTES_OF_ANSWER = 65_536
"""Of an eMSP's: they are read where all others' are waited for."""

_EVERYBODY = 0
"""In place of a platform's id: no platform has it."""

_ALLOWED, _NOT_ALLOWED = "ALLOWED", "NOT_ALLOWED"
_NOT_FOUND = 404

_WORST_FIRST: Sequence[type[OcpiError]] = (ReceiverTimeout, ReceiverNotConnected)
_Asked = tuple[Outbound, client.Peer]
_Heard = tuple[Outbound, client.Reply | client.PeerError]


def ask_all(message: Message, directory: PartyDirectory) -> tuple[Answer, Destination]:
    """Return the answer of the eMSP that allows the driver, else of one that knows the token.

    Raises `UnknownToken` when everybody says that it does not know the token, and a `HubError` when
    the driver may be of somebody who could not be asked: never a no that nobody gave (A-103).
    """
    asked = [
        (forwarding.outbound(message, destination), outbound_auth.peer_of(destination.platform_id))
        for destination in _candidates(message, directory)
    ]
    sql.release()
    with forwarding.waiting(_EVERYBODY):
        heard = client.shared().run(_until_one_allows(asked))
    _note(heard)
    best = min(heard, key=lambda one: _rank(one[1]), default=None)
    if best is not None and isinstance(best[1], client.Reply) and _verdict(best[1]):
        return forwarding.relayed(best[0], best[1]), best[0].destination
    raise _nobody_knows(message, heard)


def _nobody_knows(message: Message, heard: Sequence[_Heard]) -> OcpiError:
    """Say what is known when nobody said anything of the driver."""
    failed = [reply for _, reply in heard if not _is_unknown_to(reply)]
    if not failed:
        text = f"no eMSP that {message.sender} exchanges tokens with knows this token"
        return UnknownToken(text, http_status=404)
    text = f"{len(failed)} of {len(heard)} eMSPs gave no usable answer in time"
    kinds = {reply.ocpi_error for reply in failed if isinstance(reply, client.PeerError)}
    error = next((kind for kind in _WORST_FIRST if kind in kinds), HubError)
    return error(f"{text}; whose token this is remains unknown")


def _candidates(message: Message, directory: PartyDirectory) -> list[Destination]:
    """Return the eMSPs that can be asked now; `ReceiverNotConnected` when none of them can."""
    module = message.module.identifier
    owners = sorted(access.visible_owners(receiver=message.holder, module=module))
    meant = (Meant(ref_of(owner), owner) for owner in owners)
    routes = (decide_for(each, message.address, directory) for each in meant)
    reachable = (route.destination for route in routes if isinstance(route, Direct))
    # What a hub asks goes to no other hub: it could come round.
    askable = (one for one in reachable if not (message.is_from_hub and one.is_behind_hub))
    found = list(islice(askable, MOST_ASKED))
    if owners and not found:
        text = f"none of the {len(owners)} eMSPs that could know this token can be reached"
        raise ReceiverNotConnected(text)
    return found


async def _until_one_allows(asked: Sequence[_Asked]) -> list[_Heard]:
    """Ask all at once; return what was heard until one allowed, or all answered or were late."""
    heard: list[_Heard] = []
    tasks = [asyncio.ensure_future(_ask(request, peer)) for request, peer in asked]
    try:
        for next_one in asyncio.as_completed(tasks):
            heard.append(await next_one)
            if _verdict(heard[-1][1]) == _ALLOWED:
                break
    finally:
        for task in tasks:
            task.cancel()
    return heard


async def _ask(request: Outbound, peer: client.Peer) -> _Heard:
    try:
        async with asyncio.timeout(request.seconds):
            return request, await client.shared().send(
                request.method,
                request.url,
                peer=peer,
                headers=forwarding.headers(request),
                body=request.body or None,
            )
    except TimeoutError:
        return request, client.PeerTimeout(f"no answer within {request.seconds} s")
    except client.PeerError as error:
        return request, error


def _note(heard: Sequence[_Heard]) -> None:
    """Note what each answer says of its platform, and who left a driver waiting (circuits)."""
    for request, reply in heard:
        about, destination = request.about, request.destination
        if isinstance(reply, client.Reply):
            peer_feedback.answer(destination, reply, about=about)
        else:
            peer_feedback.failure(destination, reply, about=about)


def _rank(reply: client.Reply | client.PeerError) -> int:
    """Order what was heard: a yes, a no of who knows the driver, a no, anything else."""
    verdict = _verdict(reply)
    if verdict == _ALLOWED:
        return 0
    return {"": 3, _NOT_ALLOWED: 2}.get(verdict, 1)


def _verdict(reply: client.Reply | client.PeerError) -> str:
    """Return what is `allowed`; empty when the reply is no authorization."""
    if not isinstance(reply, client.Reply) or len(reply.body) > MOST_BYTES_OF_ANSWER:
        return ""
    if not reply.ok:
        return ""
    try:
        data = decode_object(reply.body).get("data")
    except OcpiError:
        return ""
    return str(data.get("allowed") or "") if isinstance(data, dict) else ""


def _is_unknown_to(reply: client.Reply | client.PeerError) -> bool:
    """Tell whether somebody answered that it does not know the token, with or without envelope."""
    if not isinstance(reply, client.Reply):
        return False
    return reply.status_code == UnknownToken.status_code or reply.http_status == _NOT_FOUND
