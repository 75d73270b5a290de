"""What of a driver an operator may see: the last characters of what would identify one.

Spec: 2.2.1 mod_tokens, CdrToken; a uid, a contract id and a visual number are personal data. They
are masked in the text too, by the names of their members and wherever they are quoted. So are
signed meter readings, which quote a uid in an encoding of their own.
"""

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from hub.masking.occurrences import replaced
from hub.store import raw_json

_SHOWN = 4
_UNMISTAKABLE = 8
NAMES = frozenset(
    {"uid", "contract_id", "visual_number", "group_id", "token_uid", "plain_data", "signed_data"}
)
"""The members of JSON that identify a driver."""
PUBLISHED_TO = "publish_allowed_to"
"""The member of a Location that names tokens; its EVSEs have uids too, which are nobody's."""
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRINGS = re.compile(_STRING)
_MEMBER = re.compile(rf"({_STRING})(?:(\s*+:\s*+)({_STRING}|-?[0-9][^,}}\]\s]*+)?+)?+")
"""Every string is taken whole: a name with its value, where that is a string or a number."""
_UNREADABLE = (msgspec.DecodeError, RecursionError)
_NO_JSON = b'"not shown: it is no JSON"'


def mask(text: str) -> str:
    """Show the last four characters, fewer of a text that is no longer than twice that."""
    shown = min(_SHOWN, len(text) // 2)
    return f"…{text[len(text) - shown :]}" if text else ""


def masked(text: bytes) -> bytes:
    """Mask what is personal in JSON; everything else keeps its spelling."""
    if not _is_json(text):
        return _NO_JSON
    plain = text.decode()
    values = {value for value in _personal(plain) if len(value) >= _UNMISTAKABLE}
    return _without_quotes(_MEMBER.sub(_member, plain), values).encode()


def masked_within(text: bytes, member: str) -> bytes:
    """Mask what is personal in one member of an object, and leave the rest as it is."""
    try:
        parts = raw_json.members(text)
    except RecursionError:
        return _NO_JSON
    except msgspec.DecodeError:
        return text
    if member not in parts:
        return text
    return raw_json.joined({**parts, member: masked(parts[member])})


def personal(text: bytes) -> set[str]:
    """Return the personal values of JSON."""
    return _personal(text.decode()) if _is_json(text) else set()


def named(text: bytes) -> list[tuple[str, str]]:
    """Return what is personal in JSON, each with the way to it, like `cdr_token.uid`."""
    try:
        return list(_named(msgspec.json.decode(text), ""))
    except _UNREADABLE:
        return []


def without(text: str, values: Iterable[str]) -> str:
    """Mask some values wherever they stand in a text, unless they are too short to be told."""
    return without_in([text], values)[0]


def without_in(texts: Iterable[str], values: Iterable[str]) -> list[str]:
    """Mask some values wherever they stand in several texts."""
    return replaced(texts, [value for value in values if len(value) >= _SHOWN], mask)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


def _personal(text: str) -> set[str]:
    found = _MEMBER.findall(text)
    return {_plain(value) for name, _, value in found if value and _plain(name) in NAMES}


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


def _member(found: re.Match[str]) -> str:
    """Mask one member, if it is personal."""
    name, colon, value = found.groups()
    if not value or _plain(name) not in NAMES:
        return found[0]
    return f"{name}{colon}{_written(mask(_plain(value)))}"


def _without_quotes(text: str, values: set[str]) -> str:
    """Mask some values in every string of JSON, however it spells them."""
    if not values:
        return text
    before = list(map(_plain, _STRINGS.findall(text)))
    pairs = iter(zip(before, without_in(before, values), strict=True))

    def string(found: re.Match[str]) -> str:
        said, shown = next(pairs)
        return found[0] if said == shown else _written(shown)

    return _STRINGS.sub(string, text)


def _plain(value: str) -> str:
    """Read a string or number of JSON as text."""
    if "\\" in value:
        return str(json.loads(value))
    return value[1:-1] if value.startswith('"') else value


def _written(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
