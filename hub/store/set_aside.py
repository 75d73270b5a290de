"""Parts set aside: an EVSE or Connector that nobody could use; the rest of its object lives.

Spec: 2.2.1 mod_locations. Decided without a database, of the body of a PUT; a PATCH that would
break a part is refused, since what is there stays. A part whose own parts are all set aside goes
with them.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from hub.store import raw_json
from hub.store.leniency import Judge, checked
from ocpi.errors import InvalidParameters, Severity
from ocpi.modules import ObjectType, Part
from ocpi.types import fold
from ocpi.validation import Finding

Reasons = Mapping[str, str]
"""Why a part is set aside, by the keys that lead to it: `E1`, or `E1/2` of a Connector in it."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of a body; `findings` are about all of it, `own` about what is left."""

    body: bytes
    value: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    own: tuple[Finding, ...] = ()
    reasons: Reasons | None = None


def kept(kind: ObjectType, body: bytes, value: dict[str, Any], judge: Judge) -> Remainder:
    """Check a whole object or part, and return it without the parts that are to be set aside.

    Raises InvalidParameters when that does not help.
    """
    found = judge(kind.model, value)
    grave = [each for each in found if each.severity is not Severity.REPORT]
    broken = [each for each in grave if each.severity is Severity.SET_ASIDE]
    if not grave:
        return Remainder(body, value, found, found)
    if kind.part is None or len(broken) < len(grave):
        raise InvalidParameters(findings=grave)
    text, reasons = _without(kind.part, body, broken, judge)
    left = msgspec.json.decode(text)
    try:
        own = checked(judge, kind.model, left)
    except InvalidParameters:  # an EVSE without any Connector: say what was wrong with those
        raise InvalidParameters(findings=grave) from None
    others = [each for each in found if each.severity is Severity.REPORT]
    return Remainder(text, left, (*map(_told, broken), *others), own, reasons)


def still(before: Reasons, now: Reasons | None, keys: Sequence[str]) -> Reasons:
    """Return what is set aside once the part that some keys lead to was written."""
    path = "/".join(map(fold, keys))
    others = {
        name: why
        for name, why in before.items()
        if name != path and not name.startswith(f"{path}/")
    }
    return others | {f"{path}/{name}": why for name, why in (now or {}).items()}


def written(reasons: Reasons | None) -> str:
    """Return the reasons as they are stored: empty without any."""
    return msgspec.json.encode(reasons).decode() if reasons else ""


def read(text: str) -> dict[str, str]:
    """Return the reasons that are stored."""
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}


def _told(finding: Finding) -> Finding:
    return replace(finding, text=f"{finding.text} (set aside, the rest is stored)")


def _without(
    part: Part, body: bytes, broken: Sequence[Finding], judge: Judge
) -> tuple[bytes, Reasons]:
    """Leave out the parts that findings are about, as small a part as makes up for each."""
    raw = raw_json.members(body)
    by_position: dict[int, list[Finding]] = defaultdict(list)
    inside = re.compile(rf"{part.member}\[(\d+)\]\.?")
    for finding in broken:
        found = inside.match(finding.path)
        if found is None:
            raise InvalidParameters(findings=tuple(broken))
        by_position[int(found[1])].append(replace(finding, path=finding.path[found.end() :]))
    reasons: dict[str, str] = {}
    left: list[bytes] = []
    for position, text in enumerate(raw_json.items(raw.get(part.member))):
        about = by_position.get(position)
        if about is None:
            left.append(text)
            continue
        name = _name(part, text, position)
        smaller, why = _mended(part.object, text, about, judge)
        reasons |= (
            {f"{name}/{key}": each for key, each in why.items()}
            if smaller
            else {name: "; ".join(map(str, about))}
        )
        left += [smaller] if smaller else []
    return raw_json.joined({**raw, part.member: raw_json.array(left)}), reasons


def _mended(
    kind: ObjectType, text: bytes, about: Sequence[Finding], judge: Judge
) -> tuple[bytes | None, Reasons]:
    """Return a part without those of its own parts that are broken; None if it is itself."""
    inner = kind.part
    if inner is None or not all(each.path.startswith(f"{inner.member}[") for each in about):
        return None, {}
    smaller, reasons = _without(inner, text, about, judge)
    broken = judge(kind.model, msgspec.json.decode(smaller))
    is_right = all(each.severity is Severity.REPORT for each in broken)
    return (smaller, reasons) if is_right else (None, {})


def _name(part: Part, text: bytes, position: int) -> str:
    """Return the key of a part, or its place in the list if it has no usable one."""
    try:
        value = msgspec.json.decode(text)[part.object.id_field]
    except (TypeError, KeyError):
        value = None
    return fold(value) if isinstance(value, str) and value else f"#{position}"
