"""Messages for the store, as the view hands them over."""

import json
from typing import Any
from urllib.parse import quote

from bench.write_requests import write_request
from hub.module_policy import POLICIES
from hub.store import WriteRequest
from ocpi.types import ModuleID, PartyRef
from ocpi.versions import VERSIONS
from tests.cast import CPA

LOCATIONS = POLICIES[ModuleID.LOCATIONS]
MODULE = VERSIONS["2.2.1"].modules[ModuleID.LOCATIONS]


def location_write(
    method: str,
    *ids: str,
    body: dict[str, Any] | bytes,
    owner: PartyRef = CPA,
    correlation_id: str = "correlation",
) -> WriteRequest:
    """Make a PUT or PATCH of a Location or a part of it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = "/".join(quote(step, safe="") for step in (owner.country_code, owner.party_id, *ids))
    return write_request(
        ModuleID.LOCATIONS,
        method,
        owner,
        *ids,
        path=path,
        body=raw,
        correlation_id=correlation_id,
    )
