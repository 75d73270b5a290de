"""Changing an object by a part of it: PATCH, and the last_updated of its parents.

Merge-patch for objects and members, parts by their id, some lists appended to, others replaced; a
child's last_updated reaches every parent, and never moves one backwards.
"""

from collections.abc import Sequence

from ocpi.errors import InvalidParameters, NotFound, OcpiError
from ocpi.modules import ObjectType
from ocpi.types import fold, parse_datetime

Json = dict[str, object]


def merge(kind: ObjectType, target: Json, patch: Json) -> None:
    """Apply a PATCH body to an object of this kind, in place."""
    part = kind.part
    for member, value in patch.items():
        if part and member == part.member and isinstance(value, list):
            _merge_parts(part.object, target, member, value)
        elif member in kind.appended:
            _append(target, member, value)
        else:
            _merge_member(target, member, value)


def _append(target: Json, member: str, value: object) -> None:
    """Add what is not there yet: a PATCH that is sent again says nothing new."""
    new = value if isinstance(value, list) else []
    if new:
        known = elements(target, member)
        known.extend(each for each in new if each not in known)


def _merge_member(target: Json, member: str, value: object) -> None:
    current = target.get(member)
    if value is None:
        target.pop(member, None)
    elif isinstance(value, dict) and isinstance(current, dict):
        for inner, inner_value in value.items():
            _merge_member(current, inner, inner_value)
    else:
        target[member] = value


def _merge_parts(kind: ObjectType, target: Json, member: str, patches: Sequence[Json]) -> None:
    parts = elements(target, member)
    for patch in patches:
        existing = find(kind, parts, str(patch.get(kind.id_field)))
        if existing is None:
            parts.append(patch)
        else:
            merge(kind, existing, patch)


def elements(target: Json, member: str) -> list[Json]:
    """Give the parts under this member, a list made when there is none."""
    if not isinstance(target.get(member), list):
        target[member] = []
    found: list[Json] = target[member]  # type: ignore[assignment]
    return found


def find(kind: ObjectType, parts: Sequence[Json], identifier: str) -> Json | None:
    """Find the part with this id, compared as CiString."""
    key = fold(identifier)
    return next((part for part in parts if fold(str(part.get(kind.id_field))) == key), None)


def walk(kind: ObjectType, root: Json, ids: Sequence[str]) -> list[tuple[ObjectType, Json]]:
    """Give the object and the parts below it named by ids; raises when one is unknown."""
    nodes = [(kind, root)]
    for identifier in ids:
        kind, current = nodes[-1]
        if kind.part is None:
            raise NotFound(f"{kind.name} has no parts")
        part = find(kind.part.object, elements(current, kind.part.member), identifier)
        if part is None:
            raise unknown(kind.part.object, identifier)
        nodes.append((kind.part.object, part))
    return nodes


def replace(kind: ObjectType, parent: Json, new: Json, identifier: str) -> bool:
    """Put a part into its parent, in place of the one with this id; True when there was none."""
    if kind.part is None:
        raise NotFound(f"{kind.name} has no parts")
    parts = elements(parent, kind.part.member)
    old = find(kind.part.object, parts, identifier)
    if old is None:
        parts.append(new)
    else:
        parts[parts.index(old)] = new
    return old is None


def touch(parents: Sequence[Json], child: Json) -> None:
    """Propagate the child's last_updated to its parents where it is newer."""
    moment = child.get("last_updated")
    for parent in parents:
        if isinstance(moment, str) and _newer(moment, parent.get("last_updated")):
            parent["last_updated"] = moment


def unknown(kind: ObjectType, identifier: str) -> OcpiError:
    """Make the error of a missing object: HTTP 404 and the status code of its kind."""
    return kind.unknown(f"unknown {kind.name} {identifier}", http_status=404)


def _newer(moment: str, than: object) -> bool:
    try:
        return not isinstance(than, str) or parse_datetime(moment) > parse_datetime(than)
    except ValueError as error:
        raise InvalidParameters(f"last_updated: {error}") from error
