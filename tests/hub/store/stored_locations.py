"""Locations of NL-CPA, stored as its messages are, without HTTP."""

import json
from typing import Any

from hub import store
from hub.policy import POLICIES
from hub.store import Incoming
from ocpi.types import ModuleID
from ocpi.versions import VERSIONS
from tests.cast import CPA, a_location


def send(method: str, body: dict[str, Any], *ids: str) -> None:
    """Store a message about a Location, or about a part of one."""
    store.apply(
        Incoming(
            module=VERSIONS["2.2.1"].modules[ModuleID.LOCATIONS],
            policy=POLICIES[ModuleID.LOCATIONS],
            version="2.2.1",
            method=method,
            owner=CPA,
            ids=ids,
            path="/".join(("NL/CPA", *ids)),
            body=json.dumps(body).encode(),
            correlation_id="correlation",
        )
    )


def put(number: int, statuses: tuple[str, ...] = ("AVAILABLE", "CHARGING"), **changes: Any) -> None:
    """Store a Location with an EVSE for each status."""
    body = a_location(CPA, number, evses=len(statuses), **changes)
    for evse, status in zip(body.get("evses", []), statuses, strict=True):
        evse["status"] = status
    send("PUT", body, body["id"])
