"""The SQL of retention: what is deleted together with objects that are too old."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from hub.models import DeadLetter, Receipt, Subscription

DEAD_LETTER, RECEIPT, SUBSCRIPTION = (
    each._meta.db_table for each in (DeadLetter, Receipt, Subscription)
)

# Receipts and dead letters of an object are of no use without it.
DELETE_DELIVERY_OF_OBJECTS = f"""
WITH gone AS (
  SELECT b.id AS subscription_id, w.owner, w.key FROM {SUBSCRIPTION} b,
    unnest(%(owners)s::text[], %(keys)s::text[]) AS w(owner, key)
  WHERE b.module = %(module)s::text
), receipts AS (
  DELETE FROM {RECEIPT} r USING gone g WHERE r.subscription_id = g.subscription_id
    AND r.owner = g.owner AND r.object_key = g.key RETURNING 1
), dead_letters AS (
  DELETE FROM {DEAD_LETTER} d USING gone g WHERE d.subscription_id = g.subscription_id
    AND d.owner = g.owner AND d.object_key = g.key RETURNING 1
)
SELECT (SELECT count(*) FROM receipts) + (SELECT count(*) FROM dead_letters)"""
