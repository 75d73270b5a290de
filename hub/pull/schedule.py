"""Which lists there are to read, and which of them now.

Spec: 2.2.1 transport and format, pull ("low frequency"); TF-33, TF-98, TF-102, TF-105. A list is
due when its time has come, or when its platform became CONNECTED since it was last tried. Personal
data are asked for only where somebody may have them; who newly may, by an agreement or as a
newcomer, gets what was passed over.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import PullState
from hub.module_policy import ABOUT_DRIVERS, POLICIES
from hub.pull.leases import reading
from ocpi.types import InterfaceRole, ModuleID, Role
from parties import access
from parties.connection_status import ConnectionStatus
from parties.role_pairs import implements

AGAIN_SPLAY = timedelta(minutes=5)
"""Over so much time all lists are read again after an outage of the hub."""
AGAIN_APART = timedelta(minutes=15)
"""So often at most a list is read again because its platform comes and goes."""


def reconcile() -> None:
    """Make a row for each list that a connected platform offers; a hub lists all by itself.

    Of a platform that registered anew everything is read again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ANEW)
        for (platform_id,) in cursor.fetchall():
            start_afresh(platform_id)
    for module, policy in POLICIES.items():
        _execute(_MISSING, module)
        if policy.personal:
            _execute(_NEW_READER, module)
    on_agreement_changed()


def due() -> list[int]:
    """Return the lists to read now, one a platform, as many as may be read at once."""
    free = settings.HUB_PULL_PLATFORMS - reading().values("party__platform").distinct().count()
    found: dict[int, int] = {}
    for module in POLICIES:
        for state_id, platform_id in _execute(_due_sql(module), module) if free > 0 else ():
            found.setdefault(platform_id, state_id)
    return list(found.values())[: max(free, 0)]


def start_afresh(platform_id: int) -> None:
    """Have everything of a platform read again: it registered anew."""
    mine = PullState.objects.filter(party__platform=platform_id)
    mine.update(full_requested=True, phase=PullState.Phase.IDLE, failures=0, due_at=Now())


def read_again(platform_id: int | None = None) -> None:
    """Have a platform's lists read soon: it may have missed the hub; all, spread over minutes."""
    splay = timedelta(0) if platform_id else AGAIN_SPLAY
    asked: dict[str, Any] = {"platform": platform_id, "splay": splay, "apart": AGAIN_APART}
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, asked)


def on_heard_again(platform_id: int, **_: object) -> None:
    """Have the lists read of a platform that was away, however short."""
    read_again(platform_id)


def on_agreement_changed(agreement_id: int | None = None, **_: object) -> None:
    """Have read again what was passed over before an agreement; of all, those that began since."""
    personal = [module for module, policy in POLICIES.items() if policy.personal]
    with connection.cursor() as cursor:
        cursor.execute(_PASSED_OVER, {"agreement": agreement_id, "personal": personal})


def order(state_ids: list[int], *, full: bool = False) -> None:
    """Have lists read at once, in full if wanted: what an operator may ask for."""
    wanted = PullState.objects.filter(pk__in=state_ids)
    restarted = {"full_requested": True, "phase": PullState.Phase.IDLE} if full else {}
    wanted.update(due_at=Now(), **restarted)


def is_full_due(state: PullState) -> bool:
    """Tell whether the next crawl reads everything."""
    if state.full_requested or state.full_since is None or state.complete_since is None:
        return True
    return state.full_since < timezone.now() - timedelta(days=settings.HUB_PULL_FULL_DAYS)


def _due_sql(module: ModuleID) -> str:
    return _DUE + (_SOMEBODY_MAY if module in ABOUT_DRIVERS else "") + _IN_TURN


def _execute(statement: str, module: ModuleID) -> list[tuple[int, int]]:
    pairs, parameters = access.access_pairs_sql(module)
    roles = [role.value for role in Role if implements(role, module, InterfaceRole.SENDER)]
    named: dict[str, Any] = {
        **parameters,
        "module": module,
        "sender": InterfaceRole.SENDER.value,
        "connected": ConnectionStatus.CONNECTED.value,
        "roles": roles,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.format(pairs=pairs), named)
        return cursor.fetchall() if cursor.description else []


_OFFERED = """
FROM parties_party p
JOIN parties_platform f ON f.id = p.platform_id AND f.status = %(connected)s
JOIN parties_endpoint e ON e.platform_id = f.id AND e.module = %(module)s AND e.role = %(sender)s"""

_AGAIN = """
UPDATE hub_pullstate s SET read_again_at = soon.at, due_at = LEAST(s.due_at, soon.at)
FROM (SELECT t.id, CASE WHEN t.read_again_at > now() THEN t.read_again_at
    ELSE GREATEST(now() + random() * %(splay)s::interval, t.read_again_at + %(apart)s::interval)
    END AS at
  FROM hub_pullstate t JOIN parties_party p ON p.id = t.party_id
  WHERE %(platform)s::bigint IS NULL OR p.platform_id = %(platform)s::bigint) soon
WHERE soon.id = s.id"""

_ANEW = """
SELECT DISTINCT f.id FROM hub_pullstate s
JOIN parties_party p ON p.id = s.party_id JOIN parties_platform f ON f.id = p.platform_id
WHERE (s.started_at < f.registered_at OR s.tried_at < f.registered_at)
  AND (NOT s.full_requested OR s.phase <> 'IDLE' OR s.failures > 0)"""

_MISSING = f"""
INSERT INTO hub_pullstate (party_id, module, phase, full_requested, next_url, by_offset, is_gapless,
  pages, seen, stored, unchanged, older, passed_over, quarantined, remark, failures, last_error)
SELECT DISTINCT ON (f.id, p.holder) p.id, %(module)s, 'IDLE', true, '', false, true,
  0, 0, 0, 0, 0, 0, 0, '', 0, '' {_OFFERED}
WHERE p.is_active AND p.role = ANY(%(roles)s)
  AND (p.role = 'HUB' OR NOT EXISTS (SELECT FROM parties_party h
    WHERE h.platform_id = f.id AND h.role = 'HUB' AND h.is_active))
  AND NOT EXISTS (SELECT FROM hub_pullstate s JOIN parties_party same ON same.id = s.party_id
    WHERE s.module = %(module)s AND same.holder = p.holder)
ORDER BY f.id, p.holder, p.id
ON CONFLICT DO NOTHING"""

_PASSED_OVER = """
UPDATE hub_pullstate s SET full_requested = true, due_at = now()
FROM parties_agreement a JOIN parties_party c ON c.id = a.cpo_id
JOIN parties_party p ON p.platform_id = c.platform_id AND (p.key = c.key OR p.role = 'HUB')
WHERE p.id = s.party_id AND s.module = ANY(%(personal)s)
  AND s.passed_over > 0 AND NOT s.full_requested
  AND a.state = 'ACTIVE' AND COALESCE(a.valid_from, now()) <= now()
  AND (a.id = %(agreement)s::bigint OR s.started_at < a.valid_from)"""

_NEW_READER = """
UPDATE hub_pullstate s SET full_requested = true, due_at = now() FROM parties_party p
WHERE p.id = s.party_id AND s.module = %(module)s AND s.passed_over > 0 AND NOT s.full_requested
  AND EXISTS (SELECT FROM ({pairs}) AS pair JOIN parties_party r ON r.id = pair.receiver_party_id
    WHERE (pair.owner = p.holder OR p.role = 'HUB') AND r.claimed_at > s.started_at)"""
"""SQL that has read again what was passed over before somebody registered who may have it."""

_DUE = f"""
SELECT s.id, f.id {_OFFERED}
JOIN hub_pullstate s ON s.party_id = p.id AND s.module = %(module)s
WHERE p.is_active AND (s.due_at <= now() OR s.tried_at < f.status_changed_at)
  AND COALESCE((f.quirks ->> 'pull')::boolean, true)
  AND (f.next_attempt_at IS NULL OR f.next_attempt_at <= now())
  AND (f.circuit_until IS NULL OR f.circuit_until <= now())
  AND NOT EXISTS (SELECT FROM hub_pullstate o JOIN parties_party q ON q.id = o.party_id
    WHERE q.platform_id = f.id AND o.lease_until > now())"""

_SOMEBODY_MAY = """
  AND (p.role = 'HUB' OR EXISTS (SELECT FROM ({pairs}) AS pair WHERE pair.owner = p.holder))"""

_IN_TURN = """
ORDER BY s.phase = 'IDLE', s.due_at"""
