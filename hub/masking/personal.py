"""Personal data and its masking: operators see the last characters of what identifies a driver.

Spec: 2.2.1 mod_tokens, CdrToken; a uid, a contract id and a visual number are personal data. In
JSON they are found by the names of their members; long values are then masked wherever else the
text repeats them. Signed meter readings are masked as well, because they contain an encoded uid.
"""

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from hub.masking.occurrences import replaced
from hub.models.charging import ERASED
from hub.store import raw_json

_SHOWN_CHARACTERS = 4
_MIN_LENGTH_ELSEWHERE = 8
"""Values this long are masked elsewhere in the text too; a shorter one may be there by chance."""
PERSONAL_MEMBERS = frozenset(
    {"uid", "contract_id", "visual_number", "group_id", "token_uid", "plain_data", "signed_data"}
)
"""The members of JSON that identify a driver."""
PUBLISHED_TO = "publish_allowed_to"
"""The only member of a Location that names tokens; the `uid` of its EVSEs is no driver's."""
# Possessive quantifiers throughout: peers choose the text, and must not cause backtracking.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRINGS = re.compile(_STRING)
_MEMBER = re.compile(rf"({_STRING})(?:(\s*+:\s*+)({_STRING}|-?[0-9][^,}}\]\s]*+)?+)?+")
"""A name with its value, if that is a string or number. Any other string matches as a whole, so
that nothing inside of it is taken for a member."""
_UNREADABLE = (msgspec.DecodeError, RecursionError)
_NO_JSON = b'"not shown: it is no JSON"'


def mask_value(text: str) -> str:
    """Return a text as "…" and its last four characters, but never more than half of it.

    The word that stands for an erased id names nobody, and stays.
    """
    if text == ERASED:
        return text
    shown = min(_SHOWN_CHARACTERS, len(text) // 2)
    return f"…{text[len(text) - shown :]}" if text else ""


def mask_json(text: bytes) -> bytes:
    """Return JSON with its personal values masked; everything else keeps its spelling."""
    if not _is_json(text):
        return _NO_JSON
    plain = text.decode()
    values = {value for value in _personal_values(plain) if len(value) >= _MIN_LENGTH_ELSEWHERE}
    return _mask_in_strings(_MEMBER.sub(_masked_member, plain), values).encode()


def mask_member(text: bytes, member: str) -> bytes:
    """Return an object with the personal values in one of its members masked."""
    try:
        parts = raw_json.members(text)
    except RecursionError:
        return _NO_JSON
    except msgspec.DecodeError:
        return text
    if member not in parts:
        return text
    return raw_json.joined({**parts, member: mask_json(parts[member])})


def personal_values(text: bytes) -> set[str]:
    """Return the personal values in JSON; none if it is no JSON."""
    return _personal_values(text.decode()) if _is_json(text) else set()


def personal_members(text: bytes) -> list[tuple[str, str]]:
    """Return path and value of each personal value, like (`cdr_token.uid`, `012345`)."""
    try:
        return list(_personal_members(msgspec.json.decode(text), ""))
    except _UNREADABLE:
        return []


def mask_in_text(text: str, values: Iterable[str]) -> str:
    """Return a text with values masked; those of fewer than four characters are not looked for."""
    return mask_in_texts([text], values)[0]


def mask_in_texts(texts: Iterable[str], values: Iterable[str]) -> list[str]:
    """Return several texts with values masked, at the cost of one text as long as all of them."""
    searched = [value for value in values if len(value) >= _SHOWN_CHARACTERS]
    return replaced(texts, searched, mask_value)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


def _personal_values(text: str) -> set[str]:
    found = _MEMBER.findall(text)
    return {_plain(value) for name, _, value in found if value and _plain(name) in PERSONAL_MEMBERS}


def _personal_members(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            inner_path = f"{path}.{name}" if path else name
            if name in PERSONAL_MEMBERS and isinstance(inner, str | int | float):
                yield inner_path, str(inner)
            yield from _personal_members(inner, inner_path)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _personal_members(inner, f"{path}[{position}]")


def _masked_member(found: re.Match[str]) -> str:
    """Return a matched member, masked if it is personal."""
    name, colon, value = found.groups()
    if not value or _plain(name) not in PERSONAL_MEMBERS:
        return found[0]
    return f"{name}{colon}{_as_json(mask_value(_plain(value)))}"


def _mask_in_strings(text: str, values: set[str]) -> str:
    """Return JSON with some values masked in every string, also where escapes hide them."""
    if not values:
        return text
    strings = list(map(_plain, _STRINGS.findall(text)))
    pairs = iter(zip(strings, mask_in_texts(strings, values), strict=True))

    def string(found: re.Match[str]) -> str:
        plain, masked = next(pairs)
        return found[0] if plain == masked else _as_json(masked)

    return _STRINGS.sub(string, text)


def _plain(value: str) -> str:
    """Return a string or number of JSON as plain text."""
    if "\\" in value:
        return str(json.loads(value))
    return value[1:-1] if value.startswith('"') else value


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
