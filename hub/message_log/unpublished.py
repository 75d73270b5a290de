"""What is about a Location its owner does not publish, and does not say so itself.

Spec: LOC-17. A PATCH, an EVSE and a Connector have no `publish`; the Location as it is stored has.
"""

from collections.abc import Sequence

import psycopg

from hub.message_log.masking import UNPUBLISHED
from hub.message_log.rows import COLUMNS, Row

_UNPUBLISHED = """
SELECT named.owner, named.object_key
FROM unnest(%s::text[], %s::text[]) AS named (owner, object_key)
CROSS JOIN LATERAL (SELECT named.owner AS name
  UNION SELECT h.name FROM parties_holder h WHERE h.key = named.owner) AS holder
JOIN hub_location l ON l.owner = holder.name AND l.object_key = named.object_key
WHERE NOT l.publish"""

Name = tuple[str, str]


def left_out(connection: psycopg.Connection, made: Sequence[Row]) -> list[Row]:
    """Leave out the bodies that are about unpublished Locations."""
    names = {name for row in made if (name := _location(row)) is not None}
    if not names:
        return list(made)
    owners, keys = zip(*names, strict=True)
    found = set(connection.execute(_UNPUBLISHED, [list(owners), list(keys)]).fetchall())
    return [_without_body(row) if _location(row) in found else row for row in made]


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
