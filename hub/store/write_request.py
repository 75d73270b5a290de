"""Write requests: writes as the store takes them, and the checks that need no stored object.

Spec: 2.2.1 transport and format (PUT, PATCH); A-34, A-52, A-53, A-62, A-99.
"""

from dataclasses import dataclass, replace
from typing import Any

from hub.module_policy import ModulePolicy
from hub.store import leniency, raw_json
from hub.store.identity import check_identity, lacks_last_updated, object_key
from hub.store.leniency import Judge
from hub.store.set_aside import kept
from ocpi.errors import Fault, InvalidParameters, OcpiError
from ocpi.modules import ObjectType, Part
from ocpi.types import ModuleID, PartyRef, fold, parse_datetime
from ocpi.validation import Finding


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """A write of a Client Owned Object whose sender may make it.

    owner      the party in the URL; of a POST, in the body
    holder     the name under which the object is filed (`parties.holders`)
    ids        those of the object and of the addressed part, as the URL spells them; of a POST, as
               the body does
    key        what the object is looked up by (`hub.store.identity`)
    path       the raw path below the endpoint
    value      the decoded `body`, empty for a DELETE
    audience   the only holder it is for, empty when it is for everybody
    recipient  the holder that owns the token in it
    variant    its type of token, where its URL names one
    is_fed     receivers get it; not when it was forwarded to one, who has it already
    lenient    its platform is taken at less than its word (`hub.store.leniency`)
    is_claimed nobody else posts it at present: its sender has the claim
    """

    module: ModuleID
    type: ObjectType
    policy: ModulePolicy
    version: str
    method: str
    owner: PartyRef
    holder: str
    ids: tuple[str, ...]
    key: str
    path: str
    body: bytes
    value: dict[str, Any]
    correlation_id: str
    audience: str = ""
    recipient: str = ""
    variant: str | None = None
    is_fed: bool = True
    is_claimed: bool = False
    lenient: bool = False

    @property
    def judge(self) -> Judge:
        """How the object is judged."""
        return leniency.judge(lenient=self.lenient)


def with_variant(request: WriteRequest) -> WriteRequest:
    """Return a PUT with the variant that its body names, where its URL names none (TOK-04)."""
    kind = request.type.variant
    said = request.value.get(kind.member) if kind and not request.variant else None
    if not isinstance(said, str):
        return request
    return replace(request, variant=said, key=object_key(request.type, request.ids[0], said))


def check(request: WriteRequest) -> None:
    """Refuse a PATCH, or the PUT of a part, that is wrong whatever is stored."""
    value, kind = request.value, type_at(request.type, len(request.ids))
    if request.method == "PATCH":
        _needs_last_updated(value, kind)
        _needs_lists_of_parts(value, kind)
    else:
        kept(kind, request.body, value, request.judge)
    check_identity(value, kind, owner=request.owner, ids=request.ids, variant=request.variant)


def check_removals(request: WriteRequest) -> None:
    """Refuse a PATCH with null for the parts: it removes none, and its sender should know."""
    part = request.type.part
    if part is None or request.method != "PATCH" or len(request.ids) > 1:
        return
    if request.value.get(part.member, ...) is None:
        text = f"none is removed by PATCH: give each {part.object.name} the status REMOVED"
        raise _misshapen(part.member, f"{text}, or PUT the {request.type.name} without them")


def part_keys(request: WriteRequest) -> list[str]:
    """Return the keys of the parts that a checked write changes, which have to be read first."""
    if len(request.ids) > 1:
        return [fold(request.ids[1])]
    part = request.type.part
    if part is None:
        return []
    texts = raw_json.items(raw_json.members(request.body).get(part.member))
    return [raw_json.key_of(text, part) for text in texts]


def type_at(kind: ObjectType, depth: int) -> ObjectType:
    """Return the type that `depth` ids address: 1 the object, 2 a part, 3 a part of the part."""
    for _ in range(depth - 1):
        kind = part_of(kind).object
    return kind


def part_of(kind: ObjectType) -> Part:
    """Return the declaration of a type's parts; raises `InvalidParameters` when it has none."""
    if kind.part is None:
        message = f"a {kind.name} has no parts"
        raise InvalidParameters(message)
    return kind.part


def _needs_last_updated(value: dict[str, Any], kind: ObjectType) -> None:
    """Refuse a PATCH without a usable last_updated (TF-37, A-52)."""
    wrong = tuple(lacks_last_updated(value, kind))
    stamp = value.get("last_updated")
    if stamp is not None and not _is_timestamp(stamp):
        text = "is not a timestamp like 2026-11-21T05:32:00Z"
        wrong = (Finding("last_updated", text, Fault.TIMESTAMP),)
    if wrong:
        raise InvalidParameters(str(wrong[0]), findings=wrong)


def _is_timestamp(value: object) -> bool:
    try:
        parse_datetime(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _needs_lists_of_parts(value: dict[str, Any], kind: ObjectType, path: str = "") -> None:
    """Refuse a PATCH whose parts are no list of objects; merging validates everything else."""
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
    finding = Finding(path, text, Fault.TYPE)
    return InvalidParameters(str(finding), findings=(finding,))


def unknown(request: WriteRequest, kind: ObjectType, given: str) -> OcpiError:
    """Return the error for a change of what the hub does not have (TF-38, LOC-13, A-12)."""
    return request.type.unknown(
        f"the hub holds no {kind.name} {given!r} of {request.owner}; send it by PUT first",
        http_status=404,
    )
