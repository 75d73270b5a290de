"""What is too deep, too wide, too long, or said twice."""

import json
import tracemalloc
from time import thread_time

import pytest

from ocpi import shape, validators
from ocpi.errors import InvalidParameters, NotJson
from ocpi.v2_2_1.locations import Location
from ocpi.validation import decode, validate
from tests.ocpi.objects import Json, connector, evse, location

DEEP = b'{"a":' * shape.MOST_LEVELS


def findings(body: bytes) -> list[str]:
    """Return why a body is refused by its shape."""
    with pytest.raises(InvalidParameters) as refused:
        decode(body)
    return [str(finding) for finding in refused.value.findings]


@pytest.mark.security("S-09")
@pytest.mark.parametrize(
    "body,said",
    [
        (b'{"id":"A","id":"B"}', ["id"]),
        (b'{"id":"A","x":1,"id":"A"}', ["id"]),
        (b'{"id":"A","\\u0069d":"B"}', ["id"]),
        (b'{"a":{"b":[{},{"uid":1,"ui\\u0064":2}]}}', ["a.b[1].uid"]),
        (b'[{"a":1,"a":2,"b":3,"b":4,"b":5}]', ["[0].a", "[0].b"]),
        (b'{"a:":1,"a\\u003a":2}', ["a:"]),
        (b'{"a":":","x":1,"a":"\\u003A\\u003a"}', ["a"]),
        (b'{"a":{"b":1,"b":1},"c":{"b":1,"b":{}}}', ["a.b", "c.b"]),
    ],
)
def test_a_member_that_stands_twice_is_refused(body: bytes, said: list[str]) -> None:
    """At any depth and in any spelling, also with the same value, each named by its path."""
    assert findings(body) == [f"{path}: stands more than once in its object" for path in said]


@pytest.mark.security("S-09", "S-04")
def test_members_that_stand_twice_are_named_up_to_a_thousand() -> None:
    """Who repeats one in each object of a list is told of the first ones."""
    body = b"[" + b'{"a":1,"a":1},' * shape.MOST_FINDINGS + b'{"a":1,"a":1}]'
    assert len(findings(body)) == shape.MOST_FINDINGS


@pytest.mark.security("S-09")
def test_names_in_other_letters_are_the_same_name_for_some() -> None:
    """Parsers that ignore case would read another object."""
    assert findings(b'[{"id":"A","ID":"B"}]') == ["[0].ID: differs from 'id' in case only"]
    assert decode(b'{"ID":"A"}') == {"ID": "A"}


@pytest.mark.security("S-09")
@pytest.mark.parametrize(
    "body", [b'{"a":"\\u003a:::","b":[":"],":":1}', b'[{"a":1},{"a":1}]', b'{"a":{"a":{"a":1}}}']
)
def test_what_only_looks_repeated_is_read(body: bytes) -> None:
    """Colons in strings, and the same name in several objects."""
    assert decode(body) == json.loads(body)


@pytest.mark.security("S-04")
def test_each_bound_is_met_exactly() -> None:
    """The bound itself is allowed; one more is refused in one sentence that names the place."""
    items, members = b"{}," * (shape.MOST_ITEMS - 1), shape.MOST_MEMBERS
    wide = {f"m{number}": 0 for number in range(members)}
    name, digits = "n" * shape.LONGEST_NAME, b"1" * shape.LONGEST_NUMBER
    for body in (
        b'{"evses":[%b{}]}' % items,
        json.dumps(wide).encode(),
        json.dumps({name: 0}).encode(),
        b'{"a":%b.%b}' % (digits[:50], digits[:49]),
        b'{"a":"%b"}' % (digits * 3),
        DEEP + b"1" + b"}" * shape.MOST_LEVELS,
    ):
        decode(body)

    assert findings(b'{"evses":[%b{},{}]}' % items) == ["evses: has more than 10,000 items"]
    assert findings(json.dumps([wide | {"one": 1}]).encode()) == [
        "[0]: has more than 1,000 members"
    ]
    [long] = findings(json.dumps({"a": {name + "n": 0}}).encode())
    assert long.startswith("a: has a member whose name is longer than 255 characters")
    assert len(long) < 200
    assert findings(b'{"a":[1%b]}' % digits) == ["a[0]: has more than 100 digits"]
    with pytest.raises(NotJson, match="more than 128 levels"):
        decode(b"[" + DEEP + b"1" + b"}" * shape.MOST_LEVELS + b"]")


@pytest.mark.security("S-04")
def test_lists_are_bounded_together() -> None:
    """Many lists of as many items as one may have are too much as well."""
    inner = b"[" + b"0," * (shape.MOST_ITEMS - 1) + b"0]"
    many = b"[" + b",".join([inner] * 11) + b"]"
    assert "more than 100,000 items" in findings(many)[0]


@pytest.mark.security("S-04")
def test_all_mistakes_are_named_up_to_a_thousand() -> None:
    """In a long list too each has its path; more than so many are refused in one sentence."""
    evses = [evse(uid=str(number)) for number in range(9_000)]
    evses[8_999] = evse(uid="", connectors=[connector(max_voltage="high")])
    with pytest.raises(InvalidParameters) as refused:
        validate(Location, location(evses=evses))
    assert [finding.path for finding in refused.value.findings] == [
        "evses[8999].uid",
        "evses[8999].connectors[0].max_voltage",
    ]
    odd = [evse(uid=str(number), capabilities=["X"]) for number in range(shape.MOST_FINDINGS)]
    assert len(validate(Location, location(evses=odd))) == shape.MOST_FINDINGS

    more: list[list[Json]] = [
        [*odd, evse(uid="")],
        [*odd, evse(capabilities=["X"])],
        [{} for _ in range(10_000)],
    ]
    for wrong in more:
        with pytest.raises(InvalidParameters, match="more than 1,000 members are wrong") as much:
            validate(Location, location(evses=wrong))
        assert len(str(much.value)) < 200
        assert len(much.value.findings) <= shape.MOST_FINDINGS


@pytest.mark.security("S-04")
def test_mistakes_beyond_are_not_made() -> None:
    """The first one ends the first look; after a thousand the second looks at nothing more."""
    assert not validate(Location, location())
    started = thread_time()
    assert validators.has_mistakes(Location, {"evses": [{}] * 300_000})
    assert thread_time() - started < 0.1

    tracemalloc.start()
    with pytest.raises(InvalidParameters):
        validate(Location, location(evses=[{}] * shape.MOST_ITEMS))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.security("S-04")
@pytest.mark.parametrize("one", [b"[],", b"{},", b'{"a":[]},'])
def test_small_objects_by_the_million_are_not_made(one: bytes) -> None:
    """They are counted in the text: a body is read in memory of its own order."""
    body = b'{"evses":[' + one * (5_000_000 // len(one)) + b"{}]}"

    tracemalloc.start()
    said = findings(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said == ["the body has more than 500,000 objects and lists"]
    assert peak < len(body)
