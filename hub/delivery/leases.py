"""Leases: the right to work on a subscription for a while.

A lease is claimed by one conditional UPDATE, and every later write is conditional on it: a worker
that lost its lease changes nothing any more.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import NamedTuple

from django.conf import settings
from psycopg.types.json import Jsonb

from database import sql
from database.sql import Parameters, Statement
from hub.delivery.sql import leases as statements
from hub.feed import Position
from ocpi.types import ModuleID

# How long a subscription is left alone before its held messages are tried again.
_REST_SECONDS = 5.0
# What a worker may do between two prolongations, beside waiting for its last message.
_BETWEEN_SECONDS = 5.0
# Access is checked again after this long in the middle of a batch.
_LONGEST_SENDING_SECONDS = 2.0


class LeaseLost(Exception):
    """Another worker may have taken over: nothing more may be sent."""


@dataclass(frozen=True, slots=True)
class Positions:
    """How far a subscription is: all up to `reached` is done, and of what follows it `ahead`.

    `in_doubt` may have arrived. Up to transaction `compacted_to` changes may have been passed over,
    so that only states go out.
    """

    reached: Position
    ahead: frozenset[Position] = frozenset()
    in_doubt: frozenset[Position] = frozenset()
    compacted_to: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a subscription for a while.

    Methods that move or prolong anything raise `LeaseLost` if another worker may hold it by now.
    """

    subscription_id: int
    module: ModuleID
    token: uuid.UUID

    def advance(
        self, positions: Positions, *, delivered: int, preceding: Sequence[Statement] = ()
    ) -> None:
        """Move the positions and prolong the lease, in one transaction with `preceding`."""
        [is_held] = advance_all([Advance(self, positions, delivered, preceding)])
        if not is_held:
            raise LeaseLost

    def sending(self, in_doubt: Iterable[Position]) -> None:
        """Note what may have arrived if this worker dies before it records the outcome."""
        self._change(statements.SENDING, in_doubt=Jsonb(_listed(in_doubt)))

    def prolong(self) -> None:
        self._change(statements.PROLONG)

    def delivered(self, count: int) -> None:
        """Note deliveries that move no position: those of a snapshot."""
        self._change(statements.DELIVERED, delivered=count)

    def failed(self, reason: str) -> None:
        """Note a failed attempt, if the lease is still held."""
        self._write(statements.FAILED, reason=reason)

    def rest(self, reason: str) -> None:
        """Note a failure that concerns no other subscription, and let this one wait a moment."""
        self.failed(reason)
        self._write(statements.REST, seconds=_REST_SECONDS)

    def release(self) -> None:
        """Give the lease back, if it is still held."""
        release_all([self])

    def _change(self, statement: str, **values: object) -> None:
        """Write under the lease and prolong it; raises `LeaseLost`."""
        if not self._write(statement, seconds=lease_seconds(), **values):
            raise LeaseLost

    def _write(self, statement: str, **values: object) -> bool:
        """Write under the lease; return whether it is still held."""
        return bool(
            sql.rows(statement, {"id": self.subscription_id, "lease": self.token, **values})
        )


def claim(subscription_id: int) -> Lease | None:
    """Claim a subscription; None while another worker holds it."""
    return claim_all([subscription_id])[0]


def claim_all(subscription_ids: Sequence[int]) -> list[Lease | None]:
    """Claim subscriptions; None for each that another worker holds, or claims just now."""
    tokens = [uuid.uuid4() for _ in subscription_ids]
    named = {"ids": list(subscription_ids), "leases": tokens, "seconds": lease_seconds()}
    modules: dict[uuid.UUID, str] = dict(sql.rows(statements.CLAIM, named))
    return [
        Lease(each, ModuleID(modules[token]), token) if token in modules else None
        for each, token in zip(subscription_ids, tokens, strict=True)
    ]


class Advance(NamedTuple):
    """What moves the positions of a subscription, and the statements that belong to it."""

    lease: Lease
    positions: Positions
    delivered: int
    preceding: Sequence[Statement]


def advance_all(advances: Sequence[Advance]) -> list[bool]:
    """Move positions in one transaction; return for each whether its lease is still held.

    A worker that dies here loses all or nothing: a dead letter without its position would be
    written twice, a position without its dead letter would lose a message.
    """
    # In one order, whoever does it: a worker that lost its leases must not wait for receipts of the
    # one that took over, which waits for its own.
    in_order = sorted(advances, key=lambda each: each.lease.subscription_id)
    preceding = _merged(statement for each in in_order for statement in each.preceding)
    *_, moved = sql.in_one_transaction([*preceding, (statements.ADVANCE, _columns(in_order))])
    held = {token for (token,) in moved}
    return [each.lease.token in held for each in advances]


def _columns(advances: Sequence[Advance]) -> Parameters:
    positions = [each.positions for each in advances]
    return {
        "seconds": lease_seconds(),
        "ids": [each.lease.subscription_id for each in advances],
        "leases": [each.lease.token for each in advances],
        "transactions": [each.reached.transaction for each in positions],
        "seqs": [each.reached.seq for each in positions],
        "aheads": [Jsonb(_listed(each.ahead)) for each in positions],
        "in_doubts": [Jsonb(_listed(each.in_doubt)) for each in positions],
        "delivered": [each.delivered for each in advances],
        "compacted_tos": [each.compacted_to for each in positions],
    }


def _merged(separate: Iterable[Statement]) -> list[Statement]:
    """Make one of statements that have lists of rows alone, and the same text."""
    merged: dict[str, dict[str, list[object]]] = {}
    others: list[Statement] = []
    for text, named in separate:
        lists = {name: value for name, value in named.items() if isinstance(value, list)}
        if len(lists) < len(named):
            others.append((text, named))
            continue
        rows = merged.setdefault(text, {name: [] for name in lists})
        for name, value in lists.items():
            rows[name] += value
    return [*others, *merged.items()]


def release_all(leases: Sequence[Lease]) -> list[None]:
    """Give leases back, those that are still held."""
    ids = [lease.subscription_id for lease in leases]
    sql.rows(statements.RELEASE, {"ids": ids, "leases": [lease.token for lease in leases]})
    return [None] * len(leases)


def _listed(positions: Iterable[Position]) -> list[tuple[int, ...]]:
    return [astuple(each) for each in sorted(positions)]


def lease_seconds() -> float:
    """Return how long a lease holds: never shorter than a message may take."""
    least = settings.HUB_REQUEST_TIMEOUT + _BETWEEN_SECONDS
    return float(max(settings.HUB_DELIVERY_LEASE_SECONDS, least))


def sending_seconds() -> float:
    """Return how long messages may be started: the last one has to end within the lease."""
    # A lease of 60 s and a time-out of 30: a CDR begun in second 40 could still be on its way in
    # second 65, when another worker has claimed the subscription and posts it too. The shortest
    # lease would leave no time at all: hence one second more.
    left = lease_seconds() - settings.HUB_REQUEST_TIMEOUT - _BETWEEN_SECONDS + 1
    return float(min(left, _LONGEST_SENDING_SECONDS))
