"""Statements that write receipts and delete dead letters."""

from hub.delivery.sql.tables import DEAD_LETTER, RECEIPT

# A failed attempt has no revision: the receipt of what the receiver took before stays as it is.
NOTE = f"""
INSERT INTO {RECEIPT} AS known (subscription_id, owner, object_key, part_key, revision,
  delivered_at, tried_at, last_error, in_doubt)
SELECT w.subscription, w.owner, w.key, w.part, w.revision,
  CASE WHEN w.revision IS NOT NULL THEN statement_timestamp() END, statement_timestamp(),
  w.error, w.in_doubt
FROM unnest(%(subscriptions)s::bigint[], %(owners)s::text[], %(keys)s::text[], %(parts)s::text[],
  %(revisions)s::bigint[], %(errors)s::text[], %(in_doubt)s::boolean[])
  AS w(subscription, owner, key, part, revision, error, in_doubt)
ON CONFLICT (subscription_id, owner, object_key, part_key) DO UPDATE SET
  revision = COALESCE(EXCLUDED.revision, known.revision),
  delivered_at = COALESCE(EXCLUDED.delivered_at, known.delivered_at),
  tried_at = EXCLUDED.tried_at, last_error = EXCLUDED.last_error, in_doubt = EXCLUDED.in_doubt
RETURNING NULL"""

DROP_DEAD_LETTERS = f"""
DELETE FROM {DEAD_LETTER} WHERE subscription_id = %(subscription)s::bigint AND (
  path = ANY(%(paths)s::text[]) OR (owner, object_key) IN (
    SELECT owner, key FROM unnest(%(owners)s::text[], %(keys)s::text[]) AS w(owner, key)))
RETURNING NULL"""
