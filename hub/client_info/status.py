"""Statuses of parties as platforms may see them: a row for each platform and each of its contacts.

Spec: 2.2.1 mod_hub_client_info; A-115, A-116. A contact is a party that the platform may exchange
messages with. A row is written when the party's status changes, not when it is asked for. When
access or the party ends, the row remains with the status SUSPENDED. It is deleted where the party
moved to the platform itself, since no platform is sent its own parties.
"""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from database import sql
from hub.client_info import sql as statements
from hub.models import ClientInfo
from ocpi.types import Role
from parties import access
from parties.connection_status import ConnectionStatus
from parties.models import Party

# The number of an advisory lock of PostgreSQL: CLI in ASCII.
_LOCK_NUMBER = 0x434C49


@transaction.atomic
def refresh_statuses() -> int:
    """Bring all rows in line with the parties' statuses, and count those that changed."""
    # One at a time: a process that read the parties before a new one was there would set the row
    # that another process has just written for it to SUSPENDED.
    sql.rows(statements.LOCK, {"lock": _LOCK_NUMBER})
    sql.rows(statements.DROP_OWN, {})
    # A platform that registered anew may have lost its copies: all is sent again.
    reregistered = ClientInfo.objects.filter(platform__registered_at__gt=F("sent_at"))
    reregistered.update(sent_status="", sent_at=None, not_before=None)
    parties = Party.objects.exclude(role=Role.HUB.value).select_related("platform")
    party_status = {party.pk: party.status.value for party in parties}
    contacts, parameters = access.contacts_sql()
    [(changed,)] = sql.rows(
        statements.REFRESH.format(contacts=contacts),
        {
            **parameters,
            "parties": list(party_status),
            "statuses": list(party_status.values()),
            "suspended": ConnectionStatus.SUSPENDED.value,
            "moment": timezone.now(),
        },
    )
    return int(changed)
