"""The schedule: which lists there are to read, and which of them now.

Spec: 2.2.1 transport and format, pull ("low frequency"); TF-33, TF-98, TF-102, TF-105. A list is
due when its time has come, or when its platform became CONNECTED since it was last tried. Personal
data are asked for only where somebody may have them. When a party newly may have some, by an
agreement or because it registered, lists are read again for what was passed over before.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import PullState
from hub.module_policy import ABOUT_DRIVERS, POLICIES
from hub.pull import sql as statements
from hub.pull.leases import reading
from ocpi.types import InterfaceRole, ModuleID, Role
from parties import access
from parties.connection_status import ConnectionStatus
from parties.role_pairs import implements

READ_AGAIN_SPREAD = timedelta(minutes=5)
"""Over how much time lists are spread that are all read again after an outage of the hub."""
JUST_READ = timedelta(minutes=1)
"""What an operator asks for may have been read so long before, with the list of another party."""
READ_AGAIN_APART = timedelta(minutes=15)
"""How far apart a list is read again, however often its platform comes and goes."""


def reconcile() -> None:
    """Make a row for each list that a connected platform offers.

    A platform with a HUB has one list for all its parties. If a platform registered anew,
    everything of it is read again.
    """
    with connection.cursor() as cursor:
        cursor.execute(statements.REGISTERED_ANEW)
        for (platform_id,) in cursor.fetchall():
            start_afresh(platform_id)
    for module, policy in POLICIES.items():
        _execute(statements.ADD_MISSING, module)
        if policy.personal:
            _execute(statements.READER_CAME, module)
    on_agreement_changed()


def due() -> list[int]:
    """Return the lists to read now, one a platform, as many as may be read at once."""
    free = settings.HUB_PULL_PLATFORMS - reading().values("party__platform").distinct().count()
    found: dict[int, int] = {}
    for module in POLICIES:
        for state_id, platform_id in _due(module) if free > 0 else ():
            found.setdefault(platform_id, state_id)
    return list(found.values())[: max(free, 0)]


def start_afresh(platform_id: int) -> None:
    """Have everything of a platform read again: it registered anew."""
    mine = PullState.objects.filter(party__platform=platform_id)
    mine.update(
        full_requested=True,
        phase=PullState.Phase.IDLE,
        failures=0,
        due_at=Now(),
        requested_at=Now(),
    )


def read_again(platform_id: int | None = None) -> None:
    """Have a platform's lists read soon, since it may have missed the hub.

    Without a platform all lists are read, spread over some minutes.
    """
    spread = timedelta(0) if platform_id else READ_AGAIN_SPREAD
    named: dict[str, Any] = {"platform": platform_id, "spread": spread, "apart": READ_AGAIN_APART}
    with connection.cursor() as cursor:
        cursor.execute(statements.READ_AGAIN, named)


def on_heard_again(platform_id: int, **_: object) -> None:
    """Have the lists read of a platform that was away, for however short a time."""
    read_again(platform_id)


def on_agreement_changed(agreement_id: int | None = None, **_: object) -> None:
    """Have lists read again for what was passed over before an agreement began.

    Without an id for all agreements that began after their lists were read.
    """
    personal = [module for module, policy in POLICIES.items() if policy.personal]
    with connection.cursor() as cursor:
        cursor.execute(
            statements.AGREEMENT_BEGAN, {"agreement": agreement_id, "personal": personal}
        )


def request(state_ids: list[int], *, full: bool = False) -> None:
    """Make lists due now at an operator's request, in full if asked for."""
    chosen = PullState.objects.filter(pk__in=state_ids)
    restarted = {"full_requested": True, "phase": PullState.Phase.IDLE} if full else {}
    chosen.update(due_at=Now(), requested_at=Now() - JUST_READ, **restarted)


def is_full_due(state: PullState) -> bool:
    """Whether the next crawl reads everything."""
    if state.full_requested or state.full_since is None or state.complete_since is None:
        return True
    return state.full_since < timezone.now() - timedelta(days=settings.HUB_PULL_FULL_DAYS)


def _due(module: ModuleID) -> list[tuple[int, int]]:
    return _execute(statements.DUE[module in ABOUT_DRIVERS], module)


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
