"""The SQL of the figures: sums over what was counted as it happened."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from datetime import datetime
from typing import NamedTuple

from django.db.models import Model

from database.sql import Query
from hub.models import DeadLetter, Location, Spot, Subscription, Traffic
from parties.models import Party

TRAFFIC, SUBSCRIPTION, PARTY = (each._meta.db_table for each in (Traffic, Subscription, Party))
DEAD_LETTER, LOCATION, SPOT = (each._meta.db_table for each in (DeadLetter, Location, Spot))


class TrafficOfBucket(NamedTuple):
    """Messages of a module in one bucket of time; buckets are numbered from 0."""

    bucket: int
    module: str
    number: int
    failed: int


TRAFFIC_BY_BUCKET = Query(
    f"""
SELECT (extract(epoch FROM begin - %(begin)s::timestamptz) / (60 * %(minutes)s::int))::int,
  module, sum(number)::bigint, sum(failed)::bigint
FROM (SELECT module, number, failed,
    date_bin(make_interval(mins => %(minutes)s::int), minute, %(begin)s::timestamptz) AS begin
  FROM {TRAFFIC} WHERE minute >= %(begin)s::timestamptz AND minute < %(end)s::timestamptz) AS t
GROUP BY 1, 2 ORDER BY 2, 1""",
    TrafficOfBucket,
)


class DeadLettersOfSubscription(NamedTuple):
    """How many dead letters a subscription has, and since when."""

    receiver: str
    number: int
    oldest: datetime


# Only the oldest `most` are read, however many there are.
DEAD_LETTERS_BY_SUBSCRIPTION = Query(
    f"""
SELECT p.holder, d.number, d.oldest FROM (
  SELECT subscription_id, count(*) AS number, min(created_at) AS oldest FROM (
    SELECT subscription_id, created_at FROM {DEAD_LETTER} ORDER BY id LIMIT %(most)s::bigint
  ) AS first GROUP BY subscription_id) AS d
JOIN {SUBSCRIPTION} b ON b.id = d.subscription_id JOIN {PARTY} p ON p.id = b.receiver_id""",
    DeadLettersOfSubscription,
)


class Cluster(NamedTuple):
    """The locations of one cell: their mean position, how many, and their EVSEs by status.

    `busy` is CHARGING or RESERVED, `broken` INOPERATIVE or OUTOFORDER. `pk` and `name` are set if
    there is one location alone.
    """

    x: int
    y: int
    locations: int
    available: int
    busy: int
    broken: int
    other: int
    pk: int | None
    name: str | None


# OFFSET 0 keeps the planner from merging the subquery; it would expect a cell for each location.
CLUSTERS = Query(
    f"""
SELECT c.x, c.y, c.locations, c.available, c.busy, c.broken, c.other,
  CASE WHEN c.locations = 1 THEN c.first END,
  CASE WHEN c.locations = 1 THEN (SELECT left(coalesce(nullif(o.name, ''), o.object_id), 100)
    FROM {LOCATION} o WHERE o.seq = c.first) END
FROM (
  SELECT sum(x) / count(*) AS x, sum(y) / count(*) AS y, count(*) AS locations,
    sum(available) AS available, sum(busy) AS busy, sum(broken) AS broken, sum(other) AS other,
    min(location_id) AS first
  FROM (
    SELECT x >> %(shift)s::int AS across, y >> %(shift)s::int AS down, x, y, location_id,
      available, charging + reserved AS busy, inoperative + outoforder AS broken,
      blocked + planned + removed + unknown AS other
    FROM {SPOT}
    WHERE x BETWEEN %(left)s::int AND %(right)s::int AND y BETWEEN %(top)s::int AND %(bottom)s::int
    OFFSET 0) AS seen
  GROUP BY across, down LIMIT %(most)s::int) AS c
ORDER BY c.locations""",
    Cluster,
)


def delete_old(model: type[Model], column: str) -> str:
    """Return the statement that deletes a batch of rows older than a moment, and counts them."""
    table = model._meta.db_table
    return f"""
WITH deleted AS (
  DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE {column} < %(old)s::timestamptz LIMIT %(batch)s::bigint))
  RETURNING 1)
SELECT count(*) FROM deleted"""
