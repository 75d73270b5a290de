"""Mutated locations: the answer is always an envelope, and all is stored or nothing."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hub.models import Change, Evse, Location
from sandbox import SandboxPlatform
from tests.cast import CPA, HUB, MSA, Cast, a_location

Json = dict[str, Any]
START = a_location()
KEYS = st.sampled_from(
    sorted({*START, *START["evses"][0], *START["evses"][0]["connectors"][0], "x_new", "", "a\0"})
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(
        ["NL", "CPA", "L1", "E1", "E2", "1", "AVAILABLE", "2026-05-05T05:05:05Z", "\x01"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
PARTS: list[list[Any]] = [
    [],
    ["evses", 0],
    ["evses", 1],
    ["evses", 0, "connectors", 0],
    ["coordinates"],
]
Mutation = Callable[[Json], None]


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """Replace, remove or add one member somewhere."""
    where, name, value = draw(st.sampled_from(PARTS)), draw(KEYS), draw(VALUES)
    remove = draw(st.booleans())

    def apply(body: Json) -> None:
        node: Any = body
        for step in where:
            node = node[step] if step in node or isinstance(node, list) else {}
        if remove:
            node.pop(name, None)
        else:
            node[name] = value

    return apply


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Make the text of a location that is right, nearly right, or broken in the text itself."""
    body: Json = copy.deepcopy(START)
    for mutation in draw(st.lists(mutations(), max_size=2)):
        try:
            mutation(body)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
    text = json.dumps(body, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 2)) :]
    return text


def _state() -> tuple[Any, Any, int]:
    """Return everything the hub holds of locations and what it owes to others."""
    return (
        list(
            Location.objects.order_by("seq").values_list("seq", "revision", "text", "last_updated")
        ),
        list(Evse.objects.order_by("id").values_list("id", "text", "generation")),
        Change.objects.count(),
    )


@given(
    method=st.sampled_from(["PUT", "PUT", "PATCH"]),
    path=st.sampled_from(["L1", "L1", "l1/E1", "L1/E1/1", "L1/E3", "L1/E1/9", "L%31"]),
    body=bodies(),
)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_mutated_location_is_stored_as_a_whole_or_not_at_all(
    cast: Cast, method: str, path: str, body: bytes
) -> None:
    """An envelope with a code of the table; refused: nothing changed; accepted: once at most."""
    cpo: SandboxPlatform = cast["P1"]
    before = _state()

    result = cpo.hub.send(
        method, "locations", "RECEIVER", f"NL/CPA/{path}", body, to=HUB, sender=CPA
    )

    after = _state()
    event(f"{method} {result.http_status}/{result.status_code}")
    assert (result.http_status, result.status_code) in {
        (200, 1000),
        (201, 1000),
        (200, 2001),
        (404, 2003),
        (400, 2001),
    }, str(result)
    if result.status_code == 1000:
        assert after[2] - before[2] == (after != before)
        found = cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1", to=HUB, sender=CPA)
        assert found.data["id"].upper() == "L1"
    else:
        assert after == before
        assert result.message


@given(body=bodies())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_mutated_location_is_relayed_as_it_is_or_not_at_all(
    pair: tuple[SandboxPlatform, SandboxPlatform], body: bytes
) -> None:
    """Addressed to a party: the same bytes arrive, or nothing does and the hub says why."""
    cpo, emsp = pair
    emsp.forget()

    result = cpo.hub.put("locations", "RECEIVER", "NL/CPA/L1", body, to=MSA, sender=CPA)

    assert result.status_code in {1000, 2001}
    if result.headers["OCPI-from-party-id"] == "HUB":
        assert emsp.seen == []
    else:
        assert [seen.body for seen in emsp.seen] == [body]
