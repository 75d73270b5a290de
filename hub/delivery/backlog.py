"""The backlog: which subscriptions have something to deliver, and how far behind each is.

docs/architecture.md#delivery; A-24, A-38. Access itself is judged by `parties.access` alone. Every
change costs these queries, so they are prepared statements about one module.
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

COUNTED_UP_TO = 10_000
"""Of a longer lag only "more than this many changes" is known."""

HEAD_START_SECONDS = 60
"""How long a newcomer's locations wait for its tariffs, and so on in the order of `POLICIES`."""

_REGISTERED = [status.value for status in REGISTERED]
# The roles that own tokens and so receive what is personal. A party with several of them has one
# subscription, in the first of these roles: EMSP.
_TOKEN_OWNERS = [
    role.value
    for role in sorted(
        {owner for owner, _ in role_pairs(ModuleID.TOKENS)}, key=lambda role: role is not Role.EMSP
    )
]


def behind(module: ModuleID, *, only: Collection[int] | None = None) -> list[BehindRow]:
    """Return the subscriptions of a module, or `only` some of them, that can be worked on now."""
    query = statements.BEHIND[POLICIES[module].personal, only is not None]
    earlier = modules_before(module)
    ids = list(only or ())
    return rows(query, module, ids=ids, earlier_modules=earlier, head_start=HEAD_START_SECONDS)


def lag(
    module: ModuleID, subscription_ids: Collection[int], *, most: int | None = None
) -> dict[int, tuple[int, float]]:
    """Return (changes, seconds since the oldest of them) for each subscription that is behind.

    Counting stops at one beyond `most`, by default `COUNTED_UP_TO`.
    """
    query = statements.LAG[POLICIES[module].personal]
    found = rows(query, module, ids=list(subscription_ids), most=(most or COUNTED_UP_TO) + 1)
    return {each.id: (each.number, each.seconds) for each in found}


def owners(subscription_id: int, module: ModuleID) -> frozenset[str]:
    """Return whose objects the receiver of a subscription may have now."""
    found = rows(statements.OWNERS_OF[POLICIES[module].personal], module, id=subscription_id)
    return frozenset(owner for (owner,) in found)


def modules_before(module: ModuleID) -> list[str]:
    """Return the modules whose objects a newcomer gets before those of this one."""
    return [*takewhile(lambda other: other != module, POLICIES)]


@overload
def rows(query: Query[R], module: ModuleID, **more: object) -> list[R]: ...
@overload
def rows(query: str, module: ModuleID, **more: object) -> list[Row]: ...
def rows(query: str | Query[R], module: ModuleID, **more: object) -> list[R] | list[Row]:
    """Run a prepared statement in which `{pairs}` stands for the access to a module."""
    pairs, _ = access.access_pairs_sql(module)
    if isinstance(query, Query):
        prepared = Query(_text(query.text, pairs), query.row)
        return sql.rows(prepared, parameters(module, **more))
    return sql.rows(_text(query, pairs), parameters(module, **more))


def parameters(module: ModuleID, **more: object) -> dict[str, Any]:
    """Return the parameters of statements about a module's subscriptions."""
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
    """Put in `{pairs}`, and drop line breaks and indents: psycopg parses the text at each call."""
    return " ".join(statement.format(pairs=pairs).split())
