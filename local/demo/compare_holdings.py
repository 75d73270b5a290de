"""The differences between what one platform owns and what another one holds of it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

_MOST = 20
Report = dict[str, Any]


def read(report: Path) -> Report | None:
    """Return what a platform wrote last, its numbers exact, or None when it has not written yet."""
    try:
        text = report.read_text(encoding="utf-8")
        value: Report = json.loads(text, parse_float=Decimal)
    except (OSError, ValueError):
        return None
    return value


def differences(owned: dict[str, Any], received: dict[str, Any]) -> list[str]:
    """Return every difference in words, the first ones of many."""
    found = list(_objects(owned, received))
    more = len(found) - _MOST
    return found[:_MOST] + ([f"and {more} more"] if more > 0 else [])


def _objects(owned: dict[str, Any], received: dict[str, Any]) -> Iterator[str]:
    for name in sorted(owned.keys() | received.keys()):
        if name not in received:
            yield f"{name} never arrived"
        elif name not in owned:
            yield f"{name} arrived, but its owner does not have it"
        else:
            yield from _values(owned[name], received[name], where=name)


def _values(owned: object, received: object, *, where: str) -> Iterator[str]:
    if isinstance(owned, dict) and isinstance(received, dict):
        for member in sorted(owned.keys() | received.keys()):
            mine, theirs = owned.get(member, _NOTHING), received.get(member, _NOTHING)
            yield from _values(mine, theirs, where=f"{where}.{member}")
    elif isinstance(owned, list) and isinstance(received, list) and len(owned) == len(received):
        for position, (mine, theirs) in enumerate(zip(owned, received, strict=True)):
            yield from _values(mine, theirs, where=f"{where}[{position}]")
    elif type(owned) is not type(received) or owned != received:
        yield f"{where} is {_shown(owned)} at its owner and {_shown(received)} at the receiver"


class _Nothing:
    """A member that is not there, which is not the same as null."""


_NOTHING = _Nothing()


def _shown(value: object) -> str:
    if value is _NOTHING:
        return "absent"
    is_number = isinstance(value, Decimal)
    text = str(value) if is_number else json.dumps(value, ensure_ascii=False, default=str)
    longest = 80
    return text if len(text) <= longest else f"{text[:longest]}…"
