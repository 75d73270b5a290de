"""Which of the messages the hub keeps, as whose, and for whom.

Spec: 2.2.1 transport and format, broadcast push and message routing; A-26, A-34. What is addressed
to the hub is stored and fed to receivers. What a party accepted directly is remembered for that
party alone: it has it already.
"""

import logging
from dataclasses import replace

from django.db import DatabaseError, transaction

from hub import store
from hub.gateway import token_owner
from hub.gateway.directory import PartyDirectory
from hub.gateway.message import Message
from hub.gateway.routing import Destination, Meant, destination_for
from hub.policy import POLICIES, Policy
from hub.store import Applied, Incoming
from hub.store.reads import audience_of
from ocpi.errors import (
    Finding,
    HubError,
    InvalidParameters,
    OcpiError,
    ReceiverNotConnected,
    UnknownReceiver,
)
from ocpi.types import InterfaceRole, PartyRef
from ocpi.validation import decode_object, validate
from parties.holders import ref_of
from parties.hub_identity import hub_party

log = logging.getLogger(__name__)


def policy_of(message: Message) -> Policy:
    """Return how the module is kept; the hub keeps nothing of a module that is only forwarded."""
    module = message.module.identifier
    if module not in POLICIES:
        why = "set OCPI-to-country-code and OCPI-to-party-id"
        raise HubError(f"{module} must be addressed to a party, not to the hub: {why}")
    return POLICIES[module]


def addressed_to_hub(message: Message) -> Incoming:
    """Return a push addressed to the hub as the store takes it; raises `OcpiError`."""
    incoming = _incoming(message)
    if not incoming.policy.personal:
        return incoming
    to = _receiving(message, _recipient(message, incoming))
    return replace(incoming, audience=to.holder, recipient=to.holder)


def _receiving(message: Message, meant: Meant) -> Destination:
    """Return for whom a personal object is kept, however it is connected at present."""
    directory = PartyDirectory(hub_party(), message.holder)
    try:
        to = destination_for(meant, message.address, directory)
    except UnknownReceiver as error:
        text = f"the owner of cdr_token: {error}; nothing was stored"
        raise UnknownReceiver(text) from None
    if not to.is_live:
        raise ReceiverNotConnected(f"{to.ref} is {to.status}; nothing was stored")
    return to


def recipient(message: Message) -> Meant:
    """Return the party a push of personal data without a receiver is for (SES-16, CDR-14)."""
    return _recipient(message, _incoming(message))


def addressed_to(message: Message, receiver: Destination) -> Incoming | None:
    """Return a push addressed to a party as the store takes it; None when it is not kept."""
    pushes = message.interface is InterfaceRole.RECEIVER and message.method != "GET"
    if not pushes or message.module.identifier not in POLICIES:
        return None
    incoming = replace(_incoming(message), audience=receiver.holder, is_fed=False)
    if not incoming.policy.personal or message.method == "PATCH":
        return incoming
    try:
        to = token_owner.recipient_of(decode_object(message.body), sender=message.holder)
        return replace(incoming, recipient=_named_in(message, to, receiver))
    except OcpiError:  # its receiver knows better
        return incoming


def _named_in(message: Message, to: Meant, receiver: Destination) -> str:
    """Return the holder of the token in what is pushed to a party: mostly that party."""
    if to.ref == receiver.ref and to.includes(receiver):
        return receiver.holder
    directory = PartyDirectory(hub_party(), message.holder)
    return destination_for(to, message.address, directory).holder


def remember(incoming: Incoming) -> Applied | None:
    """Store what its receiver accepted; what the hub cannot read is that receiver's business."""
    is_change = incoming.method == "PATCH" or len(incoming.ids) > 1
    try:
        with transaction.atomic():  # what cannot be changed leaves no copy behind
            if is_change and not incoming.policy.personal:
                store.fork(incoming)
            applied = store.apply(incoming)
            if not incoming.policy.personal:
                store.forget_if_older(incoming)
            return applied
    except OcpiError as error:
        what = f"{incoming.method} {incoming.module.identifier} of {incoming.owner}"
        told = f"{error.status_code}, correlation id {incoming.correlation_id}"
        log.info("%s to %s is not remembered: %s", what, incoming.audience, told)  # no ids (TOK-20)
    except DatabaseError:
        log.exception("what %s accepted is not remembered", incoming.audience)  # accepted it is
    return None


def _incoming(message: Message) -> Incoming:
    owner, ids = _identity(message)
    return Incoming(
        module=message.module,
        policy=policy_of(message),
        version=message.version,
        method=message.method,
        owner=owner,
        filed_as=message.holder,
        ids=ids,
        path=message.path,
        body=message.body,
        correlation_id=message.ids.correlation_id,
        variant=message.variant,
    )


def _identity(message: Message) -> tuple[PartyRef, tuple[str, ...]]:
    """Return owner and ids: from the URL, or of what is posted from the body."""
    kind = message.module.object
    if kind is None or not kind.posted:
        return message.owner, message.object_ids
    value = decode_object(message.body)
    names = ("country_code", "party_id", kind.id_field)
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
        text = f"{owner} is not the sender, {message.sender}: an owner speaks for itself"
        raise InvalidParameters(findings=(Finding("party_id", text),))
    return owner, (object_id,)


def _recipient(message: Message, incoming: Incoming) -> Meant:
    """Return for whom a personal object is; a PATCH is for whom the object was."""
    value = decode_object(message.body)
    if message.method != "PATCH":
        validate(incoming.type.model, value)
        return token_owner.recipient_of(value, sender=message.holder)
    holder = audience_of(incoming.policy, incoming.holder, incoming.key)
    if holder is None:
        text = f"the hub holds no {incoming.type.name} {incoming.ids[0]!r} of {incoming.owner}"
        raise incoming.type.unknown(f"{text}; send it by PUT first", http_status=404)
    known, token = ref_of(holder), value.get("cdr_token")
    own = {"country_code": known.country_code, "party_id": known.party_id}  # a PATCH may name half
    named = token_owner.named_owner(own | token) if isinstance(token, dict) else None
    if named not in {None, known}:
        text = f"is of {named}, but this {incoming.type.name} is for {known}: send it by PUT"
        raise InvalidParameters(findings=(Finding("cdr_token", text),))
    return Meant(known, holder)
