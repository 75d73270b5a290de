"""The check of a body that is to be passed on to a party: refused is what no receiver could use.

Spec: 2.2.1 transport and format (Client Owned Object Push, errors); A-32, A-52, A-62. Who may send
it is `hub.gateway.routing`'s business: without access no party is found.

Whether an object is right is for its receiver to say. What none could use is what is not JSON, what
says another identity than its URL, and a PATCH without `last_updated`.
"""

from collections.abc import Iterator

from hub.gateway.message import Message
from hub.store.identity import contradictions, lacks_last_updated
from hub.store.write_request import type_at
from ocpi.errors import Finding, InvalidParameters, NotJson
from ocpi.modules import ObjectType

_WRITES = {"PUT", "PATCH"}


def check(message: Message) -> None:
    """Refuse a body that no receiver could use; raises `OcpiError`."""
    kind = message.kind
    if kind is not None and message.url_owner and message.method in _WRITES:
        findings = tuple(_findings(message, kind))
        if findings:
            raise InvalidParameters(findings=findings)
    elif message.body:
        _ = message.value  # raises what is wrong with it
    elif message.method in _WRITES:
        raise NotJson("the body is empty")


def _findings(message: Message, kind: ObjectType) -> Iterator[Finding]:
    """Find what no receiver could use."""
    value, addressed = message.content, type_at(kind, len(message.ids))
    yield from contradictions(
        value,
        addressed,
        owner=message.owner,
        ids=message.ids,
        variant=message.variant if addressed is kind else None,
    )
    if message.method == "PATCH":
        yield from lacks_last_updated(value, addressed)
