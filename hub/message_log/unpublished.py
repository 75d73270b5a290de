"""Messages about a Location that its owner does not publish, and that do not say so themselves.

Spec: LOC-17. A PATCH, an EVSE and a Connector have no `publish`; the Location as it is stored has.
"""

from collections.abc import Sequence

import psycopg

from hub.message_log import sql as statements
from hub.message_log.masking import UNPUBLISHED
from hub.message_log.rows import Row
from hub.message_log.sql import COLUMNS

Name = tuple[str, str]


def without_bodies(connection: psycopg.Connection, rows: Sequence[Row]) -> list[Row]:
    """Return rows of the log without the bodies that are about unpublished Locations."""
    names = {name for row in rows if (name := _location(row)) is not None}
    if not names:
        return list(rows)
    owners, keys = zip(*names, strict=True)
    found = set(connection.execute(statements.UNPUBLISHED, [list(owners), list(keys)]).fetchall())
    return [_without_body(row) if _location(row) in found else row for row in rows]


def _location(row: Row) -> Name | None:
    """Return owner and key of the Location a row names, as the hub stores them."""
    of = dict(zip(COLUMNS, row, strict=True))
    if of["module"] != "locations" or not of["object_key"]:
        return None
    owner = "-".join(of["path"].split("/")[:2]) if of["interface"] == "RECEIVER" else of["receiver"]
    return owner.upper(), of["object_key"]


def _without_body(row: Row) -> Row:
    of = dict(zip(COLUMNS, row, strict=True))
    body = "response_body" if of["method"] == "GET" else "request_body"
    return tuple((of | {body: of[body] and UNPUBLISHED}).values())
