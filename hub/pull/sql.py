"""The SQL of pull: which lists there are and are due, what vanished, and the hub's presence."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from functools import cache

from hub.models import Listed, Presence, PullState, Quarantined
from hub.module_policy import ModulePolicy
from parties.models import Agreement, Endpoint, Party, Platform

PULL_STATE = PullState._meta.db_table
QUARANTINED = Quarantined._meta.db_table
LISTED = Listed._meta.db_table
PRESENCE = Presence._meta.db_table
PARTY = Party._meta.db_table
PLATFORM = Platform._meta.db_table
ENDPOINT = Endpoint._meta.db_table
AGREEMENT = Agreement._meta.db_table

# ------------------------------------------------------------------ which lists, and which now

CLAIM_LOCK = "SELECT pg_advisory_xact_lock(%s)"

_OFFERED = f"""
FROM {PARTY} p
JOIN {PLATFORM} f ON f.id = p.platform_id AND f.status = %(connected)s
JOIN {ENDPOINT} e ON e.platform_id = f.id AND e.module = %(module)s AND e.role = %(sender)s"""

READ_AGAIN = f"""
UPDATE {PULL_STATE} s SET read_again_at = soon.at, due_at = LEAST(s.due_at, soon.at)
FROM (SELECT t.id, CASE WHEN t.read_again_at > now() THEN t.read_again_at
    ELSE GREATEST(now() + random() * %(spread)s::interval, t.read_again_at + %(apart)s::interval)
    END AS at
  FROM {PULL_STATE} t JOIN {PARTY} p ON p.id = t.party_id
  WHERE %(platform)s::bigint IS NULL OR p.platform_id = %(platform)s::bigint) soon
WHERE soon.id = s.id"""

REGISTERED_ANEW = f"""
SELECT DISTINCT f.id FROM {PULL_STATE} s
JOIN {PARTY} p ON p.id = s.party_id JOIN {PLATFORM} f ON f.id = p.platform_id
WHERE (s.started_at < f.registered_at OR s.tried_at < f.registered_at)
  AND (NOT s.full_requested OR s.phase <> 'IDLE' OR s.failures > 0)"""

ADD_MISSING = f"""
INSERT INTO {PULL_STATE} (party_id, module, phase, full_requested, next_url, by_offset, is_gapless,
  pages, seen, stored, unchanged, older, passed_over, quarantined, remark, failures, last_error)
SELECT DISTINCT ON (f.id, p.holder) p.id, %(module)s, 'IDLE', true, '', false, true,
  0, 0, 0, 0, 0, 0, 0, '', 0, '' {_OFFERED}
WHERE p.is_active AND p.role = ANY(%(roles)s)
  AND (p.role = 'HUB' OR NOT EXISTS (SELECT FROM {PARTY} h
    WHERE h.platform_id = f.id AND h.role = 'HUB' AND h.is_active))
  AND NOT EXISTS (SELECT FROM {PULL_STATE} s JOIN {PARTY} same ON same.id = s.party_id
    WHERE s.module = %(module)s AND same.holder = p.holder)
ORDER BY f.id, p.holder, p.id
ON CONFLICT DO NOTHING"""

AGREEMENT_BEGAN = f"""
UPDATE {PULL_STATE} s SET full_requested = true, due_at = now(), requested_at = now()
FROM {AGREEMENT} a JOIN {PARTY} c ON c.id = a.cpo_id
JOIN {PARTY} p ON p.platform_id = c.platform_id AND (p.key = c.key OR p.role = 'HUB')
WHERE p.id = s.party_id AND s.module = ANY(%(personal)s)
  AND s.passed_over > 0 AND NOT s.full_requested
  AND a.state = 'ACTIVE' AND COALESCE(a.valid_from, now()) <= now()
  AND (a.id = %(agreement)s::bigint OR s.started_at < a.valid_from)"""
"""Makes lists due in full of which something was passed over before an agreement began."""

READER_CAME = f"""
UPDATE {PULL_STATE} s SET full_requested = true, due_at = now(), requested_at = now()
FROM {PARTY} p
WHERE p.id = s.party_id AND s.module = %(module)s AND s.passed_over > 0 AND NOT s.full_requested
  AND EXISTS (SELECT FROM ({{pairs}}) AS pair JOIN {PARTY} r ON r.id = pair.receiver_party_id
    WHERE (pair.owner = p.holder OR p.role = 'HUB') AND r.claimed_at > s.started_at)"""
"""Makes lists due in full of which something was passed over that a newcomer may have."""

_DUE = f"""
SELECT s.id, f.id {_OFFERED}
JOIN {PULL_STATE} s ON s.party_id = p.id AND s.module = %(module)s
WHERE p.is_active AND (s.due_at <= now() OR s.tried_at < f.status_changed_at)
  AND COALESCE((f.quirks ->> 'pull')::boolean, true)
  AND (f.next_attempt_at IS NULL OR f.next_attempt_at <= now())
  AND (f.circuit_until IS NULL OR f.circuit_until <= now())
  AND NOT EXISTS (SELECT FROM {PULL_STATE} o JOIN {PARTY} q ON q.id = o.party_id
    WHERE q.platform_id = f.id AND o.lease_until > now())"""

_SOMEBODY_MAY = """
  AND (p.role = 'HUB' OR EXISTS (SELECT FROM ({pairs}) AS pair WHERE pair.owner = p.holder))"""

_IN_TURN = """
ORDER BY s.phase = 'IDLE', s.due_at"""

DUE = {False: _DUE + _IN_TURN, True: _DUE + _SOMEBODY_MAY + _IN_TURN}
"""By whether a module is about drivers: (list, platform) of what to read now, begun lists first."""

# ------------------------------------------------------------------------------ what a page has

LEAVE_QUARANTINE = f"""
WITH usable AS (
  DELETE FROM {QUARANTINED} WHERE pull_id = %(pull)s::bigint AND key = ANY(%(keys)s::text[])
  RETURNING id)
SELECT count(*) FROM usable"""

NOTE_LISTED = f"""
WITH met AS (
  INSERT INTO {LISTED} (pull_id, object_key)
  SELECT %(pull)s::bigint, key FROM unnest(%(keys)s::text[]) AS key
  ON CONFLICT DO NOTHING RETURNING id)
SELECT count(*) FROM met"""

# ------------------------------------------------------------------------------ what vanished


@cache
def count_missed(policy: ModulePolicy) -> str:
    """Build the statement that counts an owner's objects missed once more, and returns each count.

    An object that changed since the crawl began is not missed: its page may have been read before.
    `before` is what its key follows among those that the crawl has met.
    """
    return f"""
UPDATE {policy.model._meta.db_table} o SET missed = o.missed + 1
WHERE o.owner = %(owner)s::text AND o.audience = '' AND o.missed < 100
  AND o.changed_at < %(begun)s::timestamptz AND NOT EXISTS (
    SELECT FROM {LISTED} l WHERE l.pull_id = %(pull)s::bigint
      AND l.object_key = %(before)s::text || o.object_key)
RETURNING o.missed"""


# ------------------------------------------------------------------------------- was the hub away

# The one row is locked when it is read: of several processes only one sees the gap.
TICK = f"""
WITH before AS MATERIALIZED (SELECT at FROM {PRESENCE} WHERE id = 1 FOR UPDATE), noted AS (
  INSERT INTO {PRESENCE} (id, at) SELECT 1, clock_timestamp() FROM (SELECT count(*) FROM before) b
  ON CONFLICT (id) DO UPDATE SET at = clock_timestamp() RETURNING at)
SELECT extract(epoch FROM noted.at - before.at)::float FROM noted, before"""
"""Writes that the hub is there, and returns how many seconds ago that was last written."""
