"""Which role owns the objects of a module and which roles read them.

Spec: 2.2.1 transport and format, broadcast push ("opposite role"); terminology, typical OCPI
implementations per role; A-28. Access, endpoint checks and role inference are derived from here.
"""

from collections.abc import Mapping

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

PARTNERS: Pairs = frozenset().union(*ROLE_PAIRS.values())
"""All pairs of roles with anything to say to each other."""

OWNERS: frozenset[Role] = frozenset(owner for owner, _ in ROLE_PAIRS[ModuleID.LOCATIONS])
"""The roles on the CPO's side of an agreement: they own what others come for."""

READERS: frozenset[Role] = frozenset(reader for owner, reader in PARTNERS if owner in OWNERS)
"""The roles on the eMSP's side of an agreement."""


def implements(role: Role, module: ModuleID, interface: InterfaceRole) -> bool:
    """Tell whether a party of this role has use for offering this interface."""
    if role is Role.HUB:
        return True
    if module is ModuleID.HUBCLIENTINFO:
        return interface is InterfaceRole.RECEIVER
    side = 0 if interface is InterfaceRole.SENDER else 1
    return any(pair[side] is role for pair in ROLE_PAIRS.get(module, ()))
