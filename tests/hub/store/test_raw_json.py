"""JSON taken apart and put together: nothing changes that nobody changed."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.store import raw_json
from hub.store.raw_json import PARTS_HOLE, UPDATED_HOLE
from ocpi.modules import Part
from ocpi.types import fold
from ocpi.v2_2_1.locations import EVSE_OF_LOCATION

EVSES = Part("evses", EVSE_OF_LOCATION)

LEXEMES = [b"8.10", b"1e2", b"1E-7", b"-0", b"12345678901234567890", b"0.1", b"true", b"null"]
STRINGS = [
    '"plain"',
    '"Caf\\u00e9 \\"x\\" \\/ \\\\"',
    '"Ω\u2028 é"',
    '"\\u0000\\ud83d\\ude00"',
    '"{\\"a\\":1}"',
    '":"',
]


def parsed(text: bytes) -> Any:
    """Parse with numbers kept as their lexemes."""
    return json.loads(text, parse_float=str, parse_int=str)


def exact(text: bytes) -> list[str]:
    """List the scalars of a JSON text as they are spelled, strings apart."""
    found: list[str] = []
    json.loads(text, parse_float=found.append, parse_int=found.append)
    return found


names = st.sampled_from(["name", "evses", "connectors", "opening_times", "x", "é", 'q"', "", "id"])
scalars = st.sampled_from([lexeme.decode() for lexeme in LEXEMES] + STRINGS)


def _object(items: list[tuple[str, str]], space: str) -> str:
    body = f",{space}".join(f"{json.dumps(name)}{space}:{space}{value}" for name, value in items)
    return f"{{{space}{body}{space}}}"


def _array(items: list[str], space: str) -> str:
    return f"[{space}{f'{space},'.join(items)}{space}]"


spaces = st.sampled_from(["", " ", "\n\t"])
values = st.recursive(
    scalars,
    lambda inner: (
        st.builds(
            _object,
            st.lists(st.tuples(names, inner), max_size=4, unique_by=lambda pair: pair[0]),
            spaces,
        )
        | st.builds(_array, st.lists(inner, max_size=3), spaces)
    ),
    max_leaves=12,
)
objects = st.builds(
    _object, st.lists(st.tuples(names, values), max_size=5, unique_by=lambda pair: pair[0]), spaces
)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386, written down as it stands there."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


@given(objects)
@settings(max_examples=100, deadline=None)
def test_an_object_taken_apart_and_joined_says_the_same(text: str) -> None:
    """Members keep their order and their exact texts (TF-94, TF-95)."""
    before = text.encode()
    parts = raw_json.members(before)

    after = raw_json.joined(parts)

    assert parsed(after) == parsed(before)
    assert list(parsed(after)) == list(parsed(before))
    assert exact(after) == exact(before)
    assert all(raw in before for raw in parts.values())


@given(objects, objects)
@settings(max_examples=100, deadline=None)
def test_merging_is_merge_patch(target: str, patch: str) -> None:
    """Objects merge, null removes, arrays are replaced (A-53, A-54: RFC 7386)."""
    merged = raw_json.merged(raw_json.members(target.encode()), raw_json.members(patch.encode()))

    expected = merge_patch(parsed(target.encode()), parsed(patch.encode()))
    assert parsed(raw_json.joined(merged)) == expected


def test_what_a_patch_does_not_name_keeps_its_bytes() -> None:
    """Number lexemes, unknown members and escapes survive the change of a neighbour."""
    target = b'{"a": 8.10, "foo" : {"b":1e2 ,"c":"\\u0041"}, "z":[1.0, 2.50]}'

    merged = raw_json.merged(raw_json.members(target), raw_json.members(b'{"n":1}'))

    expected = b'{"a":8.10,"foo":{"b":1e2 ,"c":"\\u0041"},"z":[1.0, 2.50],"n":1}'
    assert raw_json.joined(merged) == expected


def test_of_a_repeated_name_the_last_counts() -> None:
    """As every JSON parser reads it, and as the object was validated."""
    assert raw_json.members(b'{"a":1,"b":2,"a":3}') == {"a": b"3", "b": b"2"}


@pytest.mark.parametrize("text", [None, b"null", b"[]", b"[ ]"])
def test_no_list_is_an_empty_one(text: bytes | None) -> None:
    """null, missing and [] are the same (DT-06)."""
    assert raw_json.items(text) == []


# --- parts, merged by id -----------------------------------------------------------------------

ids = st.sampled_from(["E1", "e1", "E2", "E3"])
connector: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2", "a", "A"])},
    optional={
        "v": st.integers(0, 9),
        "nested": st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 9)),
    },
)
unique_connectors = st.lists(connector, max_size=3, unique_by=lambda each: fold(str(each["id"])))
evse: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"uid": ids},
    optional={
        "status": st.sampled_from(["A", "B"]),
        "floor": st.none() | st.integers(0, 9),
        "connectors": unique_connectors,
        "capabilities": st.lists(st.sampled_from("XYZ"), max_size=2),
    },
)
located: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"id": st.just("L1")},
    optional={
        "evses": st.lists(evse, max_size=3, unique_by=lambda each: fold(str(each["uid"]))),
        "name": st.none() | st.just("n"),
    },
)


def by_id(old: list[Any], patch: list[Any], field: str, inner: str | None) -> list[Any]:
    """Merge two lists of parts, in the plainest way."""
    result = list(old)
    for item in patch:
        index = next(
            (i for i, each in enumerate(result) if fold(each[field]) == fold(item[field])), None
        )
        if index is None:
            result.append(item)
        else:
            result[index] = merge_with_parts(result[index], item, inner)
    return result


def merge_with_parts(target: dict[str, Any], patch: dict[str, Any], member: str | None) -> Any:
    """Merge-patch, but the parts under `member` by their id."""
    plain = {name: value for name, value in patch.items() if name != member}
    result = merge_patch(target, plain)
    if member is not None and patch.get(member) is not None:
        inner = {"evses": ("uid", "connectors"), "connectors": ("id", None)}[member]
        result[member] = by_id(target.get(member) or [], patch[member], *inner)
    return result


@given(located, located)
@settings(max_examples=100, deadline=None)
def test_parts_merge_by_their_id(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """EVSEs by uid, Connectors by id, in any case; new ones go to the end (LOC-08, A-53)."""
    merged = raw_json.merged(
        raw_json.members(json.dumps(target).encode()),
        raw_json.members(json.dumps(patch).encode()),
        part=EVSES,
    )

    assert json.loads(raw_json.joined(merged)) == merge_with_parts(target, patch, "evses")


# --- holes -------------------------------------------------------------------------------------


@given(objects)
@settings(max_examples=100, deadline=None)
def test_a_stored_text_opens_into_its_members_and_its_holes(text: str) -> None:
    """The two holes are found as such, whatever stands around them."""
    parts = raw_json.members(text.encode())
    parts |= {"evses": PARTS_HOLE, "last_updated": UPDATED_HOLE}

    assert raw_json.opened(raw_json.joined(parts).decode()) == parts


def test_a_text_without_parts_has_one_hole() -> None:
    """Where no EVSE was given there is nothing to put in."""
    stored = '{"id":"L1","evses":null,"last_updated":\x02,"x":":"}'

    assert raw_json.opened(stored) == {
        "id": b'"L1"',
        "evses": b"null",
        "last_updated": UPDATED_HOLE,
        "x": b'":"',
    }


@pytest.mark.parametrize("hole", [PARTS_HOLE, UPDATED_HOLE])
@pytest.mark.parametrize("template", [b'{"a":"%b"}', b'{"a":%b}', b'{"%b":1}', b'{%b"a":1}'])
def test_no_json_text_contains_a_hole(hole: bytes, template: bytes) -> None:
    """Control characters are not allowed in JSON, so nobody can send one."""
    with pytest.raises(ValueError, match=r"JSON|character"):
        raw_json.members(template % hole)


@pytest.mark.parametrize(
    "text, key",
    [(b'{"uid":"e\\u0031"}', "E1"), (b'{"uid":7}', ""), (b'{"x":1}', ""), (b'{"uid":null}', "")],
)
def test_the_id_of_a_part_is_read_folded(text: bytes, key: str) -> None:
    """A wrong or missing id is empty: validation says what is wrong with it."""
    assert raw_json.key_of(text, EVSES) == key


@pytest.mark.security("S-04")
@pytest.mark.parametrize(
    "item", [b"{}", b"[]", b"1", b"null", b'",,,"', b'"[\\",{"', b'{"a":[1,{}]}', b'{"[":"]"}']
)
def test_items_are_counted_before_they_are_made(item: bytes) -> None:
    """A million of two bytes each would take hundreds of megabytes, in one item or in many."""
    for number, has_more in ((10, False), (11, True), (5_000, True)):
        assert raw_json.has_more(b"[" + b",".join([item] * number) + b"]", 10) is has_more
    many = b"[" + (item + b",") * 30_000 + b"1]"
    one = b"[%b]" % many

    tracemalloc.start()
    assert raw_json.has_more(many, 1_000)
    assert not raw_json.has_more(one, 1_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 200_000
