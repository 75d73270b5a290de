"""Statements that claim, move and release a subscription."""

from hub.delivery.sql.tables import SUBSCRIPTION

# By the database's clock: those of two workers may differ by more than a lease is long.
_LATER = "statement_timestamp() + make_interval(secs => %(seconds)s::float8)"
# Two workers claim fifty each, of which many are the same: whoever finds a row locked leaves it to
# the other one. Waiting for each other's rows, both would wait for ever.
CLAIM = f"""
UPDATE {SUBSCRIPTION} b SET lease = free.lease, lease_until = {_LATER} FROM (
  SELECT s.id, w.lease FROM unnest(%(ids)s::bigint[], %(leases)s::uuid[]) AS w(id, lease)
  JOIN {SUBSCRIPTION} s ON s.id = w.id
  WHERE s.lease_until IS NULL OR s.lease_until < statement_timestamp()
  FOR UPDATE OF s SKIP LOCKED) AS free
WHERE b.id = free.id
RETURNING b.lease, b.module"""
RELEASE = f"""
UPDATE {SUBSCRIPTION} b SET lease = NULL, lease_until = NULL
FROM unnest(%(ids)s::bigint[], %(leases)s::uuid[]) AS w(id, lease)
WHERE b.id = w.id AND b.lease = w.lease RETURNING b.id"""


# Worker A has sent its batch and hangs for a minute; B claims the subscription, sends on and is at
# 120. When A wakes up to set the position to 105, its lease is not the row's any more: no row is
# updated, and `LeaseLost` is raised.
def _held(columns: str) -> str:
    return f"""
UPDATE {SUBSCRIPTION} SET {columns}
WHERE id = %(id)s::bigint AND lease = %(lease)s::uuid RETURNING id"""


def _counted(more: str, row: str = "") -> str:
    return f"""
  delivered = {row}delivered + {more},
  failures = CASE WHEN {more} > 0 THEN 0 ELSE {row}failures END,
  last_error = CASE WHEN {more} > 0 THEN '' ELSE {row}last_error END,
  last_delivered_at =
    CASE WHEN {more} > 0 THEN statement_timestamp() ELSE {row}last_delivered_at END"""


PROLONG = _held(f"lease_until = {_LATER}")
DELIVERED = _held(f"lease_until = {_LATER}, {_counted('%(delivered)s::bigint')}")
SENDING = _held(f"lease_until = {_LATER}, in_doubt = %(in_doubt)s::jsonb")
ADVANCE = f"""
UPDATE {SUBSCRIPTION} b SET lease_until = {_LATER}, {_counted("w.delivered", "b.")},
  transaction = w.transaction, seq = w.seq, ahead = w.ahead, in_doubt = w.in_doubt,
  compacted_to = GREATEST(b.compacted_to, w.compacted_to)
FROM unnest(%(ids)s::bigint[], %(leases)s::uuid[], %(transactions)s::bigint[], %(seqs)s::bigint[],
  %(aheads)s::jsonb[], %(in_doubts)s::jsonb[], %(delivered)s::bigint[], %(compacted_tos)s::bigint[])
  AS w(id, lease, transaction, seq, ahead, in_doubt, delivered, compacted_to)
WHERE b.id = w.id AND b.lease = w.lease RETURNING b.lease"""
FAILED = _held("failures = failures + 1, last_error = %(reason)s::text")
# A lease that nobody holds: until it ends no worker claims the subscription.
REST = _held(f"lease = NULL, lease_until = {_LATER}")
