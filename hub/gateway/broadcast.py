"""Broadcast pushes, and everything else the hub stores from messages: owner and audience of each.

Spec: 2.2.1 transport and format, broadcast push and message routing; A-26, A-34. What is addressed
to the hub is stored and fed to receivers. What a party accepted directly is stored for that party
alone and not fed: it has the object already.
"""

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError

from hub import store
from hub.gateway import posts_in_flight, token_owner
from hub.gateway.directory import PartyDirectory
from hub.gateway.http import Answer
from hub.gateway.message import Message
from hub.gateway.routes import Addressee, Broadcast, Destination, Kept
from hub.gateway.routing import destination_for
from hub.gateway.steps import in_thread, remembered, waiting
from hub.module_policy import POLICIES, ModulePolicy
from hub.store import Applied, PostUnderWay, WriteRequest
from hub.store.identity import object_key
from hub.store.leniency import checked
from hub.store.reads import audience_of
from ocpi.errors import (
    Finding,
    HubError,
    InvalidParameters,
    OcpiError,
    ReceiverNotConnected,
    UnknownReceiver,
)
from ocpi.modules import OWNER, ObjectType
from ocpi.transport import envelope
from ocpi.types import InterfaceRole, PartyRef
from parties.epoch import Epoch
from parties.holders import ref_of
from parties.hub_identity import hub_party

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger(__name__)

_FINDINGS_SHOWN = 20


async def accept_push(message: Message, _route: Broadcast) -> Answer:
    """Store a push addressed to the hub; the acknowledgement mentions what is odd about it."""
    request = write_request(message)
    if request.policy.personal:
        request = await remembered(partial(_for_token_owner, message, request))
    try:
        return await _store(message, request)
    except PostUnderWay:
        await in_thread()
        post = partial(_store, message, replace(request, is_claimed=True))
        return await posts_in_flight.post_once(request, message.platform_id, post)


async def _store(message: Message, request: WriteRequest) -> Answer:
    return acknowledgement(message, await waiting(partial(_outcome, store.submit(request))))


async def _outcome(submitted: "Future[Applied]") -> Applied:
    return await asyncio.wrap_future(submitted)


def acknowledgement(message: Message, applied: Applied) -> Answer:
    """Return the answer that the hub has the object, with the first findings in its message."""
    odd = "; ".join([str(finding) for finding in applied.findings[:_FINDINGS_SHOWN]])
    return Answer(
        envelope.render(message=f"accepted; {odd}" if odd else None),
        http_status=201 if applied.created else 200,
        headers=location_header(message, applied),
        findings=applied.findings,
    )


def location_header(message: Message, applied: Applied) -> dict[str, str]:
    """Return the hub's own URL of a posted object (CDR-02); of any other there is none."""
    return {"Location": f"{message.url}/{applied.reference}"} if applied.reference else {}


def policy_of(message: Message) -> ModulePolicy:
    """Return how the module is kept; the hub keeps nothing of a module that is only forwarded."""
    if message.kept is Kept.NOTHING:
        why = "set OCPI-to-country-code and OCPI-to-party-id"
        raise HubError(f"{message.module} must be addressed to a party, not to the hub: {why}")
    return POLICIES[message.module]


def _for_token_owner(message: Message, request: WriteRequest) -> WriteRequest:
    """Return a push of personal data with the party it is for; raises `OcpiError`."""
    to = _destination_of(message, _addressee_of(request, message.epoch))
    return replace(request, audience=to.holder, recipient=to.holder)


def _destination_of(message: Message, addressee: Addressee) -> Destination:
    """Return the party a personal object is kept for, even if it is OFFLINE at present."""
    directory = PartyDirectory(hub_party(), message.holder, message.epoch)
    try:
        to = destination_for(addressee, message, directory)
    except UnknownReceiver as error:
        text = f"the owner of cdr_token: {error}; nothing was stored"
        raise UnknownReceiver(text) from None
    if not to.is_live:
        raise ReceiverNotConnected(f"{to.ref} is {to.status}; nothing was stored")
    return to


def addressee_of(message: Message) -> Addressee:
    """Return the party that a push of personal data with no TO headers is for (SES-16, CDR-14)."""
    return _addressee_of(write_request(message), message.epoch)


def is_kept_push(message: Message) -> bool:
    """Whether a message is a push of what the hub keeps."""
    pushes = message.interface is InterfaceRole.RECEIVER and message.method != "GET"
    return pushes and message.kept is not Kept.NOTHING


def direct_write_request(message: Message, receiver: Destination) -> WriteRequest | None:
    """Return a push addressed to a party as the store takes it; None when it is not kept."""
    if not is_kept_push(message):
        return None
    request = replace(write_request(message), audience=receiver.holder, is_fed=False)
    if not request.policy.personal or message.method == "PATCH":
        return request
    try:
        to = token_owner.owner_of(message.content, sender=message.holder, epoch=message.epoch)
        return replace(request, recipient=_token_holder(message, to, receiver))
    except OcpiError:  # an odd cdr_token is for the receiver to refuse; its copy is stored as sent
        return request


def _token_holder(message: Message, to: Addressee, receiver: Destination) -> str:
    """Return the holder that owns the `cdr_token` of a push to a party: mostly that party."""
    if to.ref == receiver.ref and to.includes(receiver):
        return receiver.holder
    directory = PartyDirectory(hub_party(), message.holder, message.epoch)
    return destination_for(to, message, directory).holder


def remember(request: WriteRequest) -> Applied | None:
    """Store what its receiver accepted; None, with a line in the log, if the hub cannot."""
    try:
        return store.apply(request)
    except OcpiError as error:
        what = f"{request.method} {request.module} of {request.owner}"
        why = f"{error.status_code}, correlation id {request.correlation_id}"
        log.info("%s to %s is not remembered: %s", what, request.audience, why)  # no ids (TOK-20)
    except DatabaseError:
        # Not raised: the receiver has accepted the object, and its sender is to hear that.
        log.exception("what %s accepted is not remembered", request.audience)
    return None


def write_request(message: Message) -> WriteRequest:
    """Return a push as the store takes it; raises `OcpiError`."""
    policy, kind = policy_of(message), message.kind
    if kind is None:
        raise HubError(f"{message.module} has no objects to keep")
    owner, ids, key = message.owner, message.ids, message.key
    value = {} if message.method == "DELETE" else message.content
    if kind.posted:
        owner, ids, key = _posted_identity(message, kind)
    return WriteRequest(
        module=message.module,
        type=kind,
        policy=policy,
        version=message.version,
        method=message.method,
        owner=owner,
        holder=message.holder,
        ids=ids,
        key=key,
        path=message.path,
        body=message.body,
        value=value,
        correlation_id=message.message_ids.correlation_id,
        variant=message.variant,
        lenient=message.quirks.lenient,
    )


def _posted_identity(message: Message, kind: ObjectType) -> tuple[PartyRef, tuple[str, ...], str]:
    """Return owner, ids and key of a posted object: its URL has none, so its body must."""
    value = message.content
    names = (*OWNER, kind.id_field)
    said = {name: value.get(name) for name in names}
    wrong = tuple(
        Finding(name, "is required, as a string of printable characters")
        for name, text in said.items()
        if not isinstance(text, str) or not text or not text.isprintable()
    )
    if wrong:
        raise InvalidParameters(findings=wrong)
    country_code, party_id, object_id = map(str, said.values())
    owner = PartyRef(country_code, party_id)
    if owner != message.sender:
        name = "party_id" if owner.country_code == message.sender.country_code else "country_code"
        text = f"{owner} is not the sender, {message.sender}: an owner speaks for itself"
        raise InvalidParameters(findings=(Finding(name, text),))
    return owner, (object_id,), object_key(kind, object_id, message.variant)


def _addressee_of(request: WriteRequest, epoch: Epoch | None) -> Addressee:
    """Return the owner of a personal object's token; of a PATCH, that of the stored object."""
    kind, value = request.type, request.value
    if request.method != "PATCH":
        checked(request.judge, kind.model, value)
        return token_owner.owner_of(value, sender=request.holder, epoch=epoch)
    holder = audience_of(request.policy, request.holder, request.key)
    if holder is None:
        text = f"the hub holds no {kind.name} {request.ids[0]!r} of {request.owner}"
        raise kind.unknown(f"{text}; send it by PUT first", http_status=404)
    known, token = ref_of(holder), value.get("cdr_token")
    # A PATCH may name only one of country_code and party_id; the stored owner supplies the other.
    own = {"country_code": known.country_code, "party_id": known.party_id}
    named = token_owner.named_owner(own | token) if isinstance(token, dict) else None
    if named not in {None, known}:
        text = f"is of {named}, but this {kind.name} is for {known}: send it by PUT"
        raise InvalidParameters(findings=(Finding("cdr_token", text),))
    return Addressee(known, holder)
