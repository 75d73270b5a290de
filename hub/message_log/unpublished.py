"""Messages about a Location that is not to be published, but that do not say so themselves.

Spec: LOC-17. A PATCH, an EVSE or a Connector has no `publish`, so the stored Location is asked.
"""

from collections.abc import Sequence

import psycopg

from hub.message_log import sql as statements
from hub.message_log.masking import UNPUBLISHED
from hub.message_log.sql import LogRow


def without_bodies(connection: psycopg.Connection, rows: Sequence[LogRow]) -> list[LogRow]:
    """Return rows of the log, without the bodies of those about unpublished Locations."""
    names = {name for row in rows if (name := _location(row)) is not None}
    if not names:
        return list(rows)
    owners, keys = zip(*names, strict=True)
    unpublished = connection.execute(statements.UNPUBLISHED, [list(owners), list(keys)]).fetchall()
    found = set(unpublished)
    return [_without_body(row) if _location(row) in found else row for row in rows]


def _location(row: LogRow) -> tuple[str, str] | None:
    """Return owner and key of the Location that a row is about."""
    if row.module != "locations" or not row.object_key:
        return None
    # At the Receiver interface the path has the owner, NL/CPA/LOC1; the Sender's is the owner's.
    owner = "-".join(row.path.split("/")[:2]) if row.interface == "RECEIVER" else row.receiver
    return owner.upper(), row.object_key


def _without_body(row: LogRow) -> LogRow:
    if row.method == "GET":
        return row._replace(response_body=row.response_body and UNPUBLISHED)
    return row._replace(request_body=row.request_body and UNPUBLISHED)
