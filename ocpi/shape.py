"""The shape of a JSON text: what is too deep, too wide or too long to be read, or there twice.

RFC 8259, 4 and 9. A member that stands twice in its object is one thing for a reader that takes the
first, another for one that takes the last; so are names that differ in case alone, since some read
them as one. Where in the text that is, is looked for only when it is refused.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from ocpi.errors import Finding, InvalidParameters, NotJson
from ocpi.types import fold

MOST_LEVELS = 128
MOST_ITEMS = 10_000
"""Of one list."""
MOST_ITEMS_IN_ALL = 100_000
"""Of all lists of a body."""
MOST_CONTAINERS = 500_000
"""Objects and lists of a body, before any is made: each takes twenty times its text and more."""
MOST_MEMBERS = 1_000
"""Of one object."""
LONGEST_NAME = 255
"""Of a member."""
LONGEST_NUMBER = 100
"""Digits, of whatever part of a number."""
MOST_FINDINGS = 1_000
"""After which nobody looks for more."""

_COLON = b":"
_PERHAPS_A_COLON = b"\\u003"
"""The beginning of an escape that decodes to a colon, `\\u003a`."""
_DIGITS = bytes(0x30 if chr(byte) in "0123456789." else 0x20 for byte in range(256))
"""Digits and points become zeros, all else spaces: a long number is then a run of zeros."""
_LONG_RUN = b"0" * (LONGEST_NUMBER + 1)
_LONG = re.compile(rf"[0-9.]{{{LONGEST_NUMBER + 1}}}")
_SHOWN = 40
"""Characters of a name that is too long."""
_LONGEST_PATH = 200
"""Characters."""

Way = tuple[str | int, ...]


def check_text(body: bytes) -> None:
    """Refuse a text that would become too many objects and lists; brackets in strings count."""
    if len(body) > MOST_CONTAINERS and body.count(b"{") + body.count(b"[") > MOST_CONTAINERS:
        text = f"has more than {MOST_CONTAINERS:,} objects and lists"
        raise InvalidParameters(findings=(Finding("", f"the body {text}"),))


def check(body: bytes, value: object) -> None:
    """Refuse a body by its shape; `value` is what it was decoded to."""
    check_sizes(value)
    if _says_twice(body, value) or _LONG_RUN in body.translate(_DIGITS):
        findings = tuple(islice(_findings(body), MOST_FINDINGS))
        if findings:
            raise InvalidParameters(findings=findings)


def check_sizes(value: object) -> None:
    """Refuse a value that has too much of something, or names that are alike."""
    excess = _excess(value)
    if excess is not None:
        where = next((way for way, each in _walk(value) if each is excess.where), ())
        raise InvalidParameters(findings=(Finding(path((*where, *excess.name)), excess.text),))


def levels(value: object) -> int:
    """Count how deep objects and lists are nested."""
    depth, level = 0, _containers([value])
    while level:
        depth += 1
        level = _containers(each for one in level for each in _inner(one))
    return depth


def path(way: Way) -> str:
    """Write where something is, as `evses[0].uid`, at a readable length."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)
    return "".join(steps).removeprefix(".")[:_LONGEST_PATH]


class _Excess(NamedTuple):
    """A list or object that has too much of something."""

    where: object
    text: str
    name: tuple[str, ...] = ()


def _excess(value: object) -> _Excess | None:
    """Find the first that is too large, level by level; raises `NotJson` if there are too many."""
    items, level = 0, _containers([value])
    for _ in range(MOST_LEVELS):
        if not level:
            return None
        below: list[object] = []
        for each in level:
            found = _of_list(each, items) if isinstance(each, list) else _of_object(each)
            if isinstance(found, _Excess):
                return found
            items = found or items  # an object has no items: 0
            below += _inner(each)
        level = _containers(below)
    if level:
        raise NotJson(f"the body is nested more than {MOST_LEVELS} levels deep")
    return None


def _containers(values: Iterable[object]) -> list[Any]:
    return [each for each in values if type(each) is dict or type(each) is list]


def _inner(value: Any) -> Iterable[object]:  # noqa: ANN401 - a list or an object
    inner: Iterable[object] = value if type(value) is list else value.values()
    return inner


def _of_list(value: list[object], before: int) -> _Excess | int:
    """Return how many items of lists there are with these, unless they are too many."""
    if len(value) > MOST_ITEMS:
        return _Excess(value, f"has more than {MOST_ITEMS:,} items")
    if before + len(value) > MOST_ITEMS_IN_ALL:
        return _Excess(value, f"is where the body gets more than {MOST_ITEMS_IN_ALL:,} items")
    return before + len(value)


def _of_object(value: dict[str, object]) -> _Excess | int:
    names = "".join(value)
    if len(value) > MOST_MEMBERS:
        return _Excess(value, f"has more than {MOST_MEMBERS:,} members")
    if len(names) > LONGEST_NAME or names != names.lower():
        return _of_names(value)
    return 0


def _of_names(names: dict[str, object]) -> _Excess | int:
    """Look at each name: whether it is too long, or another one but for case."""
    seen: dict[str, str] = {}
    for name in names:
        if len(name) > LONGEST_NAME:
            text = f"has a member whose name is longer than {LONGEST_NAME} characters"
            return _Excess(names, f"{text}: {name[:_SHOWN]!r}")
        other = seen.setdefault(fold(name), name)
        if other != name:
            return _Excess(names, f"differs from {other!r:.80} in case only", (name,))
    return 0


def _walk(value: object) -> Iterator[tuple[Way, object]]:
    """Return every object and list in the order of the text, and the way to it."""
    waiting: list[tuple[Way, Any]] = [((), value)]
    while waiting:
        way, each = waiting.pop()
        yield way, each
        steps = each.items() if isinstance(each, dict) else enumerate(each)
        inner = [((*way, step), one) for step, one in steps if isinstance(one, dict | list)]
        waiting += reversed(inner)


def _says_twice(body: bytes, value: object) -> bool:
    """Whether an object may say a member twice: decoding keeps one, and loses the other's colon."""
    if _PERHAPS_A_COLON in body:
        return True
    return body.count(_COLON) != msgspec.json.encode(value).count(_COLON)


class _Object(dict[str, object]):
    """An object with the names it says more than once."""

    repeated: Iterable[str] = ()


class _LongNumber(dict[str, object]):
    """A number that is not read: it has too many digits."""


def _findings(body: bytes) -> Iterator[Finding]:
    """Name every member that stands twice, and every long number."""
    value = json.loads(body, object_pairs_hook=_object, parse_int=_number, parse_float=_number)
    for way, each in _walk(value if isinstance(value, dict | list) else {}):
        if isinstance(each, _LongNumber):
            yield Finding(path(way), f"has more than {LONGEST_NUMBER} digits")
        if isinstance(each, _Object):
            for name in each.repeated:
                yield Finding(path((*way, name)), "stands more than once in its object")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = _Object(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        found.repeated = [name for name, number in counted.items() if number > 1]
    return found


def _number(text: str) -> object:
    return _LongNumber() if _LONG.search(text) else 0
