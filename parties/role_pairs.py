"""Which role owns the objects of a module and which roles read them.

Spec: 2.2.1 transport and format, broadcast push ("opposite role"); terminology, typical OCPI
implementations per role; A-28. Access, endpoint checks and role inference are derived from here.
"""

from collections.abc import Mapping
from functools import cache

from ocpi.types import InterfaceRole, ModuleID, Role

READERS_OF_CPO = frozenset({Role.EMSP, Role.NSP, Role.NAP, Role.OTHER})
Pairs = frozenset[tuple[Role, Role]]


def _pairs(senders: set[Role], receivers: frozenset[Role]) -> Pairs:
    return frozenset((sender, receiver) for sender in senders for receiver in receivers)


_ONLY_CPO = frozenset({Role.CPO})
_OPEN_DATA = _pairs({Role.CPO}, READERS_OF_CPO) | _pairs({Role.NAP}, READERS_OF_CPO - {Role.NAP})
_CHARGING = _pairs({Role.CPO}, frozenset({Role.EMSP, Role.OTHER}))

ROLE_PAIRS: Mapping[ModuleID, Pairs] = {
    ModuleID.LOCATIONS: _OPEN_DATA,
    ModuleID.TARIFFS: _OPEN_DATA,
    ModuleID.TOKENS: _pairs({Role.EMSP, Role.OTHER}, _ONLY_CPO),
    ModuleID.SESSIONS: _CHARGING | _pairs({Role.CPO}, frozenset({Role.SCSP})),
    ModuleID.CDRS: _CHARGING,
    ModuleID.COMMANDS: _pairs({Role.EMSP, Role.OTHER}, _ONLY_CPO),
    ModuleID.CHARGINGPROFILES: _pairs({Role.SCSP, Role.EMSP, Role.OTHER}, _ONLY_CPO),
}
"""(role that implements SENDER, role that implements RECEIVER) of each module between parties."""

DELEGATED: Mapping[ModuleID, Pairs] = {
    ModuleID.SESSIONS: frozenset({(Role.EMSP, Role.SCSP)}),
    ModuleID.CHARGINGPROFILES: frozenset({(Role.SCSP, Role.EMSP)}),
}
"""The same where an eMSP stands in a CPO's place: it lets an SCSP steer (CP-10).

Only messages addressed to such a party by name: whose message it is, or which endpoint was meant,
is never guessed from these.
"""

_PARTNERS: Pairs = frozenset().union(*ROLE_PAIRS.values())
_OWNERS = frozenset(owner for owner, _ in ROLE_PAIRS[ModuleID.LOCATIONS])

SIDES: Pairs = frozenset(
    {pair for pair in _PARTNERS if pair[0] in _OWNERS} | DELEGATED[ModuleID.SESSIONS]
)
"""The roles that can have an agreement: who owns what the other comes for stands first."""

OWNERS: frozenset[Role] = frozenset(owner for owner, _ in SIDES)
"""The roles on the CPO's side of an agreement."""

READERS: frozenset[Role] = frozenset(reader for _, reader in SIDES)
"""The roles on the eMSP's side of an agreement."""


def pairs_of(module: ModuleID) -> Pairs:
    """Return the roles between which messages of a module may go."""
    return ROLE_PAIRS.get(module, frozenset()) | DELEGATED.get(module, frozenset())


@cache
def implements(role: Role, module: ModuleID, interface: InterfaceRole) -> bool:
    """Tell whether a party of this role typically offers this interface."""
    if role is Role.HUB:
        return True
    if module is ModuleID.HUBCLIENTINFO:
        return interface is InterfaceRole.RECEIVER
    return _stands(role, interface, ROLE_PAIRS.get(module, frozenset()))


@cache
def stands_in(role: Role, module: ModuleID, interface: InterfaceRole) -> bool:
    """Tell whether a party of this role may offer this interface in a CPO's place."""
    return _stands(role, interface, DELEGATED.get(module, frozenset()))


def _stands(role: Role, interface: InterfaceRole, pairs: Pairs) -> bool:
    side = 0 if interface is InterfaceRole.SENDER else 1
    return any(pair[side] is role for pair in pairs)
