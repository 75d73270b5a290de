"""What a batch of changes sends: decided without I/O, and never an older state after a newer."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.delivery.latest_state_plan import CoalescedChanges, coalesced, push_of
from hub.delivery.push import PartKey, Push, path_of
from hub.feed import FedChange, Position

WHOLE = "NL/CPA/l1"


def a_change(
    revision: int, method: str = "PATCH", part: str = "", suffix: str = "", key: str = "L1"
) -> FedChange:
    """Make a change of a Location of NL-CPA, or of one of its parts."""
    path = "/".join(filter(None, [f"NL/CPA/{key.lower()}", part.lower(), suffix]))
    return FedChange(
        position=Position(100 + revision, revision),
        owner="NL-CPA",
        object_key=key,
        part_key=part,
        revision=revision,
        method=method,
        path=path,
        body=f"body {revision}",
        correlation_id=f"c{revision}",
        created_at=datetime(2027, 1, 1, tzinfo=UTC),
    )


def key(part: str = "", object_key: str = "L1") -> PartKey:
    """Name an object or part of NL-CPA."""
    return "NL-CPA", object_key, part


def test_parts_are_sent_by_themselves() -> None:
    """Changes of different EVSEs do not wait for each other."""
    changes = [a_change(1, part="E1"), a_change(2, part="E2"), a_change(3, part="E1")]

    found = {group.key: [c.revision for c in group.changes] for group in coalesced(changes)}

    assert found == {key("E1"): [1, 3], key("E2"): [2]}


def test_a_change_of_the_whole_takes_those_of_its_parts_in() -> None:
    """Otherwise a part could overtake the whole, or the whole a part."""
    changes = [
        a_change(1, part="E1"),
        a_change(2, "PUT"),
        a_change(3, part="E2"),
        a_change(1, key="L2"),
    ]

    found = {group.key: [c.revision for c in group.changes] for group in coalesced(changes)}

    assert found == {key(): [1, 2, 3], key(object_key="L2"): [1]}


def test_what_is_sent_keeps_the_order_of_the_feed() -> None:
    """A batch that is broken off then leaves its end, and repeats little of what was sent."""
    of_parts = [("L1", "E1"), ("L2", "E1"), ("L1", "E2"), ("L2", "E2")]
    changes = [
        replace(a_change(1, part=part, key=of), position=Position(1, place))
        for place, (of, part) in enumerate(of_parts)
    ]

    assert [group.key[1:] for group in coalesced(changes)] == of_parts


VERBATIM, STATE = "verbatim", "state"


@pytest.mark.parametrize(
    "changes, present, patch_supported, expected",
    [
        pytest.param([a_change(4, "PUT")], 4, True, (VERBATIM, WHOLE), id="the newest PUT"),
        pytest.param([a_change(4, "PUT")], 5, True, (STATE, WHOLE), id="a PUT overtaken"),
        pytest.param([a_change(4)], 4, True, (VERBATIM, WHOLE), id="the newest PATCH"),
        pytest.param([a_change(4)], 4, False, (STATE, WHOLE), id="no PATCH at this receiver"),
        pytest.param([a_change(4)], 6, True, (STATE, WHOLE), id="a PATCH overtaken"),
        pytest.param([a_change(3), a_change(4)], 4, True, (STATE, WHOLE), id="two PATCHes"),
        pytest.param(
            [a_change(3), a_change(4, "PUT")], 4, True, (VERBATIM, WHOLE), id="PUT behind PATCH"
        ),
        pytest.param(
            [a_change(3, "PUT"), a_change(4)], 4, True, (STATE, WHOLE), id="PATCH behind PUT"
        ),
        pytest.param(
            [a_change(3, "PUT"), a_change(4, "PUT", "E1")],
            4,
            True,
            (STATE, WHOLE),
            id="PUT of a part behind PUT of the whole",
        ),
        pytest.param(
            [a_change(4, part="E1")], 4, True, (VERBATIM, f"{WHOLE}/e1"), id="PATCH of a part"
        ),
        pytest.param(
            [a_change(4, part="E1")], 7, True, (STATE, f"{WHOLE}/e1"), id="part overtaken"
        ),
        pytest.param(
            [a_change(4, "PUT", "E1", "1")],
            4,
            True,
            (VERBATIM, f"{WHOLE}/e1/1"),
            id="PUT of a Connector",
        ),
        pytest.param(
            [a_change(4, "PATCH", "E1", "1")],
            4,
            False,
            (STATE, f"{WHOLE}/e1"),
            id="PATCH of a Connector where there is no PATCH",
        ),
        pytest.param(
            [a_change(3, "PUT", "E1", "1"), a_change(4, "PUT", "E1", "2")],
            4,
            True,
            (STATE, f"{WHOLE}/e1"),
            id="PUTs of two Connectors",
        ),
        pytest.param([a_change(4, part="E1")], None, True, None, id="the part is gone"),
        pytest.param([a_change(4, "DELETE")], None, True, (VERBATIM, WHOLE), id="deleted"),
        pytest.param(
            [a_change(3, "PUT"), a_change(4, "DELETE")],
            None,
            True,
            (VERBATIM, WHOLE),
            id="deleted behind a PUT",
        ),
        pytest.param([a_change(3, "PUT")], None, True, None, id="deleted later"),
        pytest.param([a_change(4, "DELETE")], 1, True, (STATE, WHOLE), id="deleted and back"),
        pytest.param([a_change(4, "DELETE")], 4, True, (STATE, WHOLE), id="back, as often changed"),
    ],
)
def test_an_object_is_sent_by_its_newest_message_or_as_its_present_state(
    changes: list[FedChange],
    present: int | None,
    patch_supported: bool,  # noqa: FBT001 - a column of the table
    expected: tuple[str, str] | None,
) -> None:
    """The message as it came in while it is the newest; otherwise the state by PUT."""
    [group] = coalesced(changes)
    revisions = {} if present is None else {group.key: present}

    sent = push_of(group, revisions, patch_supported=patch_supported)

    if expected is None or sent is None:
        assert (sent, expected) == (None, None)
        return
    last = changes[-1]
    assert (STATE if sent.body is None else VERBATIM, sent.path) == expected
    assert sent.body in {None, last.body}
    assert sent.method == ("PUT" if sent.body is None else last.method)
    assert (sent.object_path, sent.correlation_id) == (WHOLE, last.correlation_id)


@pytest.mark.parametrize(
    "change, compacted_to, method",
    [
        (a_change(4, part="E1"), 103, "PATCH"),
        (a_change(4, part="E1"), 104, "PUT"),
        (a_change(4), 104, "PUT"),
        (a_change(4, "PUT", "E1", "1"), 104, "PUT"),
    ],
)
def test_what_may_have_had_changes_before_it_that_were_passed_over_goes_out_as_a_state(
    change: FedChange, compacted_to: int, method: str
) -> None:
    """A PATCH alone, or a Connector, would not say what they said."""
    [group] = coalesced([change])

    sent = push_of(group, {group.key: 4}, patch_supported=True, compacted_to=compacted_to)

    assert sent is not None
    assert (sent.method, sent.body is None) == (method, compacted_to == 104)


@pytest.mark.parametrize(
    "change, is_state",
    [
        (a_change(1, "PUT"), True),
        (a_change(1, "PUT", "E1"), True),
        (a_change(1, "PUT", "E1", "1"), False),
        (a_change(1, "PATCH", "E1"), False),
    ],
)
def test_only_the_put_of_all_a_key_names_may_be_replaced_by_a_newer_state(
    change: FedChange,
    is_state: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """The state of an EVSE must never be sent to the URL of its Connector."""
    group = CoalescedChanges(key(change.part_key), (change,))

    sent = push_of(group, {group.key: 1}, patch_supported=True)

    assert sent is not None
    assert sent.is_state is is_state


@pytest.mark.parametrize(
    "raw, part, expected",
    [
        ("NL/CPA/L1/E1/1", "E1", "NL/CPA/L1/E1"),
        ("NL/CPA/L1/E1/1", "", "NL/CPA/L1"),
        ("NL/CPA/a%2Fb%3F", "", "NL/CPA/a%2Fb%3F"),
        ("DE/MSA/1?type=APP_USER", "", "DE/MSA/1?type=APP_USER"),
        ("DE/MSA/1?type=a/b", "", "DE/MSA/1?type=a/b"),
        ("", "", ""),
    ],
)
def test_a_path_is_cut_to_what_a_key_names(raw: str, part: str, expected: str) -> None:
    """Whatever is encoded in an id; the query says which object is meant, so it stays."""
    assert path_of(raw, key(part)) == expected


# --- the model: any writes, any batches, any crash ----------------------------------------------

OWN = ""


@dataclass
class Store:
    """One Location: the revision at which its own members and each part changed last."""

    revision: int = 0
    state: dict[str, int] = field(default_factory=dict)
    history: dict[int, dict[str, int]] = field(default_factory=dict)
    feed: list[tuple[FedChange, dict[str, int]]] = field(default_factory=list)

    def write(self, kind: str, part: str) -> None:
        """Change something, as the store does, and append it to the feed."""
        if kind == "patch part" and part not in self.state:
            return
        self.revision += 1
        before = dict(self.state)
        method, addressed, keys = {
            "put": ("PUT", OWN, [OWN, "E1", part]),
            "patch": ("PATCH", OWN, [OWN, part]),
            "put part": ("PUT", part, [part]),
            "patch part": ("PATCH", part, [part]),
        }[kind]
        kept = {} if kind == "put" else before
        self.state = kept | dict.fromkeys(keys, self.revision)
        self.history[self.revision] = dict(self.state)
        self.feed.append((a_change(self.revision, method, addressed), before))

    def present(self, key: PartKey) -> int | None:
        """Return the present revision of an object or part."""
        return self.state.get(key[2]) if key[2] else self.revision or None


@dataclass
class Receiver:
    """What one receiver knows; it objects to any older state after a newer one."""

    known: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def take(self, states: dict[str, int]) -> None:
        """Take the new states of some keys."""
        for each, revision in states.items():
            assert revision >= self.seen.get(each, 0), f"{each}: {revision} after {self.seen[each]}"
            self.seen[each] = self.known[each] = revision

    def put_whole(self, state: dict[str, int], revision: int) -> None:
        """Take a whole object; what it lacks is gone as of its revision."""
        for gone in self.known.keys() - state.keys():
            assert revision >= self.seen[gone], f"{gone} vanishes although it is newer"
            self.seen[gone] = revision
        self.take(state)
        self.known = dict(state)


def receive(store: Store, receiver: Receiver, sent: Push) -> None:
    """Apply one push at the receiver, an unknown object by the PUT of the whole."""
    if sent.body is None:
        receive_state(store, receiver, sent.key[2])
        return
    revision = int(sent.body.removeprefix("body "))
    change, before = store.feed[revision - 1]
    after = store.history[revision]
    changed = {name: value for name, value in after.items() if value == revision}
    if change.method == "PUT" and not change.part_key:
        receiver.put_whole(after, revision)
    elif not receiver.known or (change.method == "PATCH" and change.part_key not in receiver.known):
        receiver.put_whole(store.state, store.revision)  # unknown there (TF-39)
    else:
        receive_part(receiver, change.method, changed, before)


def receive_state(store: Store, receiver: Receiver, part: str) -> None:
    """Take the present state of a part, or of the whole; what is gone is not sent."""
    if not part or (part in store.state and not receiver.known):
        receiver.put_whole(store.state, store.revision)
    elif part in store.state:
        receiver.take({part: store.state[part]})


def receive_part(
    receiver: Receiver, method: str, changed: dict[str, int], before: dict[str, int]
) -> None:
    """Take some members or parts; a PATCH needs the very state it was made for."""
    for name in changed.keys() & receiver.known.keys() if method == "PATCH" else ():
        expected = {before.get(name), changed[name]}
        assert receiver.known[name] in expected, "a PATCH of another state"
    receiver.take(changed)


def deliver(
    store: Store, receiver: Receiver, start: int, size: int, *, patch_supported: bool
) -> Iterator[int | None]:
    """Deliver one batch; wherever it yields, writes may come in between or the worker may die."""
    batch = [change for change, _ in store.feed[start : start + size]]
    yield None
    found = coalesced(batch)
    present = {group.key: store.present(group.key) for group in found}
    revisions = {name: value for name, value in present.items() if value is not None}
    yield None
    for group in found:
        sent = push_of(group, revisions, patch_supported=patch_supported)
        if sent is not None:
            receive(store, receiver, sent)
        yield None
    yield start + len(batch)


writes = st.tuples(
    st.sampled_from(["put", "patch", "put part", *["patch part"] * 5]),
    st.sampled_from(["E1", "E1", "E2"]),
)


@given(
    script=st.lists(st.lists(writes, max_size=3), min_size=8, max_size=30),
    sizes=st.lists(st.integers(1, 6), min_size=10, max_size=10),
    crashes=st.sets(st.integers(0, 40), max_size=6),
    patch_supported=st.booleans(),
)
@settings(max_examples=500, deadline=None)
def test_a_receiver_never_sees_an_older_state_and_ends_at_the_present_one(
    script: list[list[tuple[str, str]]],
    sizes: list[int],
    crashes: set[int],
    patch_supported: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """For any writes, any division into batches and any death of a worker (TF-85)."""
    store, receiver = Store(), Receiver()
    store.write("put", "E2")
    position, turns, pending = 0, count(), iter(script)
    for size in sizes:
        for reached in deliver(store, receiver, position, size, patch_supported=patch_supported):
            if next(turns) in crashes:
                break
            position = position if reached is None else reached
            for write in next(pending, []):
                store.write(*write)
    while position < len(store.feed):
        *_, reached = deliver(store, receiver, position, 4, patch_supported=patch_supported)
        position = reached or position

    assert receiver.known == store.state


def test_the_model_objects_to_a_state_that_goes_back() -> None:
    """The model itself can fail: it proves nothing otherwise."""
    receiver = Receiver()
    receiver.take({"E1": 5})

    with pytest.raises(AssertionError, match="4 after 5"):
        receiver.take({"E1": 4})
