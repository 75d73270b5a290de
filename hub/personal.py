"""What of a driver an operator may see: the last characters of what would identify one.

Spec: 2.2.1 mod_tokens, CdrToken; a uid, a contract id and a visual number are personal data. They
are masked in the text too, by the names of their members and wherever they are quoted. So are
signed meter readings, which quote a uid in an encoding of their own.
"""

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from hub.store import documents

_SHOWN = 4
_UNMISTAKABLE = 8
NAMES = frozenset(
    {"uid", "contract_id", "visual_number", "group_id", "token_uid", "plain_data", "signed_data"}
)
"""The members of JSON that identify a driver."""
PUBLISHED_TO = "publish_allowed_to"
"""The member of a Location that names tokens; its EVSEs have uids too, which are nobody's."""
_STRING = r'"(?:[^"\\]|\\.)*"'
_MEMBER = re.compile(rf"^( *)({_STRING}): ({_STRING}|-?[0-9][^,\n]*)(,?)$", re.MULTILINE)


def mask(text: str) -> str:
    """Show the last four characters, fewer of a text that is no longer than twice that."""
    shown = min(_SHOWN, len(text) // 2)
    return f"…{text[len(text) - shown :]}" if text else ""


def masked(text: bytes) -> bytes:
    """Mask what is personal in JSON; everything else keeps its spelling."""
    try:
        lines = _lines(text)
    except msgspec.DecodeError:
        return b'"not shown: it is no JSON"'
    values = {value for value in _personal(lines) if len(value) >= _UNMISTAKABLE}
    shown = _MEMBER.sub(_member, lines)
    return re.sub(_STRING, lambda found: without(found[0], values), shown).encode()


def masked_within(text: bytes, member: str) -> bytes:
    """Mask what is personal in one member of an object, and leave the rest as it is."""
    try:
        parts = documents.members(text)
    except msgspec.DecodeError:
        return text
    if member not in parts:
        return text
    return documents.joined({**parts, member: masked(parts[member])})


def personal(text: bytes) -> set[str]:
    """Return the personal values of JSON."""
    try:
        return _personal(_lines(text))
    except msgspec.DecodeError:
        return set()


def named(text: bytes) -> list[tuple[str, str]]:
    """Return what is personal in JSON, each with the way to it, like `cdr_token.uid`."""
    try:
        return list(_named(msgspec.json.decode(text), ""))
    except msgspec.DecodeError:
        return []


def without(text: str, values: Iterable[str]) -> str:
    """Mask some values wherever they stand in a text, unless they are too short to be told."""
    told = sorted((value for value in values if len(value) >= _SHOWN), key=len, reverse=True)
    if not told:
        return text
    either = "|".join(map(re.escape, told))
    return re.sub(either, lambda found: mask(found[0]), text, flags=re.IGNORECASE)


def _personal(lines: str) -> set[str]:
    found = _MEMBER.findall(lines)
    return {_plain(value) for _, name, value, _ in found if json.loads(name) in NAMES}


def _named(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            way = f"{path}.{name}" if path else name
            if name in NAMES and isinstance(inner, str | int | float):
                yield way, str(inner)
            yield from _named(inner, way)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _named(inner, f"{path}[{place}]")


def _lines(text: bytes) -> str:
    """Break JSON into lines: one member each."""
    return msgspec.json.format(text, indent=2).decode()


def _member(found: re.Match[str]) -> str:
    """Mask one member, if it is personal."""
    indent, name, value, comma = found.groups()
    if json.loads(name) not in NAMES:
        return found[0]
    return f"{indent}{name}: {json.dumps(mask(_plain(value)), ensure_ascii=False)}{comma}"


def _plain(value: str) -> str:
    return str(json.loads(value)) if value.startswith('"') else value
