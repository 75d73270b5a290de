"""Good objects made as wrong as those of real platforms: each by one to three of the kinds seen.

All follows from a `random.Random`: the same seed gives the same objects.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

Json = dict[str, Any]
Change = Callable[[Any, Random], Any]

GONE = object()
"""In place of a member that is left out."""
_MOMENTS = (
    "2026-11-21T05:32:00",
    "2026-11-21T06:32:00+01:00",
    "2026-11-21 05:32:00",
    "2026-11-21",
    "21.11.2026",
    "2039-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "1795239120000",
    1795239120,
)
_TIMES = ("24:00", "8:00", "08:00:00", "25:99", "08.00", 8)
_NUMBERS = (0, -1, 0.1 + 0.2, 1e300, 10**20, "1,5", "12 kW")
_NAMES_OF_2_1_1 = {
    "max_voltage": "voltage",
    "max_amperage": "amperage",
    "tariff_ids": "tariff_id",
    "end_date_time": "stop_date_time",
    "start_date_time": "start_datetime",
    "cdr_token": "auth_id",
    "contract_id": "auth_id",
    "cdr_location": "location",
}


_OF_NUMBERS = ("number in quotes", "number out of range")
_OF_TYPE: Mapping[type, Sequence[str]] = {
    bool: ("boolean in quotes", "boolean as a number"),
    int: _OF_NUMBERS,
    float: _OF_NUMBERS,
    str: (
        *("string as a number", "other case", "padded", "too long", "unknown word"),
        *("another shape of time", "line break", "string in a list"),
    ),
    list: ("item for its list", "null among items", "item twice"),
    dict: ("object in a list", "object as a text"),
    type(None): (),
}


@dataclass(frozen=True, slots=True)
class Mutation:
    """What was done, and to which member."""

    kind: str
    member: str


def mutated(value: Json, chance: Random) -> tuple[Json, list[Mutation]]:
    """Return a copy that has one to three things wrong, and what they are."""
    made: Json = copy.deepcopy(value)
    done: list[Mutation] = []
    for _ in range(chance.randint(1, 3)):
        node, name = chance.choice(_members(made))
        kind = chance.choice(_fitting(name, node[name]))
        _KINDS[kind](node, name, chance)
        done.append(Mutation(kind, name))
    # A word in other letters may have been in those before.
    return (made, done) if made != value else mutated(value, chance)


def _members(value: Any) -> list[tuple[Json, str]]:
    """Return every member at every depth, by the object it is in."""
    if isinstance(value, list):
        return [each for item in value for each in _members(item)]
    if not isinstance(value, dict):
        return []
    own = [(value, name) for name in value]
    return own + [each for item in value.values() for each in _members(item)]


def _fitting(name: str, value: object) -> list[str]:
    """Return the kinds that this member may suffer, in a fixed order."""
    kinds = ["left out", "null", "misspelt", "empty"]
    kinds += ["camel case"] if "_" in name else []
    kinds += ["of OCPI 2.1.1"] if name in _NAMES_OF_2_1_1 else []
    if isinstance(value, str) and name.endswith(("last_updated", "date_time")):
        return [*kinds, "another shape of moment"]
    return [*kinds, *_OF_TYPE[type(value)]]


def _set(change: Change) -> Callable[[Json, str, Random], None]:
    def do(node: Json, name: str, chance: Random) -> None:
        node[name] = change(node[name], chance)

    return do


def _renamed(rename: Callable[[str], str]) -> Callable[[Json, str, Random], None]:
    def do(node: Json, name: str, _: Random) -> None:
        value = node.pop(name)
        node[rename(name)] = value

    return do


def _left_out(node: Json, name: str, _: Random) -> None:
    del node[name]


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def _empty(value: object, _: Random) -> object:
    return [] if isinstance(value, list) else {} if isinstance(value, dict) else ""


_KINDS: Mapping[str, Callable[[Json, str, Random], None]] = {
    "left out": _left_out,
    "null": _set(lambda _, __: None),
    "empty": _set(_empty),
    "misspelt": _renamed(lambda name: name[:1] + name[2:] if name[2:] else name + "x"),
    "camel case": _renamed(_camel),
    "of OCPI 2.1.1": _renamed(lambda name: _NAMES_OF_2_1_1[name]),
    "boolean in quotes": _set(lambda value, _: str(value).lower()),
    "boolean as a number": _set(lambda value, _: int(value)),
    "number in quotes": _set(lambda value, _: str(value)),
    "number out of range": _set(lambda _, chance: chance.choice(_NUMBERS)),
    "another shape of moment": _set(lambda _, chance: chance.choice(_MOMENTS)),
    "another shape of time": _set(lambda _, chance: chance.choice(_TIMES)),
    "string as a number": _set(lambda value, _: len(value)),
    "other case": _set(lambda value, chance: chance.choice((str.lower, str.title))(value)),
    "padded": _set(lambda value, chance: chance.choice((value + " ", " " + value))),
    "too long": _set(lambda value, chance: value + "x" * chance.choice((40, 300, 2_000))),
    "unknown word": _set(lambda value, _: f"{value}_X"),
    "line break": _set(lambda value, _: f"{value}\n<b>{value}</b>"),
    "string in a list": _set(lambda value, _: [value]),
    "item for its list": _set(lambda value, _: value[0] if value else ""),
    "null among items": _set(lambda value, _: [*value, None]),
    "item twice": _set(lambda value, _: [*value, *value[:1]]),
    "object in a list": _set(lambda value, _: [value]),
    "object as a text": _set(lambda value, _: str(value)),
}
KINDS = tuple(_KINDS)
