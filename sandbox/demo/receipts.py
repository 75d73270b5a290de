"""The receipt of a push, as a demo process prints it: what it was about, whether it was taken.

Spec: 2.2.1 transport_and_format (push).
"""

from dataclasses import dataclass
from typing import Any

from ocpi.errors import OcpiError
from ocpi.status_codes import StatusCode
from ocpi.transport.message_ids import MessageIds
from ocpi.types import InterfaceRole, PartyRef
from ocpi.versions import VERSIONS
from sandbox.demo.push import shown_path
from sandbox.endpoints import Endpoint, EndpointKind
from sandbox.object_store import read_object
from sandbox.patch import Json
from sandbox.recorder import Seen
from sandbox.server import Answer

PUSHES = ("PUT", "PATCH", "POST", "DELETE")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One push and what became of it."""

    accepted: bool
    facts: dict[str, Any]


def read(endpoint: Endpoint, seen: Seen, answer: Answer) -> Receipt | None:
    """Read the receipt out of a request and its answer; None when it is no push of an object."""
    if seen.method not in PUSHES or endpoint.kind is not EndpointKind.ENDPOINT:
        return None
    kept = VERSIONS[endpoint.version].modules[endpoint.module].kept
    if kept is None or endpoint.role is not InterfaceRole.RECEIVER:
        return None
    answered, body = read_object(answer.body), _body(seen)
    return Receipt(
        accepted=answered.get("status_code") == StatusCode.SUCCESS,
        facts={
            "method": seen.method,
            "module": str(endpoint.module),
            "path": _path(endpoint, seen, body),
            "status": body.get("status", ""),
            "correlation_id": MessageIds.read(seen.headers).correlation_id,
            "status_code": answered.get("status_code"),
            "reason": answered.get("status_message", ""),
        },
    )


def _path(endpoint: Endpoint, seen: Seen, body: Json) -> str:
    posted = tuple(str(body.get(name)) for name in ("country_code", "party_id", "id"))
    country, party, *ids = endpoint.rest or posted
    owner = PartyRef(country, party)
    return shown_path(str(endpoint.module), owner, tuple(ids), seen.query.get("type", ""))


def _body(seen: Seen) -> Json:
    try:
        return read_object(seen.body)
    except OcpiError:
        return {}
