"""The backlog: which subscriptions have something to deliver, and how far behind each is.

docs/architecture.md#delivery; A-24, A-38. Access itself is judged by `parties.access` alone. The
looks that every change costs are prepared once and ask about one module only.
"""

from collections.abc import Collection
from functools import lru_cache
from itertools import takewhile
from typing import Any, TypeVar, overload

from database import sql
from database.sql import Query, Row
from hub.delivery.sql import backlog as statements
from hub.delivery.sql.backlog import BehindRow
from hub.module_policy import POLICIES
from ocpi.types import InterfaceRole, ModuleID, Role
from parties import access
from parties.connection_status import REGISTERED
from parties.role_pairs import role_pairs

R = TypeVar("R")

COUNTED = 10_000
"""Changes behind that are worth counting one by one."""

FIRST_SECONDS = 60
"""For so long a newcomer's tariffs go before its locations; then it gets these without."""

_REGISTERED = [status.value for status in REGISTERED]
# What is personal goes to the owner of a token, and to one of its roles: as eMSP, if it is one.
_TOKEN_OWNERS = [
    role.value
    for role in sorted(
        {owner for owner, _ in role_pairs(ModuleID.TOKENS)}, key=lambda role: role is not Role.EMSP
    )
]


def behind(module: ModuleID, *, only: int | None = None) -> list[BehindRow]:
    """Return the subscriptions somebody should work on now."""
    query = statements.BEHIND[POLICIES[module].personal, only is not None]
    return rows(query, module, id=only, before=before(module), first=FIRST_SECONDS)


def lag(
    module: ModuleID, subscription_ids: Collection[int], *, most: int | None = None
) -> dict[int, tuple[int, float]]:
    """Return changes behind and the age of the oldest in seconds, of those that are behind.

    Nobody is counted further than one beyond `most`, or `COUNTED`.
    """
    query = statements.LAG[POLICIES[module].personal]
    found = rows(query, module, ids=list(subscription_ids), most=(most or COUNTED) + 1)
    return {each.id: (each.number, each.seconds) for each in found}


def owners(subscription_id: int, module: ModuleID) -> frozenset[str]:
    """Return whose objects the receiver of a subscription may have now."""
    found = rows(statements.OWNERS_OF[POLICIES[module].personal], module, id=subscription_id)
    return frozenset(owner for (owner,) in found)


def before(module: ModuleID) -> list[str]:
    """Return the modules whose objects a newcomer gets before those of this one."""
    return [*takewhile(lambda other: other != module, POLICIES)]


@overload
def rows(query: Query[R], module: ModuleID, **more: object) -> list[R]: ...
@overload
def rows(query: str, module: ModuleID, **more: object) -> list[Row]: ...
def rows(query: str | Query[R], module: ModuleID, **more: object) -> list[R] | list[Row]:
    """Run a prepared statement that names `{pairs}` and returns rows."""
    pairs, _ = access.access_pairs_sql(module)
    if isinstance(query, Query):
        prepared = Query(_text(query.text, pairs), query.row)
        return sql.rows(prepared, parameters(module, **more))
    return sql.rows(_text(query, pairs), parameters(module, **more))


def parameters(module: ModuleID, **more: object) -> dict[str, Any]:
    """Return what statements about a module's subscriptions name."""
    _, of_access = access.access_pairs_sql(module)
    return {
        **of_access,
        "module": module,
        "role": InterfaceRole.RECEIVER.value,
        "registered": _REGISTERED,
        "token_owners": _TOKEN_OWNERS,
        **more,
    }


@lru_cache(maxsize=64)
def _text(statement: str, pairs: str) -> str:
    """Leave out what only readers need: psycopg parses long texts anew each time."""
    return " ".join(statement.format(pairs=pairs).split())
