"""The interfaces that a platform offers by default: those of its roles.

Spec: 2.2.1 transport_and_format (typical implementations per role).
"""

from collections.abc import Iterable, Mapping, Sequence

from ocpi.types import InterfaceRole, Role

_SENDER, _RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
_ORDERS = ("commands", "chargingprofiles")
_MODULES = ("tariffs", "locations", "tokens", "sessions", "cdrs", *_ORDERS)
_SOLD = ("tariffs", "locations", "sessions", "cdrs")
_SHOWN = ("tariffs", "locations")

BY_ROLE: Mapping[Role, Mapping[InterfaceRole, Sequence[str]]] = {
    Role.CPO: {_SENDER: _SOLD, _RECEIVER: ("tokens", *_ORDERS)},
    Role.EMSP: {_SENDER: ("tokens", *_ORDERS), _RECEIVER: _SOLD},
    Role.HUB: {_SENDER: _MODULES, _RECEIVER: _MODULES},
    Role.NAP: {_SENDER: _SHOWN, _RECEIVER: _SHOWN},
    Role.NSP: {_RECEIVER: _SHOWN},
    Role.OTHER: {_SENDER: ("commands",), _RECEIVER: _SHOWN},
    Role.SCSP: {_SENDER: ("chargingprofiles",), _RECEIVER: ("sessions",)},
}


def offered(roles: Iterable[Role], *, client_info: bool = False) -> dict[str, list[InterfaceRole]]:
    """List the interfaces of a platform with these roles, by module."""
    roles = list(roles)
    sides = [BY_ROLE[role] for role in roles]
    found = {
        module: [
            interface
            for interface in (_SENDER, _RECEIVER)
            if any(module in side.get(interface, ()) for side in sides)
        ]
        for module in _MODULES
    }
    clients = {"hubclientinfo": [_SENDER, _RECEIVER] if Role.HUB in roles else [_RECEIVER]}
    used = {module: interfaces for module, interfaces in found.items() if interfaces}
    return {**used, **(clients if client_info else {})}
