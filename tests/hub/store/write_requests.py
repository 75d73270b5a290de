"""Messages for the store, as the view hands them over."""

import json
from typing import Any
from urllib.parse import quote

from hub.policy import POLICIES
from hub.store import Incoming
from ocpi.types import ModuleID, PartyRef
from ocpi.versions import VERSIONS
from tests.cast import CPA

LOCATIONS = POLICIES[ModuleID.LOCATIONS]
MODULE = VERSIONS["2.2.1"].modules[ModuleID.LOCATIONS]


def incoming(
    method: str,
    *ids: str,
    body: dict[str, Any] | bytes,
    owner: PartyRef = CPA,
    correlation_id: str = "correlation",
) -> Incoming:
    """Make a PUT or PATCH of a Location or a part of it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = "/".join(quote(step, safe="") for step in (owner.country_code, owner.party_id, *ids))
    return Incoming(
        module=MODULE,
        policy=LOCATIONS,
        version="2.2.1",
        method=method,
        owner=owner,
        ids=ids,
        path=path,
        body=raw,
        correlation_id=correlation_id,
    )
