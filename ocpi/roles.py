"""Between parties of which roles the messages of a module go: whose objects it has, and who reads.

Specification: transport and format, broadcast push ("opposite role"); terminology, typical OCPI
implementations per role; A-28. Modules declare their pairs in these words.
"""

from collections.abc import Iterable

from ocpi.types import Role

Pairs = frozenset[tuple[Role, Role]]
"""(role that implements SENDER, role that implements RECEIVER)."""


def pairs(senders: Iterable[Role], receivers: Iterable[Role]) -> Pairs:
    """Pair each of some roles with each of others."""
    opposite = list(receivers)
    return frozenset((sender, receiver) for sender in senders for receiver in opposite)


READERS_OF_CPO = frozenset({Role.EMSP, Role.NSP, Role.NAP, Role.OTHER})

OPEN_DATA = pairs({Role.CPO}, READERS_OF_CPO) | pairs({Role.NAP}, READERS_OF_CPO - {Role.NAP})
"""What is there for everybody: a national access point passes it on."""
CHARGING = pairs({Role.CPO}, {Role.EMSP, Role.OTHER})
"""What was charged, for whoever has the contract with the driver."""
DRIVERS = pairs({Role.EMSP, Role.OTHER}, {Role.CPO})
"""What is known of drivers or asked for them, for whoever lets them charge."""
STEERING = pairs({Role.SCSP, Role.EMSP, Role.OTHER}, {Role.CPO})
"""How a session shall charge."""
OF_HUBS = pairs({Role.HUB}, Role)
"""What a hub says of itself."""
