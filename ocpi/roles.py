"""The pairs of roles between which messages go: of the objects' owners, and of their readers.

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
"""What everybody may read; a national access point (NAP) passes on what it reads."""
CHARGING = pairs({Role.CPO}, {Role.EMSP, Role.OTHER})
"""What was charged, for the company that has the contract with the driver."""
DRIVERS = pairs({Role.EMSP, Role.OTHER}, {Role.CPO})
"""What is known of drivers or asked on their behalf, for the CPO that lets them charge."""
STEERING = pairs({Role.SCSP, Role.EMSP, Role.OTHER}, {Role.CPO})
"""How fast a session is to charge."""
OF_HUBS = pairs({Role.HUB}, Role)
"""What a hub reports to everybody."""
