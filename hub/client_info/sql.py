"""The SQL of client info: rows in line with the parties' statuses, and those that are sent next."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from database.sql import Query
from hub.client_info.client_info_object import ClientInfoObject
from hub.models import ClientInfo
from parties.models import Party

CLIENT_INFO = ClientInfo._meta.db_table
PARTY = Party._meta.db_table

CLAIM = Query(
    f"""
UPDATE {CLIENT_INFO} SET not_before = %(until)s::timestamptz WHERE id IN (
  SELECT id FROM {CLIENT_INFO}
  WHERE platform_id = %(platform)s::bigint AND NOT sent_status = status
    AND (sent_at IS NULL OR sent_at <= %(sent_before)s::timestamptz)
    AND (not_before IS NULL OR not_before <= %(now)s::timestamptz)
  ORDER BY country_code, party_id, role LIMIT %(limit)s::bigint FOR UPDATE SKIP LOCKED)
RETURNING country_code, party_id, role, status, last_updated, id""",
    ClientInfoObject,
)

# One refresh at a time: one that read the parties earlier could write its older statuses last.
LOCK = "SELECT pg_advisory_xact_lock(%(lock)s::bigint)::text"

DROP_OWN = f"""
DELETE FROM {CLIENT_INFO} i USING {PARTY} p
WHERE p.platform_id = i.platform_id
  AND (p.country_code, p.party_id, p.role) = (i.country_code, i.party_id, i.role)
RETURNING 1"""
"""Deletes the rows about parties of the row's own platform."""

_KEY = "platform_id, country_code, party_id, role"
REFRESH = f"""
WITH party_status AS (
  SELECT * FROM unnest(%(parties)s::bigint[], %(statuses)s::text[]) s(id, status)),
contact AS ({{contacts}}),
visible AS MATERIALIZED (
  SELECT c.platform_id, p.country_code, p.party_id, p.role, s.status
  FROM contact c JOIN {PARTY} p ON p.id = c.party_id JOIN party_status s ON s.id = p.id),
ended AS (
  UPDATE {CLIENT_INFO} SET status = %(suspended)s::text, last_updated = %(moment)s
  WHERE status <> %(suspended)s::text AND ({_KEY}) NOT IN (SELECT {_KEY} FROM visible)
  RETURNING 1),
begun AS (
  INSERT INTO {CLIENT_INFO} ({_KEY}, status, last_updated, sent_status, refusal)
  SELECT {_KEY}, v.status, %(moment)s, '', ''
  FROM visible v LEFT JOIN {CLIENT_INFO} i USING ({_KEY})
  WHERE i.status IS DISTINCT FROM v.status
  ON CONFLICT ({_KEY}) DO UPDATE
    SET status = EXCLUDED.status, last_updated = EXCLUDED.last_updated
  RETURNING 1)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM begun)"""
"""Writes each status that changed, and counts them.

`ended` are rows whose party or access has ended. `{contacts}` stands for the statement of
`parties.access` that returns (platform_id, party_id).
"""
