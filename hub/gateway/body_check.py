"""The check of a body before it is forwarded: a body that no receiver could use is refused.

Spec: 2.2.1 transport and format (Client Owned Object Push, errors); A-32, A-52, A-62. Whether the
sender may send it is checked earlier: `hub.gateway.routing` finds no party without access.

Whether an object is valid is for its receiver to decide. No receiver can use a body that is not
JSON, one whose identity contradicts its URL, or a PATCH without `last_updated`.
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
        _ = message.value  # decoding raises `NotJson` and its like
    elif message.method in _WRITES:
        raise NotJson("the body is empty")


def _findings(message: Message, kind: ObjectType) -> Iterator[Finding]:
    """Find contradictions with the URL, and a PATCH without `last_updated`."""
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
