"""The feed: what a receiver has not been told yet, in an order that never changes afterwards.

Changes are ordered by (`transaction`, `seq`) and read only below the oldest running transaction:
everything there is committed or gone for good, so a position once passed stays complete however
late another transaction commits. The store takes an object's lock before its transaction number,
which makes this order each object's own order too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from parties import database

HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""SQL of the first transaction that may not be over; whatever is below is final."""
END_OF_TRANSACTION = 2**63 - 1
"""A `seq` behind every change of a transaction."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the feed: everything up to and including it has been dealt with."""

    transaction: int
    seq: int


@dataclass(frozen=True, slots=True)
class FedChange:
    """A change as a receiver may see it."""

    position: Position
    owner: str
    object_key: str
    part_key: str
    revision: int
    method: str
    path: str
    body: str | None
    correlation_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a module's feed is read: what its owners say to everybody, or all that is for one."""

    module: str
    owners: Collection[str] = ()
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some changes, and the position that is reached once they are dealt with."""

    changes: tuple[FedChange, ...]
    reached: Position
    complete: bool


_FOR_EVERYBODY = "owner = ANY(%(owners)s::text[]) AND audience = ''"
# Names the condition of the index, which no parameter can fulfil.
_FOR_ONE = "audience = %(audience)s::text AND audience <> ''"


def _reading(wanted: str) -> str:
    return f"""
WITH horizon AS (SELECT {HORIZON} AS below)
SELECT horizon.below, c.* FROM horizon LEFT JOIN LATERAL (
  SELECT transaction, seq, owner, object_key, part_key, revision, method, path, body,
    correlation_id, created_at
  FROM (
    SELECT *, sum(octets) OVER (ORDER BY transaction, seq) - octets AS before FROM (
      SELECT *, COALESCE(length(body), 0) AS octets FROM hub_change
      WHERE module = %(module)s::text AND transaction < horizon.below
        AND (transaction, seq) > (%(transaction)s::bigint, %(seq)s::bigint)
        AND {wanted} AND NOT seq = ANY(%(besides)s::bigint[])
      ORDER BY transaction, seq LIMIT %(limit)s::bigint
    ) AS next
  ) AS weighed
  WHERE before < %(bytes)s::bigint
  ORDER BY transaction, seq
) AS c ON true
"""


_READ_FOR_EVERYBODY = _reading(_FOR_EVERYBODY)
_READ_FOR_ONE = _reading(_FOR_ONE)

_PENDING = f"""
SELECT 1 FROM hub_change WHERE module = %(module)s::text AND transaction >= {HORIZON} LIMIT 1"""


def read(
    selection: Selection,
    after: Position,
    *,
    limit: int,
    most_bytes: int,
    besides: Collection[Position] = (),
) -> Batch:
    """Read what follows a position, bounded in number and size; `besides` is left out."""
    found = database.rows(
        _READ_FOR_ONE if selection.audience else _READ_FOR_EVERYBODY,
        {
            "module": selection.module,
            "owners": list(selection.owners),
            "audience": selection.audience,
            "transaction": after.transaction,
            "seq": after.seq,
            "besides": [place.seq for place in besides],
            "limit": limit,
            "bytes": most_bytes,
        },
    )
    below = found[0][0]
    changes = tuple(
        FedChange(Position(row[1], row[2]), *row[3:]) for row in found if row[1] is not None
    )
    if changes and _may_have_more(changes, limit, most_bytes):
        return Batch(changes, changes[-1].position, complete=False)
    return Batch(changes, max(after, Position(below - 1, END_OF_TRANSACTION)), complete=True)


def is_pending(module: str) -> bool:
    """Tell whether a change is stored that cannot be read while an older transaction runs."""
    return database.row(_PENDING, {"module": module}) is not None


def _may_have_more(changes: tuple[FedChange, ...], limit: int, most_bytes: int) -> bool:
    return len(changes) >= limit or sum(len(change.body or "") for change in changes) >= most_bytes
