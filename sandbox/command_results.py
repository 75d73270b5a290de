"""The results of orders at a CPO without charging stations: everything succeeds.

Spec: 2.2.1 mod_commands, CommandResult; mod_charging_profiles, the three results. A reservation is
known by its eMSP and id, a profile by its session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from time import monotonic
from typing import Any, Protocol

from ocpi.types import fold, format_datetime
from sandbox.recorder import Seen

Json = dict[str, Any]


class OrderLike(Protocol):
    """The part of an order (`sandbox.commands.Order`) that decides its outcome."""

    @property
    def kind(self) -> str:
        """The command, or the method of a request about a profile."""

    @property
    def content(self) -> Mapping[str, Any]:
        """What it says."""

    @property
    def seen(self) -> Seen:
        """How it came."""


@dataclass(slots=True)
class CommandResults:
    """What orders changed so far.

    A profile is TOO_OFTEN replaced before it is `profile_seconds` old.
    """

    profile_seconds: float = 0.0
    profiles: dict[str, Json] = field(default_factory=dict)
    reservations: set[tuple[str, str]] = field(default_factory=set)
    _set_at: dict[str, float] = field(default_factory=dict)

    def of(self, order: OrderLike) -> Json:
        """Carry an order out; the body to POST to its response_url."""
        changed = {
            "RESERVE_NOW": self._reserve,
            "CANCEL_RESERVATION": self._cancel,
            "PUT": self._set,
            "GET": self._get,
            "DELETE": self._clear,
        }.get(order.kind, _accepted)
        return changed(order)

    def is_too_often(self, order: OrderLike) -> bool:
        """Whether a profile comes too soon after the one before."""
        last = self._set_at.get(_session(order), -inf)
        return order.kind == "PUT" and monotonic() - last < self.profile_seconds

    def _reserve(self, order: OrderLike) -> Json:
        self.reservations.add(reservation(order))
        return _accepted(order)

    def _cancel(self, order: OrderLike) -> Json:
        if reservation(order) not in self.reservations:
            return {"result": "UNKNOWN_RESERVATION"}
        self.reservations.remove(reservation(order))
        return _accepted(order)

    def _set(self, order: OrderLike) -> Json:
        self.profiles[_session(order)] = order.content["charging_profile"]
        self._set_at[_session(order)] = monotonic()
        return _accepted(order)

    def _get(self, order: OrderLike) -> Json:
        profile = self.profiles.get(_session(order))
        if profile is None:
            return {"result": "UNKNOWN"}
        now = format_datetime(datetime.now(UTC))
        active = {"start_date_time": now, "charging_profile": profile}
        return {"result": "ACCEPTED", "profile": active}

    def _clear(self, order: OrderLike) -> Json:
        found = self.profiles.pop(_session(order), None)
        return {"result": "UNKNOWN" if found is None else "ACCEPTED"}


def reservation(order: OrderLike) -> tuple[str, str]:
    """Name a reservation: two eMSPs may use the same id."""
    return str(order.seen.sender), fold(str(order.content.get("reservation_id")))


def _session(order: OrderLike) -> str:
    return fold(str(order.content.get("session_id")))


def _accepted(_order: OrderLike) -> Json:
    return {"result": "ACCEPTED"}
