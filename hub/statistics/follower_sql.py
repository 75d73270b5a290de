"""The SQL of what follows the feed of Locations: places on the map, statuses and their past."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from datetime import datetime
from typing import NamedTuple

from database.sql import Query
from hub.feed import HORIZON
from hub.models import Change, Evse, EvseChange, EvseStatus, Follower, Location, Spot, Unfed
from hub.models.locations import SPOT_SIZE
from ocpi.types import ModuleID

CHANGE, FOLLOWER, LOCATION, EVSE, SPOT, STATUS, EVSE_CHANGE, UNFED = (
    each._meta.db_table
    for each in (Change, Follower, Location, Evse, Spot, EvseStatus, EvseChange, Unfed)
)
_MODULE = f"module = '{ModuleID.LOCATIONS}'"

BEGIN = f"""
INSERT INTO {FOLLOWER} (module, transaction, seq) VALUES ('{ModuleID.LOCATIONS}', 0, 0)
ON CONFLICT DO NOTHING RETURNING module"""


class FollowedRow(NamedTuple):
    """A change that was read, after the follower's position and how far the feed is final.

    Without any change it is one row whose `seq` is None.
    """

    from_transaction: int
    from_seq: int
    as_of: datetime
    recounted_to: int | None
    final_until: datetime
    below: int
    transaction: int
    seq: int | None
    owner: str
    object_key: str
    method: str
    path: str
    body: str | None
    created_at: datetime


READ = Query(
    f"""
WITH place AS (SELECT *, {HORIZON} AS below FROM {FOLLOWER} WHERE {_MODULE})
SELECT f.transaction, f.seq, f.as_of, f.recounted_to,
  LEAST(now(), (SELECT created_at FROM {CHANGE} WHERE {_MODULE} AND transaction >= f.below
    ORDER BY transaction, seq LIMIT 1)), f.below,
  c.transaction, c.seq, c.owner, c.object_key, c.method, c.path, c.body, c.created_at
FROM place f LEFT JOIN LATERAL (
  SELECT *, sum(octet_length(body)) OVER (
    ORDER BY transaction, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS octets_before
  FROM (SELECT * FROM {CHANGE} WHERE {_MODULE} AND transaction < f.below
      AND (transaction, seq) > (f.transaction, f.seq)
    ORDER BY transaction, seq LIMIT %(limit)s::bigint) AS next
) AS c ON COALESCE(c.octets_before, 0) < %(octets)s::bigint
ORDER BY c.transaction, c.seq""",
    FollowedRow,
)


class UnfedRow(NamedTuple):
    """A write of an own copy."""

    id: int
    location: int
    at: datetime


READ_UNFED = Query(
    f"SELECT id, location_id, at FROM {UNFED} ORDER BY id LIMIT %(limit)s::bigint", UnfedRow
)

# What has a change that is not followed yet comes with that change.
RECOUNTED = f"""
SELECT o.seq, EXISTS (SELECT FROM {CHANGE} c WHERE c.owner = o.owner
    AND c.object_key = o.object_key AND o.audience = '' AND c.audience = '' AND c.{_MODULE}
    AND (c.transaction, c.seq) > (%(transaction)s::bigint, %(seq)s::bigint))
FROM {LOCATION} o WHERE o.seq > %(after)s::bigint ORDER BY o.seq LIMIT %(limit)s::bigint"""


class KnownRow(NamedTuple):
    """An EVSE of a Location that was written: what it is, and what is known of it."""

    location: int
    owner: str
    object_key: str
    audience: str
    evse: int | None
    key: str
    present: str
    status: str | None
    since: datetime | None


KNOWN = Query(
    f"""
SELECT o.seq, o.owner, o.object_key, o.audience, e.id, e.key,
  CASE WHEN e.generation = o.generation THEN e.status ELSE '' END, s.status, s.since
FROM {LOCATION} o LEFT JOIN {EVSE} e ON e.object_id = o.seq LEFT JOIN {STATUS} s ON s.evse_id = e.id
WHERE o.seq = ANY(%(locations)s::bigint[]) OR o.seq = ANY(ARRAY(
  SELECT t.seq FROM {LOCATION} t
  JOIN unnest(%(owners)s::text[], %(keys)s::text[]) AS n(owner, key)
  ON t.owner = n.owner AND t.object_key = n.key AND t.audience = ''))""",
    KnownRow,
)

_COLUMNS = (
    *("available", "blocked", "charging", "inoperative", "outoforder", "planned", "removed"),
    "reserved",
)
_COUNTS = ",\n    ".join(
    f"count(e.id) FILTER (WHERE e.status = '{name.upper()}')" for name in _COLUMNS
)
_NAMED = ", ".join(f"'{name.upper()}'" for name in _COLUMNS)
_KEPT = ("x", "y", *_COLUMNS, "unknown")
# Beyond 85.05113 degrees the projection has no end.
_ANGLE = "radians(greatest(-85.05112, least(85.05112, o.latitude)))"
_X = "floor((o.longitude + 180) / 360 * {edge})"
_Y = "floor((1 - ln(tan({angle}) + 1 / cos({angle})) / pi()) / 2 * {edge})"


def _on_map(step: str) -> str:
    text = step.format(edge=SPOT_SIZE, angle=_ANGLE)
    within = f"greatest(0, least({SPOT_SIZE - 1}, {text}))"
    return f"CASE WHEN o.latitude IS NOT NULL AND o.longitude IS NOT NULL THEN {within} END"


# All or nothing: if another follower moved on from the same position, this one writes nothing.
ADVANCE = f"""
WITH moved AS (
  UPDATE {FOLLOWER} SET transaction = %(transaction)s::bigint, seq = %(seq)s::bigint,
    as_of = %(as_of)s::timestamptz, recounted_to = %(recounted_to)s::bigint
  WHERE {_MODULE} AND transaction = %(from_transaction)s::bigint AND seq = %(from_seq)s::bigint
    AND recounted_to IS NOT DISTINCT FROM %(from_recounted)s::bigint
    AND as_of = %(from_as_of)s::timestamptz
  RETURNING 1
), written AS (
  SELECT o.* FROM moved, {LOCATION} o
  WHERE o.seq = ANY(%(locations)s::bigint[]) AND o.audience = ''
), hidden AS (
  DELETE FROM {SPOT} s USING written o WHERE s.location_id = o.seq AND NOT o.publish
), spot AS (
  INSERT INTO {SPOT} AS s (location_id, {", ".join(_KEPT)})
  SELECT o.seq, {_on_map(_X)}, {_on_map(_Y)},
    {_COUNTS},
    count(e.id) FILTER (WHERE e.status NOT IN ({_NAMED}))
  FROM written o LEFT JOIN {EVSE} e ON e.object_id = o.seq AND e.generation = o.generation
  WHERE o.publish GROUP BY o.seq, o.latitude, o.longitude
  ON CONFLICT (location_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _KEPT)}
  WHERE (s.*) IS DISTINCT FROM (EXCLUDED.*)
), status AS (
  INSERT INTO {STATUS} (evse_id, status, since)
  SELECT e.id, n.status, n.since
  FROM moved, json_to_recordset(%(statuses)s::json)
    AS n(evse bigint, status text, since timestamptz)
  JOIN {EVSE} e ON e.id = n.evse
  ON CONFLICT (evse_id) DO UPDATE SET status = EXCLUDED.status, since = EXCLUDED.since
), change AS (
  INSERT INTO {EVSE_CHANGE} (evse_id, minute, at, before, status)
  SELECT e.id, n.minute, n.at, n.before, n.status
  FROM moved, json_to_recordset(%(changes)s::json)
    AS n(evse bigint, minute timestamptz, at timestamptz, before text, status text)
  JOIN {EVSE} e ON e.id = n.evse
  ON CONFLICT (evse_id, minute) DO UPDATE SET at = EXCLUDED.at, status = EXCLUDED.status
), unfed AS (
  DELETE FROM {UNFED} u USING moved WHERE u.id = ANY(%(unfed)s::bigint[])
)
SELECT count(*) FROM moved"""

RECOUNT = f"UPDATE {FOLLOWER} SET recounted_to = 0 WHERE {_MODULE} RETURNING module"
