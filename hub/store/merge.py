"""The merge: what a write makes of a stored object, decided without a database.

Spec: 2.2.1 mod_locations (last_updated of parents), transport and format (PUT, PATCH);
A-52 to A-62.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

import msgspec

from hub.module_policy import column_values
from hub.store import raw_json, set_aside, write_request
from hub.store.identity import check_identity
from hub.store.leniency import checked
from hub.store.raw_json import PARTS_HOLE, UPDATED_HOLE, Members
from hub.store.set_aside import Remainder
from hub.store.write_request import WriteRequest, part_of, unknown
from ocpi.errors import Fault, InvalidParameters
from ocpi.modules import Part
from ocpi.shape import check_sizes
from ocpi.types import fold, parse_datetime
from ocpi.validation import Finding


@dataclass(frozen=True, slots=True)
class StoredPartText:
    """A part as it is stored; not `current` when the last PUT of the object left it out."""

    text: str
    current: bool
    findings: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """An object as it is stored, with the parts that a write is about, by their keys.

    `findings` counts its own members that break the tables, `part_findings` those of all its parts.
    """

    seq: int
    revision: int
    text: str
    last_updated: datetime
    last_updated_text: str
    parts: Mapping[str, StoredPartText]
    findings: int = 0
    part_findings: int = 0
    set_aside: str = ""


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part as it shall be stored; `position` is its index in this write."""

    uid: str
    key: str
    position: int
    text: str
    last_updated: datetime
    columns: tuple[Any, ...]
    findings: int = 0


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """What shall be stored.

    `text` None leaves the object's own text as it is: a part alone changes. The write is `created`
    when what it addresses is new, `unchanged` when the store has exactly that, `stale` when it is
    older than what it changes (A-61), `mended` when nothing of the object breaks the tables after
    it and something did before. `findings` are about what was sent; `own_findings` and
    `part_findings` count those of the object as it shall be, and of all its parts. `set_aside`
    says what of it is not stored; receivers get `body` then, which lacks that.
    """

    last_updated: datetime
    last_updated_text: str
    text: str | None = None
    object_id: str = ""
    columns: tuple[Any, ...] = ()
    parts: tuple[PartRow, ...] = ()
    created: bool = False
    unchanged: bool = False
    stale: bool = False
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    own_findings: int = 0
    part_findings: int = 0
    mended: bool = False
    set_aside: str = ""
    body: bytes | None = None


class Kind(Enum):
    """By which statement a write is done; a CHANGE reads the object before."""

    PUT = auto()
    POST = auto()
    CHANGE = auto()
    DELETE = auto()


@dataclass(frozen=True, slots=True)
class Draft:
    """A write that may be done; `write` is None where it depends on what is stored.

    With an `epoch` it is done in that one only (`parties.epoch`).
    """

    request: WriteRequest
    kind: Kind
    write: PlannedWrite | None = None
    epoch: int | None = None

    @property
    def lock(self) -> str:
        """The name of the lock under which an object's writes follow one another.

        It is that of the object, whatever its audience: what is for everybody ends own copies.
        """
        return f"{self.request.module}/{self.request.holder}/{self.request.key}"


def draft(request: WriteRequest, epoch: int | None = None) -> Draft:
    """Check and plan a write; raises `OcpiError` if it is wrong whatever is stored."""
    match request.method:
        case "DELETE":
            return Draft(request, Kind.DELETE, epoch=epoch)
        case "POST":
            return Draft(request, Kind.POST, replacement(request), epoch)
        case "PUT" if len(request.ids) == 1:
            if request.type.variant is not None:
                request = write_request.with_variant(request)
            return Draft(request, Kind.PUT, replacement(request), epoch)
    # A PATCH, or the PUT of a part: it changes a stored object.
    write_request.check(request)
    write_request.check_removals(request)
    return Draft(request, Kind.CHANGE, epoch=epoch)


def replacement(request: WriteRequest) -> PlannedWrite:
    """Plan the PUT or POST of a whole object; raises `InvalidParameters`."""
    kind, given = request.type, request.value
    left = set_aside.kept(kind, request.body, given, request.judge)
    check_identity(given, kind, owner=request.owner, ids=request.ids, variant=request.variant)
    write = _whole(request, raw_json.members(left.body), left.value, left.own)
    if not left.reasons:
        return write
    aside = set_aside.written(left.reasons)
    return replace(write, findings=left.findings, set_aside=aside, body=left.body)


def change(request: WriteRequest, stored: StoredDocument | None) -> PlannedWrite:
    """Plan a PATCH or the PUT of a part, which `write_request.check` let through."""
    if stored is None:
        raise unknown(request, request.type, request.ids[0])
    if len(request.ids) == 1:
        return _patched_object(request, stored)
    return _changed_part(request, stored)


def _whole(
    request: WriteRequest, raw: Members, value: dict[str, Any], findings: tuple[Finding, ...]
) -> PlannedWrite:
    part = request.type.part
    rows: tuple[PartRow, ...] = ()
    stamp = raw["last_updated"].decode()
    in_parts = Counter(_position_of(part, findings)) if part is not None and findings else Counter()
    if part is not None:
        texts = raw_json.items(raw.get(part.member))
        rows = _part_rows(request, part, texts, value.get(part.member) or [], in_parts)
        raw = {**raw, "last_updated": UPDATED_HOLE}
        if rows:
            raw[part.member] = PARTS_HOLE
    return PlannedWrite(
        text=raw_json.joined(raw).decode(),
        last_updated=parse_datetime(value["last_updated"]),
        last_updated_text=stamp,
        object_id=value[request.type.id_field],
        columns=column_values(request.policy.columns, value),
        parts=rows,
        findings=findings,
        own_findings=len(findings) - in_parts.total(),
        part_findings=in_parts.total(),
    )


def _position_of(part: Part, findings: tuple[Finding, ...]) -> Iterator[int]:
    """Yield of each finding inside a part which one: of `evses[3].uid` 3."""
    inside = re.compile(rf"{part.member}\[(\d+)\]")
    return (int(found[1]) for each in findings if (found := inside.match(each.path)))


def _part_rows(
    request: WriteRequest,
    part: Part,
    texts: list[bytes],
    values: list[dict[str, Any]],
    findings: Mapping[int, int],
) -> tuple[PartRow, ...]:
    rows = tuple(
        _part_row(request, text, value, position=position, findings=findings.get(position, 0))
        for position, (text, value) in enumerate(zip(texts, values, strict=True))
    )
    seen: dict[str, int] = {}
    for position, row in enumerate(rows):
        if seen.setdefault(row.key, position) != position:
            at = f"{part.member}[{position}].{part.object.id_field}"
            text = f"repeats the one of {part.member}[{seen[row.key]}]"
            raise InvalidParameters(
                f"{at}: {text}", findings=(Finding(at, text, Fault.REPEATED_ID),)
            )
    return rows


def _part_row(
    request: WriteRequest, text: bytes, value: dict[str, Any], *, position: int = 0, findings: int
) -> PartRow:
    uid = value[part_of(request.type).object.id_field]
    return PartRow(
        uid=uid,
        key=fold(uid),
        position=position,
        text=text.decode(),
        last_updated=parse_datetime(value["last_updated"]),
        columns=column_values(request.policy.part_columns, value),
        findings=findings,
    )


def _patched_object(request: WriteRequest, stored: StoredDocument) -> PlannedWrite:
    """Merge a PATCH into the object and into the parts it names; the result must be valid."""
    part = request.type.part
    patch = raw_json.members(request.body)
    changes = raw_json.items(patch.pop(part.member, None)) if part else []
    raw = raw_json.merged(
        raw_json.opened(stored.text),
        {**patch, "last_updated": UPDATED_HOLE},
        appended=request.type.appended,
    )
    texts = [_merged_part(part, stored, text) for text in changes] if part else []
    stamp = patch.get("last_updated", stored.last_updated_text.encode())
    whole = {**raw, "last_updated": stamp}
    has_parts = part is not None and (bool(texts) or raw.get(part.member) == PARTS_HOLE)
    if part is not None and has_parts:
        # Only the parts in the PATCH: the others are valid, and stay in rows of their own.
        whole[part.member] = raw_json.array(texts)
    write = _checked(request, whole)
    if part is None:
        raw["last_updated"] = stamp
    elif has_parts:
        raw[part.member] = PARTS_HOLE
    return replace(
        write,
        text=raw_json.joined(raw).decode(),
        stale=write.last_updated < stored.last_updated,
        findings=_findings_about(patch, part, write.findings),
        set_aside=_still_aside(stored, [(row.key,) for row in write.parts]),
        **_counts(stored, write.own_findings, write.parts),
    )


def _still_aside(
    stored: StoredDocument, changed: Iterable[Sequence[str]], now: set_aside.Reasons | None = None
) -> str:
    """Return what is set aside once parts were written that are right, but for `now`."""
    if not (stored.set_aside or now):
        return ""
    reasons: set_aside.Reasons = set_aside.read(stored.set_aside)
    for keys in changed:
        reasons = set_aside.still(reasons, now, keys)
    return set_aside.written(reasons)


def _counts(stored: StoredDocument, own: int, parts: tuple[PartRow, ...]) -> dict[str, Any]:
    """Return how much of the whole object breaks the tables after a change of some parts."""
    before = (stored.parts.get(row.key) for row in parts)
    gone = sum(part.findings for part in before if part and part.current)
    in_parts = stored.part_findings - gone + sum(row.findings for row in parts)
    mended = bool(stored.findings or stored.part_findings) and not (own or in_parts)
    return {"own_findings": own, "part_findings": in_parts, "mended": mended}


def _checked(request: WriteRequest, whole: Members) -> PlannedWrite:
    """Validate a merged object and plan it like a PUT of it."""
    value = msgspec.json.decode(raw_json.joined(whole))
    check_sizes(value)
    found = checked(request.judge, request.type.model, value)
    return _whole(request, whole, value, found)


def _merged_part(part: Part, stored: StoredDocument, patch: bytes) -> bytes:
    known = stored.parts.get(raw_json.key_of(patch, part))
    if known is None or not known.current:
        return patch
    target = raw_json.members(known.text.encode())
    return raw_json.joined(raw_json.merged(target, raw_json.members(patch), part=part.object.part))


def _changed_part(request: WriteRequest, stored: StoredDocument) -> PlannedWrite:
    """Put or patch a part, or a part of it, and move its parents' last_updated (LOC-04…06)."""
    part = part_of(request.type)
    known = stored.parts.get(fold(request.ids[1]))
    text, created = _new_part_text(request, part, known if known and known.current else None)
    value = msgspec.json.decode(text)
    check_sizes(value)
    left = _left_of_part(request, part, text, value)
    text, value, findings = left.body, left.value, left.own
    row = _part_row(request, text, value, findings=len(findings))
    stamp = raw_json.members(text)["last_updated"].decode()
    raw = raw_json.opened(stored.text)
    if row.last_updated <= stored.last_updated:
        stamp = stored.last_updated_text
    is_first_part = raw.get(part.member) != PARTS_HOLE
    return PlannedWrite(
        text=raw_json.joined({**raw, part.member: PARTS_HOLE}).decode() if is_first_part else None,
        last_updated=max(row.last_updated, stored.last_updated),
        last_updated_text=stamp,
        parts=(row,),
        created=created,
        unchanged=request.method == "PUT" and known == StoredPartText(row.text, current=True),
        stale=_is_older(request, known),
        findings=_findings_about(raw_json.members(request.body), part.object.part, left.findings),
        set_aside=_still_aside(stored, [request.ids[1:]], left.reasons),
        body=text if left.reasons else None,
        **_counts(stored, stored.findings, (row,)),
    )


def _left_of_part(
    request: WriteRequest, part: Part, text: bytes, value: dict[str, Any]
) -> Remainder:
    """Check a part as it shall be: of one that is PUT alone, parts of its own are set aside."""
    if request.method == "PUT" and len(request.ids) == 2:  # noqa: PLR2004 - object and part
        return set_aside.kept(part.object, text, value, request.judge)
    found = checked(request.judge, part.object.model, value)
    return Remainder(text, value, found, found)


def _is_older(request: WriteRequest, known: StoredPartText | None) -> bool:
    """Whether a write of a part is older than the part that the hub has (A-61)."""
    if known is None:
        return False
    made, before = (
        parse_datetime(msgspec.json.decode(raw_json.members(text)["last_updated"]))
        for text in (request.body, known.text.encode())
    )
    return made < before


def _new_part_text(
    request: WriteRequest, part: Part, known: StoredPartText | None
) -> tuple[bytes, bool]:
    """Return the part's new text, and whether the addressed part, or part of it, is new."""
    if len(request.ids) == 2 and request.method == "PUT":  # noqa: PLR2004 - object and part
        return request.body, known is None
    if known is None:
        raise unknown(request, part.object, request.ids[1])
    target = raw_json.members(known.text.encode())
    if len(request.ids) == 2:  # noqa: PLR2004 - object and part
        merged = raw_json.merged(target, raw_json.members(request.body), part=part.object.part)
        return raw_json.joined(merged), False
    return _with_subpart(request, part_of(part.object), target)


def _with_subpart(request: WriteRequest, part: Part, target: Members) -> tuple[bytes, bool]:
    """Put or patch a part of a part (a Connector of an EVSE) inside the part's text."""
    texts = {raw_json.key_of(text, part): text for text in raw_json.items(target.get(part.member))}
    key = fold(request.ids[2])
    created = key not in texts
    if request.method == "PUT":
        texts[key] = request.body
    elif created:
        raise unknown(request, part.object, request.ids[2])
    else:
        patch = raw_json.members(request.body)
        texts[key] = raw_json.joined(raw_json.merged(raw_json.members(texts[key]), patch))
    child = raw_json.members(texts[key])["last_updated"]
    stamp = _later(target["last_updated"], child)
    whole = {**target, part.member: raw_json.array(list(texts.values())), "last_updated": stamp}
    return raw_json.joined(whole), created


def _later(first: bytes, second: bytes) -> bytes:
    """Return the later of two timestamps, spelled as its owner sent it (A-60)."""
    moments = [parse_datetime(msgspec.json.decode(text)) for text in (first, second)]
    return second if moments[1] > moments[0] else first


def _findings_about(
    sent: Members, part: Part | None, findings: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """Keep the findings about what was sent now; the others were reported when that was sent."""
    names = {*sent, part.member} if part is not None else {*sent}
    return tuple(each for each in findings if re.split(r"[.\[]", each.path)[0] in names)
