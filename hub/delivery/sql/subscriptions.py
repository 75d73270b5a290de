"""Statements that bring subscriptions and snapshots in line with access; all name `{pairs}`."""

from hub.delivery.sql.reach import NEXT, REACHABLE, VISIBLE
from hub.delivery.sql.tables import PARTY, SNAPSHOT, SUBSCRIPTION
from hub.feed import END_OF_TRANSACTION, HORIZON

LOCK = "SELECT pg_try_advisory_xact_lock(%s)"

_INSERT_MISSING = f"""WITH pair (owner, receiver) AS MATERIALIZED ({{pairs}}), b AS (
  SELECT receiver AS receiver_id FROM pair
  EXCEPT SELECT receiver_id FROM {SUBSCRIPTION} WHERE module = %(module)s)
INSERT INTO {SUBSCRIPTION}
  (receiver_id, module, transaction, seq, failures, last_error, delivered)"""

SUBSCRIBE = f"""
{_INSERT_MISSING}
SELECT b.receiver_id, %(module)s, {HORIZON} - 1, {END_OF_TRANSACTION}, 0, '', 0
FROM b {REACHABLE}
ON CONFLICT DO NOTHING"""

# What is personal is addressed to a party, whatever its role: a second subscription for a second
# role would bring everything twice.
SUBSCRIBE_FROM_THE_BEGINNING = f"""
{_INSERT_MISSING}
SELECT DISTINCT ON (p.holder) b.receiver_id, %(module)s, 0, 0, 0, '', 0
FROM b {REACHABLE}
WHERE p.role = ANY(%(token_owners)s) AND NOT EXISTS (
  SELECT FROM {SUBSCRIPTION} s JOIN {PARTY} other ON other.id = s.receiver_id
  WHERE s.module = %(module)s AND other.holder = p.holder)
ORDER BY p.holder, array_position(%(token_owners)s, p.role::text)
ON CONFLICT DO NOTHING"""

BEGIN_SNAPSHOTS = f"""
WITH pair (owner, receiver) AS MATERIALIZED ({{pairs}}), missing AS (
  SELECT b.id, pair.owner FROM pair
  JOIN {SUBSCRIPTION} b ON b.receiver_id = pair.receiver AND b.module = %(module)s
  EXCEPT SELECT subscription_id, owner FROM {SNAPSHOT})
INSERT INTO {SNAPSHOT} (subscription_id, owner, cursor, sent)
SELECT id, owner, 0, 0 FROM missing
ON CONFLICT DO NOTHING"""

# A receiver whose owners send nothing for months would stay at transaction 1,000 while the feed is
# at 9,000,000: no DELETE since then could be pruned, and a new agreement would bring all changes of
# the new owner since then beside its snapshot.
# Only positions that do not move get here, and only once in a thousand transactions. It is one
# statement, so that what is passed over and which snapshots are deleted is decided at once.
PASS_OVER = f"""
{VISIBLE}, ended AS (
  SELECT s.owner, b.receiver_id FROM {SNAPSHOT} s
  JOIN {SUBSCRIPTION} b ON b.id = s.subscription_id AND b.module = %(module)s
  EXCEPT SELECT owner, receiver FROM pair), forgotten AS (
  DELETE FROM {SNAPSHOT} s USING {SUBSCRIPTION} b, ended
  WHERE b.receiver_id = ended.receiver_id AND b.module = %(module)s
    AND s.subscription_id = b.id AND s.owner = ended.owner)
UPDATE {SUBSCRIPTION} b SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION}
FROM {PARTY} p LEFT JOIN visible ON visible.receiver = p.id
WHERE p.id = b.receiver_id AND b.module = %(module)s AND b.transaction < {HORIZON} - 1000
  AND (b.lease_until IS NULL OR b.lease_until < now()) AND {NEXT} IS NULL"""
