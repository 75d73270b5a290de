"""The versions of OCPI this code speaks, oldest first, and how two sides agree on one.

Specification: version_information_endpoint. What holds for a module whatever version its messages
are in is read from all its declarations here.
"""

from collections.abc import Iterable, Mapping
from typing import get_args

from ocpi import v2_2, v2_2_1
from ocpi.modules import Module, ObjectType, Version
from ocpi.types import ModuleID, OcpiEnum

__all__ = [
    "VERSIONS",
    "Version",
    "declared",
    "kept_type",
    "known_modules",
    "latest",
    "latest_mutual",
    "values_of",
]

VERSIONS: Mapping[str, Version] = {
    version.number: version for version in (v2_2.VERSION, v2_2_1.VERSION)
}


def latest() -> Version:
    """Return the newest version."""
    return [*VERSIONS.values()][-1]


def latest_mutual(numbers: Iterable[str]) -> Version | None:
    """Pick the newest of the offered versions that is spoken here."""
    offered = frozenset(numbers)
    mutual = [version for number, version in VERSIONS.items() if number in offered]
    return mutual[-1] if mutual else None


def declared(name: str) -> list[Module]:
    """Return the declarations of a module, the oldest first; none of one that nobody has."""
    found = (version.modules.get(ModuleID(name)) for version in VERSIONS.values())
    return [module for module in found if module]


def kept_type(name: str) -> ObjectType:
    """Return the type of objects kept of a module, as its newest declaration has it."""
    return next(each.kept for each in reversed(declared(name)) if each.kept)


def values_of(name: str, member: str, *, of_part: bool = False) -> list[str]:
    """Return the values that a member of a module's kept objects, or their parts, may have.

    The member is an enum; its values in any version count.
    """
    kept = [each.kept for each in reversed(declared(name)) if each.kept]
    kinds = [each.part.object for each in kept if each.part] if of_part else kept
    hints = (each.model.model_fields[member].annotation for each in kinds)
    return list(dict.fromkeys(word.value for hint in hints for word in _enum(hint)))


def _enum(hint: object) -> Iterable[OcpiEnum]:
    """Find the enum a member is of, however it is wrapped."""
    if isinstance(hint, type) and issubclass(hint, OcpiEnum):
        return hint
    return [word for inner in get_args(hint) for word in _enum(inner)]


def known_modules(*, functional: bool = False) -> list[ModuleID]:
    """Name the modules of all versions, or the functional ones, in alphabetical order."""
    every = (module for version in VERSIONS.values() for module in version.modules.values())
    return sorted({each.identifier for each in every if each.functional or not functional})
