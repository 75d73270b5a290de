"""Real-time authorization of a driver whose token the hub does not know.

Spec: 2.2.1 mod_tokens, real-time authorization; transport and format (Open Routing Request); A-35,
A-100, A-103. `HUB_AUTHORIZE_UNKNOWN` decides whether the hub answers 404 and 2004, or asks every
eMSP with which the sender may exchange tokens, all at once; the first ALLOWED is the answer.
"""

from collections.abc import Sequence
from itertools import islice

from hub.gateway import body_check, forwarding, outbound
from hub.gateway.directory import PartyDirectory
from hub.gateway.forwarding import ForwardingResult, Outcome
from hub.gateway.http import Answer
from hub.gateway.message import Message
from hub.gateway.outbound import PeerAnswer
from hub.gateway.relay import in_its_words
from hub.gateway.routes import Addressee, AskAll, Destination, Direct
from hub.gateway.routing import decide_for
from hub.gateway.steps import in_thread
from ocpi import client
from ocpi.errors import (
    HubError,
    OcpiError,
    ReceiverNotConnected,
    ReceiverTimeout,
    UnknownToken,
)
from ocpi.validation import decode_object
from parties import access
from parties.holders import ref_of
from parties.hub_identity import hub_party

MOST_ASKED = 20
"""eMSPs that are asked at once."""
MOST_BYTES_OF_ANSWER = 65_536
"""Longest answer that is read; it is decoded in the event loop that all requests share."""
_ALLOWED, _NOT_ALLOWED = "ALLOWED", "NOT_ALLOWED"
_NOT_FOUND = 404

_FIRST_TO_REPORT: Sequence[type[OcpiError]] = (ReceiverTimeout, ReceiverNotConnected)


async def authorize_driver(message: Message, _route: AskAll) -> Answer:
    """Return the answer of the eMSP that allows the driver, else of one that knows the token.

    Raises `UnknownToken` when every eMSP says that it does not know the token, and another
    `OcpiError` when one gave no usable answer: the driver may be its customer (A-103).
    """
    await in_thread()
    body_check.check(message)
    directory = PartyDirectory(hub_party(), message.holder, message.epoch)
    requests = [outbound.of_message(message, each) for each in _candidates(message, directory)]
    results = await forwarding.send_all(
        requests, is_enough=lambda outcome: _verdict(outcome) == _ALLOWED
    )
    best = min(results, key=lambda one: _rank(one.outcome), default=None)
    if best is not None and _verdict(best.outcome) and isinstance(best.answer, PeerAnswer):
        return in_its_words(message, best.request.destination, best.answer)
    raise _nobody_knows(message, results)


def _nobody_knows(message: Message, results: Sequence[ForwardingResult]) -> OcpiError:
    """Return the error when no eMSP gave an authorization."""
    failed = [one.outcome for one in results if not _is_unknown_to(one.outcome)]
    if not failed:
        text = f"no eMSP that {message.sender} exchanges tokens with knows this token"
        return UnknownToken(text, http_status=404)
    text = f"{len(failed)} of {len(results)} eMSPs gave no usable answer in time"
    kinds = {reply.ocpi_error for reply in failed if isinstance(reply, client.PeerError)}
    error = next((kind for kind in _FIRST_TO_REPORT if kind in kinds), HubError)
    return error(f"{text}; whose token this is remains unknown")


def _candidates(message: Message, directory: PartyDirectory) -> list[Destination]:
    """Return the eMSPs that can be asked now; `ReceiverNotConnected` when none of them can."""
    module = message.module
    owners = sorted(
        access.visible_owners(receiver=message.holder, module=module, epoch=message.epoch)
    )
    addressees = (Addressee(ref_of(owner), owner) for owner in owners)
    routes = (decide_for(each, message, directory) for each in addressees)
    reachable = (route.destination for route in routes if isinstance(route, Direct))
    # What a hub asks goes to no other hub: it could come round.
    askable = (one for one in reachable if not (message.is_from_hub and one.is_behind_hub))
    found = list(islice(askable, MOST_ASKED))
    if owners and not found:
        text = f"none of the {len(owners)} eMSPs that could know this token can be reached"
        raise ReceiverNotConnected(text)
    return found


def _rank(reply: Outcome) -> int:
    """Return 0 for ALLOWED, 1 for another verdict on a known driver, 2 for NOT_ALLOWED, else 3.

    NOT_ALLOWED comes late: an eMSP may answer so for a token that it does not know.
    """
    verdict = _verdict(reply)
    if verdict == _ALLOWED:
        return 0
    return {"": 3, _NOT_ALLOWED: 2}.get(verdict, 1)


def _verdict(reply: Outcome) -> str:
    """Return the member `allowed` of an AuthorizationInfo; empty when the reply has none."""
    if not isinstance(reply, client.Reply) or len(reply.body) > MOST_BYTES_OF_ANSWER:
        return ""
    if not reply.ok:
        return ""
    try:
        data = decode_object(reply.body).get("data")
    except OcpiError:
        return ""
    return str(data.get("allowed") or "") if isinstance(data, dict) else ""


def _is_unknown_to(reply: Outcome) -> bool:
    """Whether an eMSP answered that it does not know the token, with or without envelope."""
    if not isinstance(reply, client.Reply):
        return False
    return reply.status_code == UnknownToken.status_code or reply.http_status == _NOT_FOUND
