"""The status of a connection, and which changes of it there are, as declared tables.

Spec: 2.2.1 mod_hub_client_info, ConnectionStatus enum; credentials (registration, unregistration).
"""

from collections.abc import Mapping
from enum import StrEnum


class ConnectionStatus(StrEnum):
    """Whether a platform is registered with the hub, and answers."""

    PLANNED = "PLANNED"
    """Known to the operator, not registered."""
    CONNECTED = "CONNECTED"
    """Registered and reachable, as far as the hub knows."""
    OFFLINE = "OFFLINE"
    """Registered, but not answering."""
    SUSPENDED = "SUSPENDED"
    """Unregistered, by itself or by the operator; only a new registration brings it back."""


class IllegalTransition(Exception):
    """A change of status that the tables do not have."""


P, C, O, S = ConnectionStatus  # noqa: E741 - the table reads better with one letter each

TRANSITIONS: Mapping[ConnectionStatus, frozenset[ConnectionStatus]] = {
    P: frozenset({S}),
    C: frozenset({O, S, P}),
    O: frozenset({C, S, P}),
    S: frozenset({P}),
}
"""What may follow what. Back to PLANNED leads the operator's `invite_platform --reset`."""

BY_REGISTRATION: Mapping[ConnectionStatus, frozenset[ConnectionStatus]] = {
    P: frozenset({C}),
    C: frozenset(),
    O: frozenset({C}),
    S: frozenset({C}),
}
"""What may follow in addition, once a credentials handshake is completed."""

REGISTERED = frozenset({C, O})
"""The statuses of a platform with credentials in force."""


def origins(target: ConnectionStatus, *, registering: bool) -> frozenset[ConnectionStatus]:
    """Return the statuses from which `target` may be reached."""
    tables = (TRANSITIONS, BY_REGISTRATION) if registering else (TRANSITIONS,)
    return frozenset(origin for table in tables for origin in table if target in table[origin])
