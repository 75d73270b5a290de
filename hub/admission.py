"""What is passed on from one party to another, and what is refused before.

Spec: 2.2.1 transport and format (Client Owned Object Push, errors); A-32, A-52, A-62.

Two parties may exchange messages when an agreement, or the hub's open access, says so. Without one
the answer is 4003 with the reason: the specification's 4001 is for an address that is unknown, and
the hub does know the party; what is missing is the connection between the two.

Whether an object is right is for its receiver to say. Refused is only what no receiver could use:
what is not JSON, what says another identity than its URL, a PATCH without `last_updated`.
"""

from collections.abc import Iterator, Mapping

from hub.messages import Message
from hub.store.planning import type_at
from ocpi.errors import Finding, InvalidParameters, NotJson, ReceiverNotConnected
from ocpi.modules import ObjectType
from ocpi.types import PartyRef, fold
from ocpi.validation import decode, decode_object
from parties import access

_WRITES = {"PUT", "PATCH"}


def check(message: Message, *, receiver: PartyRef) -> None:
    """Refuse a message that must not be passed on; raises `OcpiError`."""
    _check_access(message, receiver)
    kind = message.module.object
    if kind is not None and message.is_owned and message.method in _WRITES:
        addressed = type_at(kind, len(message.object_ids))
        findings = tuple(_contradictions(message, addressed, decode_object(message.body)))
        if findings:
            raise InvalidParameters(findings=findings)
    elif message.body:
        decode(message.body)
    elif message.method in _WRITES:
        raise NotJson("the body is empty")


def _check_access(message: Message, receiver: PartyRef) -> None:
    """Deny unless an agreement allows."""
    module = message.module.identifier
    if message.sender == receiver:
        raise InvalidParameters(f"OCPI-to and OCPI-from are the same party, {receiver}")
    verdict = access.verdict(sender=message.sender, receiver=receiver, module=module)
    if not verdict.allowed:
        text = f"{message.sender} and {receiver} are not connected for {module}: {verdict.why}"
        raise ReceiverNotConnected(text)


def _contradictions(
    message: Message, kind: ObjectType, value: Mapping[str, object]
) -> Iterator[Finding]:
    """Compare what a body says of its identity with the URL (TF-49, TF-50)."""
    for name, wanted in _identity(message, kind).items():
        said = value.get(name, wanted)
        if not isinstance(said, str) or fold(said) != fold(wanted):
            yield Finding(name, f"is {said!r:.80} in the body but {wanted!r} in the URL")
    stamped = message.method != "PATCH" or not kind.patch_needs_last_updated
    if not stamped and value.get("last_updated") is None:
        yield Finding("last_updated", "a PATCH must carry it")


def _identity(message: Message, kind: ObjectType) -> dict[str, str]:
    """Return what the URL says of the addressed object; parts carry no owner."""
    identity = {kind.id_field: message.object_ids[-1]}
    if len(message.object_ids) == 1:
        owner = message.owner
        identity |= {"country_code": owner.country_code, "party_id": owner.party_id}
    return identity
