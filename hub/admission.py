"""What is passed on from one party to another, and what is refused before.

Spec: 2.2.1 transport and format (Client Owned Object Push, errors); A-32, A-52, A-62.

Two parties may exchange messages when an agreement, or the hub's open access, says so. Without one
the answer is 4003 with the reason: the specification's 4001 is for an address that is unknown, and
the hub does know the party; what is missing is the connection between the two.

Whether an object is right is for its receiver to say. Refused is only what no receiver could use:
what is not JSON, what says another identity than its URL, a PATCH without `last_updated`.
"""

from collections.abc import Iterator

from hub.messages import Message
from hub.routing import Destination
from hub.store.identity import contradictions, lacks_last_updated
from hub.store.incoming import type_at
from ocpi.errors import Finding, InvalidParameters, NotJson, ReceiverNotConnected
from ocpi.modules import ObjectType
from ocpi.types import PartyRef, Role
from ocpi.validation import decode, decode_object
from parties import access

_WRITES = {"PUT", "PATCH"}


def check(message: Message, destination: Destination) -> None:
    """Refuse a message that must not be passed on; raises `OcpiError`."""
    check_access(message, destination.ref, role=destination.role)
    check_body(message)


def check_body(message: Message) -> None:
    """Refuse a body that no receiver could use; raises `OcpiError`."""
    kind = message.module.object
    if kind is not None and message.is_owned and message.method in _WRITES:
        findings = tuple(_findings(message, kind))
        if findings:
            raise InvalidParameters(findings=findings)
    elif message.body:
        decode(message.body)
    elif message.method in _WRITES:
        raise NotJson("the body is empty")


def check_access(message: Message, receiver: PartyRef, *, role: Role | None = None) -> None:
    """Deny unless an agreement allows, with the receiver in the `role` it is addressed in.

    Raises `OcpiError`.
    """
    module = message.module.identifier
    # Another hub names itself when it broadcasts: whose object it is decides.
    sender = message.owner if message.is_from_hub and message.is_owned else message.sender
    if message.sender == receiver:
        raise InvalidParameters(f"OCPI-to and OCPI-from are the same party, {receiver}")
    called = (message.interface, role) if role else None
    verdict = access.verdict(sender=sender, receiver=receiver, module=module, called=called)
    if not verdict.allowed:
        text = f"{sender} and {receiver} are not connected for {module}: {verdict.why}"
        raise ReceiverNotConnected(text)


def _findings(message: Message, kind: ObjectType) -> Iterator[Finding]:
    """Find what no receiver could use."""
    value = decode_object(message.body)
    addressed = type_at(kind, len(message.object_ids))
    yield from contradictions(
        value,
        addressed,
        owner=message.owner,
        ids=message.object_ids,
        variant=message.variant if addressed is kind else None,
    )
    if message.method == "PATCH":
        yield from lacks_last_updated(value, addressed)
