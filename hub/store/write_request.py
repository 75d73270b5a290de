"""A message for the store, and what can be said of it whatever is stored.

Spec: 2.2.1 transport and format (PUT, PATCH); A-34, A-52, A-53, A-62, A-99.
"""

from dataclasses import dataclass, replace
from typing import Any

from hub.policy import Policy
from hub.store import raw_json
from hub.store.identity import contradictions, lacks_last_updated, object_key, variant_query
from ocpi.errors import InvalidParameters, OcpiError
from ocpi.modules import Module, ObjectType, Part
from ocpi.types import PartyRef, fold, parse_datetime
from ocpi.validation import Finding, decode_object, validate


@dataclass(frozen=True, slots=True)
class Incoming:
    """A write of a Client Owned Object, its sender's right to it already checked.

    `ids` are the object's and its parts' ids as the URL spells them (of a POST, as the body does);
    `path` is the raw suffix. It is `filed_as` its owner's, at the platform it came from, if not
    under the owner's key. `audience` is the only holder it is for, empty when it is for all;
    `recipient` the owner of the token in it. It `is_fed` to receivers unless it was addressed to
    one, who has it already.
    """

    module: Module
    policy: Policy
    version: str
    method: str
    owner: PartyRef
    ids: tuple[str, ...]
    path: str
    body: bytes
    correlation_id: str
    filed_as: str = ""
    audience: str = ""
    recipient: str = ""
    variant: str | None = None
    is_fed: bool = True

    @property
    def holder(self) -> str:
        """The name under which it is filed (`parties.holders`)."""
        return self.filed_as or str(self.owner)

    @property
    def key(self) -> str:
        """What the object is looked up by."""
        return object_key(self.type, self.ids[0], self.variant)

    @property
    def fed_path(self) -> str:
        """The path below its endpoint at which a receiver is to have it."""
        return self.path + variant_query(self.type, self.key)

    @property
    def type(self) -> ObjectType:
        """The type of the object itself, whatever part is addressed."""
        if self.module.object is None:
            message = f"{self.module.identifier} has no object to keep"
            raise TypeError(message)
        return self.module.object


def told_apart(message: Incoming, value: dict[str, Any]) -> Incoming:
    """Return a PUT or POST with the variant its body tells where its URL does not (TOK-04)."""
    kind = message.type.variant
    said = value.get(kind.member) if kind and not message.variant else None
    return replace(message, variant=said) if isinstance(said, str) else message


def check(message: Incoming) -> None:
    """Refuse what is wrong with a PATCH, or the PUT of a part, whatever is stored."""
    value = decode_object(message.body)
    kind = type_at(message.type, len(message.ids))
    if message.method == "PATCH":
        _needs_last_updated(value, kind)
        _needs_lists_of_parts(value, kind)
    else:
        validate(kind.model, value)
    check_identity(message, value, kind)


def check_removals(message: Incoming) -> None:
    """Refuse a PATCH of an object that would remove its parts: nobody shall believe it did."""
    part = message.type.part
    if part is None or message.method != "PATCH" or len(message.ids) > 1:
        return
    if decode_object(message.body).get(part.member, ...) is None:
        text = f"none is removed by PATCH: give each {part.object.name} the status REMOVED"
        raise _misshapen(part.member, f"{text}, or PUT the {message.type.name} without them")


def part_keys(message: Incoming) -> list[str]:
    """Return the folded ids of the parts a checked message touches, so that they can be read."""
    if len(message.ids) > 1:
        return [fold(message.ids[1])]
    part = message.type.part
    if part is None:
        return []
    texts = raw_json.items(raw_json.members(message.body).get(part.member))
    return [raw_json.key_of(text, part) for text in texts]


def type_at(kind: ObjectType, depth: int) -> ObjectType:
    """Return the type addressed by so many ids: 1 the object, 2 its part, 3 the part's part."""
    for _ in range(depth - 1):
        kind = part_of(kind).object
    return kind


def part_of(kind: ObjectType) -> Part:
    """Return what the parts of a type are; raises `InvalidParameters` when it has none."""
    if kind.part is None:
        message = f"a {kind.name} has no parts"
        raise InvalidParameters(message)
    return kind.part


def check_identity(message: Incoming, value: dict[str, Any], kind: ObjectType) -> None:
    """Compare what the body says of its identity with the URL (TF-49, TF-50, LOC-24, A-62)."""
    usual = kind.variant.default if kind.variant else None
    variant = message.variant or usual if kind is message.type else None
    wrong = tuple(
        contradictions(value, kind, owner=message.owner, ids=message.ids, variant=variant)
    )
    if wrong:
        raise InvalidParameters("; ".join(map(str, wrong)), findings=wrong)


def _needs_last_updated(value: dict[str, Any], kind: ObjectType) -> None:
    """Refuse a PATCH without a usable last_updated (TF-37, A-52)."""
    wrong = tuple(lacks_last_updated(value, kind))
    stamp = value.get("last_updated")
    if stamp is not None and not _is_timestamp(stamp):
        wrong = (Finding("last_updated", "is not a timestamp like 2026-11-21T05:32:00Z"),)
    if wrong:
        raise InvalidParameters(str(wrong[0]), findings=wrong)


def _is_timestamp(value: object) -> bool:
    try:
        parse_datetime(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _needs_lists_of_parts(value: dict[str, Any], kind: ObjectType, path: str = "") -> None:
    """Refuse a PATCH whose parts cannot be told apart; all else shows once it is merged."""
    part = kind.part
    if part is None or value.get(part.member) is None:
        return
    items, at = value[part.member], f"{path}{part.member}"
    if not isinstance(items, list):
        raise _misshapen(at, "must be a list")
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            raise _misshapen(f"{at}[{position}]", "must be an object")
        _needs_lists_of_parts(item, part.object, f"{at}[{position}].")


def _misshapen(path: str, text: str) -> InvalidParameters:
    finding = Finding(path, text)
    return InvalidParameters(str(finding), findings=(finding,))


def unknown(message: Incoming, kind: ObjectType, given: str) -> OcpiError:
    """Return the error for a child or PATCH of what the hub does not hold (TF-38, LOC-13, A-12)."""
    return message.type.unknown(
        f"the hub holds no {kind.name} {given!r} of {message.owner}; send it by PUT first",
        http_status=404,
    )
