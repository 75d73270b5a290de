"""Statuses of parties as platforms may see them: a row for each platform and contact of it.

Spec: 2.2.1 mod_hub_client_info; A-115, A-116. A contact is a party that the platform may exchange
messages with. A row is written when the party's status changes, not when somebody asks. It stays
when access or the party ends: then its status is SUSPENDED. It is deleted where the party moved to
the platform itself, as nobody is told of their own parties.
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

# One refresh at a time: else one that read the parties earlier could write its older statuses last.
_LOCK = "SELECT pg_advisory_xact_lock(%(lock)s::bigint)::text"
_LOCK_NUMBER = 0x434C49

_DROP_OWN = """
DELETE FROM hub_clientinfo i USING parties_party p
WHERE p.platform_id = i.platform_id
  AND (p.country_code, p.party_id, p.role) = (i.country_code, i.party_id, i.role)
RETURNING 1"""
_KEY = "platform_id, country_code, party_id, role"
_REFRESH = f"""
WITH party_status AS (
  SELECT * FROM unnest(%(parties)s::bigint[], %(statuses)s::text[]) s(id, status)),
contact AS ({{contacts}}),
visible AS MATERIALIZED (
  SELECT c.platform_id, p.country_code, p.party_id, p.role, s.status
  FROM contact c JOIN parties_party p ON p.id = c.party_id JOIN party_status s ON s.id = p.id),
ended AS (
  UPDATE hub_clientinfo SET status = %(suspended)s::text, last_updated = %(moment)s
  WHERE status <> %(suspended)s::text AND ({_KEY}) NOT IN (SELECT {_KEY} FROM visible)
  RETURNING 1),
begun AS (
  INSERT INTO hub_clientinfo ({_KEY}, status, last_updated, sent_status, refusal)
  SELECT {_KEY}, v.status, %(moment)s, '', ''
  FROM visible v LEFT JOIN hub_clientinfo i USING ({_KEY})
  WHERE i.status IS DISTINCT FROM v.status
  ON CONFLICT ({_KEY}) DO UPDATE
    SET status = EXCLUDED.status, last_updated = EXCLUDED.last_updated
  RETURNING 1)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM begun)"""


@transaction.atomic
def refresh_statuses() -> int:
    """Bring all rows in line with the parties' statuses, and count those that changed."""
    # One at a time: who read the parties before a new one was there would end what another process
    # has begun for it.
    sql.rows(_LOCK, {"lock": _LOCK_NUMBER})
    sql.rows(_DROP_OWN, {})
    reregistered = ClientInfo.objects.filter(platform__registered_at__gt=F("sent_at"))
    # Who registered anew may have lost its copies: all is told again.
    reregistered.update(sent_status="", sent_at=None, not_before=None)
    parties = Party.objects.exclude(role=Role.HUB.value).select_related("platform")
    party_status = {party.pk: party.status.value for party in parties}
    contacts, parameters = access.contacts_sql()
    [(changed,)] = sql.rows(
        _REFRESH.format(contacts=contacts),
        {
            **parameters,
            "parties": list(party_status),
            "statuses": list(party_status.values()),
            "suspended": ConnectionStatus.SUSPENDED.value,
            "moment": timezone.now(),
        },
    )
    return int(changed)
