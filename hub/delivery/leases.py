"""The right to work on a subscription for a while.

A lease is claimed by one conditional UPDATE and every later write names it: a worker that lost
its lease changes nothing any more.
"""

import uuid
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from hub.feed import Position
from hub.models import Subscription

# A message that keeps failing is tried again so often, while others pass.
_REST = timedelta(seconds=5)
# What a worker may do between two prolongations beside waiting for its last message.
_BETWEEN_SECONDS = 5.0
# So soon access that ended is noticed in the middle of a batch.
_LONGEST_SENDING_SECONDS = 2.0


class LeaseLost(Exception):
    """Another worker may have taken over: nothing more may be sent."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a subscription for a while; what moves anything may raise LeaseLost."""

    subscription_id: int
    token: uuid.UUID

    def advance(
        self,
        reached: Position,
        *,
        delivered: int,
        ahead: Iterable[Position] = (),
        in_doubt: Iterable[Position] = (),
    ) -> None:
        """Move the position and prolong the lease."""
        self._change(
            transaction=reached.transaction,
            seq=reached.seq,
            ahead=_listed(ahead),
            in_doubt=_listed(in_doubt),
            **_success(delivered),
        )

    def sending(self, in_doubt: Iterable[Position]) -> None:
        """Note what may have arrived, should this worker never say what came of it."""
        self._change(in_doubt=_listed(in_doubt))

    def prolong(self) -> None:
        """Keep the lease while a long batch is on its way."""
        self._change()

    def delivered(self, count: int) -> None:
        """Note deliveries that move no position: those of a snapshot."""
        self._change(**_success(count))

    def failed(self, reason: str) -> None:
        """Note a failed attempt, if the lease is still held."""
        self._held().update(failures=F("failures") + 1, last_error=reason)

    def rest(self, reason: str) -> None:
        """Note a failure that concerns no other subscription, and let this one wait a moment."""
        self.failed(reason)
        self._held().update(lease=None, lease_until=Now() + _REST)

    def release(self) -> None:
        """Give the lease back, if it is still held."""
        self._held().update(lease=None, lease_until=None)

    def _change(self, **values: Any) -> None:  # noqa: ANN401 - columns and their values
        if not self._held().update(lease_until=_until(), **values):
            raise LeaseLost

    def _held(self) -> QuerySet[Subscription]:
        return Subscription.objects.filter(pk=self.subscription_id, lease=self.token)


def _listed(places: Iterable[Position]) -> list[tuple[int, ...]]:
    return [astuple(place) for place in sorted(places)]


def _success(count: int) -> dict[str, Any]:
    if not count:
        return {}
    return {
        "failures": 0,
        "last_error": "",
        "last_delivered_at": Now(),
        "delivered": F("delivered") + count,
    }


def claim(subscription_id: int) -> Lease | None:
    """Claim a subscription; None while another worker holds it."""
    token = uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    unclaimed = Subscription.objects.filter(free, pk=subscription_id)
    claimed = unclaimed.update(lease=token, lease_until=_until())
    return Lease(subscription_id, token) if claimed else None


def _until() -> Any:  # noqa: ANN401 - an expression of Django's
    return Now() + timedelta(seconds=lease_seconds())


def lease_seconds() -> float:
    """Return how long a lease holds: never shorter than a message may take."""
    least = settings.HUB_REQUEST_TIMEOUT + _BETWEEN_SECONDS
    return float(max(settings.HUB_DELIVERY_LEASE_SECONDS, least))


def sending_seconds() -> float:
    """Return how long messages may be started: the last one has to end within the lease."""
    left = lease_seconds() - settings.HUB_REQUEST_TIMEOUT - _BETWEEN_SECONDS + 1
    return float(min(left, _LONGEST_SENDING_SECONDS))
