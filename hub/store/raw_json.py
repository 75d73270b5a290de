"""Raw JSON: texts taken apart and put together again, byte for byte where nothing changes.

An object is handled as its members' exact text (`msgspec.Raw`), so number lexemes, unknown fields,
unknown enum values and the order of members survive a PATCH (TF-93…95). A stored text may have two
holes, for its parts and for `last_updated`, which are stored beside it. A hole is a control
character, which no JSON text contains.
"""

import re

import msgspec

from ocpi.modules import Part
from ocpi.types import fold

Members = dict[str, bytes]

PARTS_HOLE = b"\x01"
UPDATED_HOLE = b"\x02"
_NULL = b"null"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_STRUCTURE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|[\[\]{},]', re.DOTALL)
_STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


def members(text: bytes) -> Members:
    """Split a JSON object into its members' exact texts; of a repeated name the last counts."""
    return {name: bytes(raw) for name, raw in _members.decode(text).items()}


def items(text: bytes | None) -> list[bytes]:
    """Split a JSON array into the exact texts of its items; None and `null` have none."""
    if text is None or text == _NULL:
        return []
    return [bytes(raw) for raw in _items.decode(text)]


def has_more(text: bytes, most: int) -> bool:
    """Whether a JSON array has more than `most` items, in little memory.

    It counts commas and makes no items: a peer chooses how many there are.
    """
    if text.count(b",") < most or not text.lstrip().startswith(b"["):
        return False
    depth, left = 0, most
    for found in _STRUCTURE.finditer(text):
        token = found[0]
        depth += _STEPS.get(token, 0)
        left -= depth == 1 and token == b","
        if left <= 0:
            return True
    return False


def joined(parts: Members) -> bytes:
    """Put members together again as a JSON object."""
    return (
        b"{"
        + b",".join(msgspec.json.encode(name) + b":" + raw for name, raw in parts.items())
        + b"}"
    )


def array(texts: list[bytes]) -> bytes:
    """Put items together as a JSON array."""
    return b"[" + b",".join(texts) + b"]"


def opened(stored: str) -> Members:
    """Split a stored text; members that are holes have the hole as their text."""
    # Decoded with a number in each hole: a control character is no JSON.
    text = stored.encode().replace(PARTS_HOLE, b"0").replace(UPDATED_HOLE, b"0")
    found = members(text)
    for hole, name in _holes(stored):
        found[name] = hole
    return found


def _holes(stored: str) -> list[tuple[bytes, str]]:
    """Return each hole with the name of its member, read off the text before it."""
    found = []
    for hole in (PARTS_HOLE, UPDATED_HOLE):
        before, mark, _ = stored.partition(f":{hole.decode()}")
        if mark:
            found.append((hole, before.rsplit('"', 2)[1]))
    return found


def merged(
    target: Members,
    patch: Members,
    *,
    part: Part | None = None,
    appended: frozenset[str] = frozenset(),
) -> Members:
    """Apply a PATCH as in RFC 7386: null removes a member, objects merge (A-53, A-54).

    Arrays are replaced, except that of the parts, which merges by id because a PATCH removes no
    part, and those that are `appended` to.
    """
    result = dict(target)
    for name, raw in patch.items():
        old = result.get(name)
        if name in appended:
            result[name] = _appended(old, raw)
        elif raw == _NULL:
            result.pop(name, None)
        elif part is not None and name == part.member:
            result[name] = _merged_parts(old, raw, part)
        elif raw[:1] == b"{":
            base = members(old) if old is not None and old[:1] == b"{" else {}
            result[name] = joined(merged(base, members(raw)))
        else:
            result[name] = raw
    return result


def _merged_parts(old: bytes | None, patch: bytes, part: Part) -> bytes:
    """Merge an array of parts by id; new ones go to the end."""
    kept = {key_of(text, part): text for text in items(old)}
    for text in items(patch):
        key = key_of(text, part)
        if key in kept:
            both = merged(members(kept[key]), members(text), part=part.object.part)
            kept[key] = joined(both)
        else:
            kept[key] = text
    return array(list(kept.values()))


def _appended(old: bytes | None, patch: bytes) -> bytes:
    """Append what is not there yet: a repeated PATCH adds nothing (SES-02, SES-19, A-90)."""
    if patch[:1] not in {b"[", b"n"}:
        return patch  # no list: validation says so
    kept = {_content(text): text for text in items(old)}
    for text in items(patch):
        kept.setdefault(_content(text), text)
    return array(list(kept.values()))


def _content(text: bytes) -> bytes:
    """Return bytes that are equal for equal values, however they are written."""
    return msgspec.json.encode(msgspec.json.decode(text), order="sorted")


def key_of(text: bytes, part: Part) -> str:
    """Return the folded id of a part; an absent or wrong one is empty, and validation says so."""
    value = msgspec.json.decode(members(text).get(part.object.id_field, b'""'))
    return fold(value) if isinstance(value, str) and "\0" not in value else ""
