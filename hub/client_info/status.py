"""How every party stands for every platform it may exchange messages with, kept in rows.

Spec: 2.2.1 mod_hub_client_info; A-115, A-116. A row is written when a party's status changes, not
when somebody asks. It outlives access and the party: whoever knew it sees it SUSPENDED. It goes
where the party became the platform's own: nobody is told of oneself.
"""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from database import sql
from hub.models import ClientInfo
from ocpi.types import Role
from parties import access
from parties.connection_status import ConnectionStatus
from parties.models import Party

# One at a time: whoever read the parties earlier must not write later.
_LOCK = "SELECT pg_advisory_xact_lock(%(lock)s::bigint)::text"
_LOCK_NUMBER = 0x434C49

_DROP_OWN = """
DELETE FROM hub_clientinfo i USING parties_party p
WHERE p.platform_id = i.platform_id
  AND (p.country_code, p.party_id, p.role) = (i.country_code, i.party_id, i.role)
RETURNING 1"""
_SAME = "platform_id, country_code, party_id, role"
_REFRESH = f"""
WITH standing AS (SELECT * FROM unnest(%(parties)s::bigint[], %(statuses)s::text[]) s(id, status)),
acquaintance AS ({{acquaintances}}),
wanted AS MATERIALIZED (
  SELECT a.platform_id, p.country_code, p.party_id, p.role, s.status
  FROM acquaintance a JOIN parties_party p ON p.id = a.party_id JOIN standing s ON s.id = p.id),
ended AS (
  UPDATE hub_clientinfo SET status = %(suspended)s::text, last_updated = %(moment)s
  WHERE status <> %(suspended)s::text AND ({_SAME}) NOT IN (SELECT {_SAME} FROM wanted)
  RETURNING 1),
begun AS (
  INSERT INTO hub_clientinfo ({_SAME}, status, last_updated, told, refusal)
  SELECT {_SAME}, w.status, %(moment)s, '', ''
  FROM wanted w LEFT JOIN hub_clientinfo i USING ({_SAME})
  WHERE i.status IS DISTINCT FROM w.status
  ON CONFLICT ({_SAME}) DO UPDATE
    SET status = EXCLUDED.status, last_updated = EXCLUDED.last_updated
  RETURNING 1)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM begun)"""


@transaction.atomic
def refresh() -> int:
    """Bring all rows in line with the parties, and count those that changed."""
    sql.rows(_LOCK, {"lock": _LOCK_NUMBER})
    sql.rows(_DROP_OWN, {})
    anew = ClientInfo.objects.filter(platform__registered_at__gt=F("told_at"))
    anew.update(told="", told_at=None, not_before=None)
    known = Party.objects.exclude(role=Role.HUB.value).select_related("platform")
    standing = {party.pk: party.status.value for party in known}
    acquaintances, parameters = access.acquaintances_sql()
    [(changed,)] = sql.rows(
        _REFRESH.format(acquaintances=acquaintances),
        {
            **parameters,
            "parties": list(standing),
            "statuses": list(standing.values()),
            "suspended": ConnectionStatus.SUSPENDED.value,
            "moment": timezone.now(),
        },
    )
    return int(changed)
