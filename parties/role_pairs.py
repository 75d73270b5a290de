"""Pairs of roles: who owns the objects of a module and who reads them, as its declaration says.

Spec: 2.2.1 transport and format, broadcast push ("opposite role"); A-28. Access, endpoint checks
and role inference are derived from here. What one version of a module says holds for all: parties
exchange it whatever versions they speak.
"""

from functools import cache

from ocpi.modules import Version
from ocpi.roles import Pairs
from ocpi.types import InterfaceRole, ModuleID, Role
from ocpi.versions import declared, known_modules

__all__ = ["Pairs"]


@cache
def role_pairs(module: str) -> Pairs:
    """Return (role that implements SENDER, role that implements RECEIVER) between parties."""
    return frozenset().union(*(each.roles for each in declared(module) if each.functional))


def delegated_pairs(module: str) -> Pairs:
    """Return the same where an eMSP takes a CPO's place, to let an SCSP steer charging (CP-10).

    They count only for messages addressed to such a party: who sent a message without a sender, or
    which role an endpoint without one has, is never inferred from them.
    """
    return frozenset().union(*(each.delegated for each in declared(module)))


@cache
def all_pairs(module: str) -> Pairs:
    """Return all pairs of roles between which messages of a module may go."""
    return role_pairs(module) | delegated_pairs(module)


@cache
def implements(role: Role, module: str, interface: InterfaceRole) -> bool:
    """Return whether a party of this role typically offers this interface."""
    if role is Role.HUB:
        return True
    return _has_side(role, interface, frozenset().union(*(each.roles for each in declared(module))))


@cache
def calls(role: Role, module: str, interface: InterfaceRole) -> bool:
    """Return whether a party of this role typically calls this interface: it has the other one."""
    return implements(role, module, _OPPOSITE[interface])


@cache
def stands_in(role: Role, module: str, interface: InterfaceRole) -> bool:
    """Return whether a party of this role may offer this interface in a CPO's place."""
    return _has_side(role, interface, delegated_pairs(module))


def typical_interfaces(
    version: Version, roles: frozenset[Role]
) -> frozenset[tuple[ModuleID, InterfaceRole]]:
    """Return what a platform with these roles typically offers in a version, between parties."""
    return frozenset(
        (module.identifier, side)
        for module in version.modules.values()
        if module.functional
        for side in module.interfaces
        if any(implements(role, module.identifier, side) for role in roles)
    )


_OPPOSITE = {
    InterfaceRole.SENDER: InterfaceRole.RECEIVER,
    InterfaceRole.RECEIVER: InterfaceRole.SENDER,
}


def _has_side(role: Role, interface: InterfaceRole, pairs: Pairs) -> bool:
    side = 0 if interface is InterfaceRole.SENDER else 1
    return any(pair[side] is role for pair in pairs)


_PARTNERS: Pairs = frozenset().union(*map(role_pairs, known_modules(functional=True)))
_OWNERS = frozenset(owner for owner, _ in role_pairs(ModuleID.LOCATIONS))

AGREEING_ROLES: Pairs = frozenset(
    {pair for pair in _PARTNERS if pair[0] in _OWNERS} | delegated_pairs(ModuleID.SESSIONS)
)
"""The pairs of roles that can have an agreement, the owner of the objects first."""

OWNERS: frozenset[Role] = frozenset(owner for owner, _ in AGREEING_ROLES)
"""The roles on the CPO's side of an agreement."""

READERS: frozenset[Role] = frozenset(reader for _, reader in AGREEING_ROLES)
"""The roles on the eMSP's side of an agreement."""
