"""Write requests for the store, made from a text alone, not from a message that was read."""

from typing import TYPE_CHECKING

from ocpi.types import ModuleID, PartyRef
from ocpi.validation import decode_object
from ocpi.versions import VERSIONS

if TYPE_CHECKING:
    from hub.store import WriteRequest


def write_request(
    module: ModuleID,
    method: str,
    owner: PartyRef,
    *ids: str,
    path: str,
    body: bytes,
    correlation_id: str = "bench",
    recipient: str = "",
) -> "WriteRequest":
    """Make a write of an owner, filed under its key alone."""
    from hub.module_policy import POLICIES  # noqa: PLC0415 - Django is set up by now
    from hub.store import WriteRequest  # noqa: PLC0415
    from hub.store.identity import object_key  # noqa: PLC0415

    kind = VERSIONS["2.2.1"].modules[module].kept
    assert kind is not None, module  # noqa: S101 - what is kept has objects
    return WriteRequest(
        module=module,
        type=kind,
        policy=POLICIES[module],
        version="2.2.1",
        method=method,
        owner=owner,
        holder=str(owner),
        ids=ids,
        key=object_key(kind, ids[0]),
        path=path,
        body=body,
        value={} if method == "DELETE" else decode_object(body),
        correlation_id=correlation_id,
        audience=recipient,
        recipient=recipient,
    )
