"""References to posted CDRs: the last segment of the `Location` that the hub gave for one.

Spec: 2.2.1 mod_cdrs, POST and GET of the Receiver interface; A-95.
"""

from uuid import UUID

from database import sql
from hub.store.sql import reads as statements
from hub.store.sql.reads import Posted
from hub.store.write_request import WriteRequest

__all__ = ["Posted", "by_reference", "remember_location"]


def by_reference(reference: str) -> Posted | None:
    """Return the object with this reference, None when there is none."""
    try:
        key = UUID(reference)
    except ValueError:
        return None
    return sql.row(statements.BY_REFERENCE, {"key": key})


def remember_location(request: WriteRequest, location: str) -> None:
    """Store the URL at which the receiver of a posted object keeps it."""
    sql.row(statements.SET_LOCATION, {**_parameters(request), "location": location})


def _parameters(request: WriteRequest) -> dict[str, str]:
    return {"owner": request.holder, "key": request.key, "audience": request.audience}
