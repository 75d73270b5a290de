"""Objects broken in known ways.

Every mutation replaces, repeats, adds or removes one member, whose new value is raw JSON text: so
`NaN`, a lone surrogate or a repeated name can be written.
"""

import copy
import json
from dataclasses import dataclass
from typing import Any

from tests.hub.gateway.expected_answers import (
    KEPT,
    NOT_JSON,
    REFUSED,
    RIGHT_STAMPS,
    UNKNOWN_OWNER,
    WRONG_STAMPS,
    Fate,
    Fates,
    Json,
    Member,
    fates_of_text,
    members,
    parse,
    set_aside,
    worst,
)
from tests.hub.samples import Sample

DEEP = 100
RAW = (
    *(json.dumps(stamp) for stamp in RIGHT_STAMPS),
    *(f'"{stamp}"' for stamp in WRONG_STAMPS),
    *("null", "true", "false", "0", "-1", "8.10", "-0.0", "1e2", "1.50000", "12345678901234567890"),
    *('"2.00"', '"12"', '"1e5"', '"1,5"', '""', '" "', '"x"', '"NL"', '"ZZZ"', '"#NA"'),
    *('"\\u0000"', '"a\\u0000b"', '"a\\tb"', '"\\u007f"', '"é € 😀"', '"\\ud83d\\ude00"'),
    *(json.dumps("x" * length) for length in (36, 37, 40, 255, 256, 1100, 6000)),
    *("[]", "{}", "[null]", "[[]]", "[{}]", '["x"]', "[1]", '{"x":1}', '[{"a":1},2]'),
    *("[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP),
    # and what is no JSON
    *("NaN", "Infinity", "-Infinity", "1e400", "01", "+1", ".5", "1.", "0x10", "undefined", "'x'"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\ud800x"', '"\x01"', '"a\tb"', '"\\x"', '"x', "[1,]", ""),
)


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text, or what pretends to be; `before` is what a repeated member says first."""

    text: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Mutation:
    """One thing done to an object: a member is new, said twice or, with None, gone."""

    member: Member
    text: str | None
    twice: bool = False

    def apply(self, value: Json) -> None:
        """Do it."""
        node: Any = value
        for step in self.member.path[:-1]:
            node = node[step]
        name = self.member.name
        before = render(node[name]) if self.twice and name in node else None
        if self.text is None:
            node.pop(name, None)
        else:
            node[name] = Raw(self.text, before)

    def fates(self, sample: Sample, method: str) -> Fates:
        """Tell what may become of an object that has nothing else wrong."""
        fates = self._put(sample)
        if fates != NOT_JSON and self._is_said_twice(sample):
            return REFUSED
        if method != "PATCH" or fates == NOT_JSON:
            return set_aside(self.member, self.text, fates)
        if self.text is None and self.member.path == ("last_updated",):
            return REFUSED
        if Fate.UNKNOWN_OWNER in fates or self.member.path == ("type",):
            return KEPT | REFUSED
        # What a PATCH leaves out, also inside a value, may be there already.
        says_less = self.text is None or self.text[:1] in {"[", "{"}
        return fates | KEPT if says_less else fates

    def _is_said_twice(self, sample: Sample) -> bool:
        node: Any = sample.value
        for step in self.member.path[:-1]:
            node = node[step]
        return self.twice and self.member.name in node

    def _put(self, sample: Sample) -> Fates:
        if self.text is None:
            return REFUSED if self.member.cardinality in {"1", "+"} else KEPT
        return fates_of_text(self.member, self.text, sample)


def render(value: object) -> str:
    """Write JSON with raw texts as they are."""
    match value:
        case Raw():
            return value.text
        case dict():
            return "{" + ",".join(_entry(name, each) for name, each in value.items()) + "}"
        case list():
            return "[" + ",".join(map(render, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _entry(name: str, value: object) -> str:
    before = value.before if isinstance(value, Raw) else None
    said = [] if before is None else [f"{json.dumps(name)}:{before}"]
    return ",".join([*said, f"{json.dumps(name)}:{render(value)}"])


# --- identities ----------------------------------------------------------------------------------

PLAIN = "%s"
IDS = {
    **dict.fromkeys((PLAIN, "%s/a", "a%%2F%s", "%s#1", "%s+b", "a b %s", "*%s*", "%s?x=1&y"), KEPT),
    **dict.fromkeys(("é%s", '%s"\\', "<b>%s</b>", "%s;v=1", "#NA%s"), KEPT),
    **dict.fromkeys(("%s" + "x" * more for more in (30, 40, 240)), KEPT),
    "%s" + "x" * 300: REFUSED,
}
"""Shapes of ids: what becomes of an object that is called so, in its body and in its URL."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken object: its id, what was done to it, and with what it is sent."""

    shape: str
    mutations: tuple[Mutation, ...]
    method: str
    cut: int | None

    def text(self, sample: Sample, identifier: str) -> bytes:
        """Write it."""
        value = copy.deepcopy(sample.value)
        value[sample.id_field] = identifier
        for mutation in self.mutations:
            mutation.apply(value)
        text = render(value).encode("utf-8", "surrogatepass")
        return text if self.cut is None else text[: self.cut % len(text)]

    def fates(self, sample: Sample, text: bytes) -> Fates:
        """Tell what may become of it."""
        if self.cut is not None:
            return NOT_JSON
        fates = [each.fates(sample, self.method) for each in self.mutations]
        nobodys = any(Fate.UNKNOWN_OWNER in each for each in fates)
        found = worst(IDS[self.shape], *fates)
        assert (found == NOT_JSON) == (not _is_json(text)), text
        # Whom it is for and whether it is right are asked one after the other.
        return found | UNKNOWN_OWNER if nobodys and found != NOT_JSON else found


def _is_json(text: bytes) -> bool:
    try:
        parse(text.decode())
    except ValueError:
        return False
    return True


class Mutants:
    """All broken objects of a sample, numbered: one or two mutations, a strange id, a cut."""

    def __init__(self, sample: Sample) -> None:
        """Lay out what can be done."""
        every = [*members(sample), Member(("x_new",), sample.kind, "", "?")]
        self._single = [
            Mutation(member, text, twice)
            for member in every
            for text in (None, *RAW)
            for twice in (False, True)
            if text is not None or not twice
        ]
        self._shapes = [PLAIN] * len(IDS) + sorted(IDS)
        self._methods = METHODS[sample.module]
        self._cuts = [None] * 40 + [1, 7, 100, 333]

    def __len__(self) -> int:
        """How many there are."""
        others = len(self._shapes) * len(self._methods) * len(self._cuts)
        return 2 * len(self._single) ** 2 * others

    def __getitem__(self, number: int) -> Mutant:
        """Return one of them."""
        number, first = divmod(number, len(self._single))
        number, second = divmod(number, len(self._single))
        number, shape = divmod(number, len(self._shapes))
        number, method = divmod(number, len(self._methods))
        twofold, cut = divmod(number, len(self._cuts))
        return _mutant(
            [self._single[first], self._single[second]][: 1 + twofold],
            self._shapes[shape],
            self._methods[method],
            self._cuts[cut],
        )


METHODS = {
    "tariffs": ["PUT"],
    "locations": ["PUT", "PUT", "PUT", "PATCH"],
    "tokens": ["PUT", "PUT", "PUT", "PATCH"],
    "sessions": ["PUT", "PUT", "PUT", "PATCH"],
    "cdrs": ["POST"],
}


def _mutant(mutations: list[Mutation], shape: str, method: str, cut: int | None) -> Mutant:
    """Make one; two mutations must not be about the same part of the object."""
    if len({each.member.path[0] for each in mutations}) < len(mutations):
        mutations = mutations[:1]
    return Mutant(PLAIN if method == "PATCH" else shape, tuple(mutations), method, cut)
