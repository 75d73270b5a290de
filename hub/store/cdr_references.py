"""What was created by POST, by the reference that stands in its `Location`.

Spec: 2.2.1 mod_cdrs, POST and GET of the Receiver interface; A-95.
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from dataclasses import dataclass
from uuid import UUID

from database import sql
from hub.models import Cdr
from hub.store.sql import THIS
from hub.store.write_request import WriteRequest

_TABLE = Cdr._meta.db_table


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted object: whose it is, whom it was sent to, and where that party keeps it.

    `remote_location` is empty when the hub alone can be asked for it.
    """

    owner: str
    audience: str
    text: bytes
    remote_location: str


def by_reference(reference: str) -> Posted | None:
    """Return what a reference stands for."""
    try:
        key = UUID(reference)
    except ValueError:
        return None
    found = sql.row(
        f"SELECT owner, audience, text, remote_location FROM {_TABLE} WHERE reference = %(key)s",
        {"key": key},
    )
    if found is None:
        return None
    owner, audience, text, remote_location = found
    return Posted(owner, audience, str(text).encode(), remote_location)


def reference_of(request: WriteRequest) -> str | None:
    """Return the reference of a posted object that is stored."""
    found = sql.row(f"SELECT reference FROM {_TABLE} WHERE {THIS}", _this(request))
    return str(found[0]) if found else None


def remember_location(request: WriteRequest, location: str) -> None:
    """Note where its receiver keeps a posted object."""
    sql.row(
        f"""UPDATE {_TABLE} SET remote_location = %(location)s::text
  WHERE {THIS} RETURNING seq""",
        {**_this(request), "location": location},
    )


def _this(request: WriteRequest) -> dict[str, str]:
    return {"owner": request.holder, "key": request.key, "audience": request.audience}
