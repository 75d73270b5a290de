"""The SQL of the gateway: the registrations of a party, and the claim of a POST."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name; no text has a value

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from database.sql import Query
from hub.models import Posting
from parties.models import Endpoint, Party, Platform

ENDPOINT = Endpoint._meta.db_table
PARTY = Party._meta.db_table
PLATFORM = Platform._meta.db_table
POSTING = Posting._meta.db_table


class Registration(NamedTuple):
    """One role of a party at a platform, with what decides whether it can be reached."""

    role: str
    is_active: bool
    claimed_at: datetime | None
    reported_status: str
    platform_id: int
    status: str
    version: str
    failures: int
    next_attempt_at: datetime | None
    unanswered: int
    circuit_until: datetime | None
    last_seen_at: datetime | None
    quirks: str
    endpoint: str | None
    is_behind_hub: bool
    holder: str
    is_known: bool
    may_be_called: bool


def _registrations(reach: str, lateral: str = "") -> Query[Registration]:
    text = f"""
SELECT p.role, p.is_active, p.claimed_at, p.reported_status,
  f.id, f.status, f.version, f.failures, f.next_attempt_at, f.unanswered,
  f.circuit_until, f.last_seen_at, f.quirks::text,
  (SELECT e.url FROM {ENDPOINT} e WHERE e.platform_id = f.id
    AND e.module = %(module)s::text AND e.role = %(interface)s::text),
  EXISTS (SELECT FROM {PARTY} h
    WHERE h.platform_id = f.id AND h.role = 'HUB' AND h.is_active),
  p.holder, {reach}
FROM {PARTY} p JOIN {PLATFORM} f ON f.id = p.platform_id {lateral}
WHERE p.key = %(key)s::text AND (%(platform)s::bigint IS NULL OR f.id = %(platform)s::bigint)
ORDER BY p.id"""
    return Query(" ".join(text.split()), Registration)


REGISTRATIONS = _registrations("true, true")
"""Those of a party, without asking for access: for an exchange that has begun already."""


@lru_cache(maxsize=4)
def registrations_reached(reach: str) -> Query[Registration]:
    """Return those of a party as a sender sees them, by the SQL of `parties.access.reach_sql`."""
    columns = "COALESCE(reach.is_known, false), COALESCE(reach.may_be_called, false)"
    return _registrations(columns, f"CROSS JOIN LATERAL ({reach}) AS reach")


# One statement decides for all processes: the second of two simultaneous claims changes nothing and
# returns no row. A claim that was answered, or ran out because its process died, can be taken
# again.
CLAIM = f"""
INSERT INTO {POSTING} (owner, object_key, audience, digest, claim, until)
VALUES (%(owner)s::text, %(key)s::text, %(audience)s::text, %(digest)s::bytea, %(claim)s::uuid,
  now() + %(lease)s::interval)
ON CONFLICT (owner, object_key, audience) DO UPDATE SET digest = EXCLUDED.digest,
  claim = EXCLUDED.claim, until = EXCLUDED.until, http_status = NULL, status_code = NULL,
  headers = '{{}}', body = NULL
WHERE {POSTING}.http_status IS NOT NULL OR {POSTING}.until <= now()
RETURNING claim"""
