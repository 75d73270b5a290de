"""The envelope every answer travels in, and the ids that hold an exchange together."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ocpi.types import PartyRef, parse_datetime
from sandbox import Result, SandboxPlatform
from sandbox.misbehaviour import say
from tests.cast import CPA, CPB, HUB, MSA, Cast, a_location, push

Pair = tuple[SandboxPlatform, SandboxPlatform]
L1 = "NL/CPA/L1"
MEMBERS = {"data", "status_code", "status_message", "timestamp"}


def _answers(cpo: SandboxPlatform, emsp: SandboxPlatform) -> dict[str, Result]:
    """Return an answer of each kind the hub gives itself."""
    body = a_location()
    changed = {"name": "x", "last_updated": "2030-01-01T00:00:00Z"}
    hub, url = cpo.hub, cpo.hub.endpoint("locations", "RECEIVER")
    base = hub.connected.versions_url
    return {
        "created": push(cpo, body),
        "replaced": push(cpo, body),
        "patched": hub.patch("locations", "RECEIVER", L1, changed, to=HUB, sender=CPA),
        "list": emsp.hub.get("locations", "SENDER", to=HUB),
        "object": hub.get("locations", "RECEIVER", L1, to=HUB, sender=CPA),
        "versions": hub.call("GET", base),
        "details": hub.call("GET", base.replace("versions", "2.2.1")),
        "no JSON": hub.put("locations", "RECEIVER", L1, b"{", to=HUB, sender=CPA),
        "no token": hub.call("GET", url, Authorization=None),
        "no such object": hub.get("locations", "RECEIVER", "NL/CPA/no", to=HUB, sender=CPA),
        "no such URL": hub.call("GET", f"{url}/1/2/3/4/5/6"),
        "no such method": hub.post("locations", "RECEIVER", L1, body, to=HUB, sender=CPA),
        "wrong object": hub.put("locations", "RECEIVER", L1, {}, to=HUB, sender=CPA),
        "wrong sender": hub.get("locations", "SENDER", to=HUB, sender=MSA),
        "no receiver": push(cpo, body, to=PartyRef("XX", "ZZZ")),
    }


@pytest.mark.conformance("TF-54", "TF-55", "TF-56", "TF-57", "ST-04", "ST-19")
def test_every_answer_is_an_envelope(pair: Pair) -> None:
    """`{data?, status_code, status_message?, timestamp}` as JSON, whatever went wrong."""
    with_data = {"list": list, "object": dict, "versions": list, "details": dict}

    for name, result in _answers(*pair).items():
        envelope = result.json
        assert result.headers["Content-Type"] == "application/json", name
        assert {"status_code", "timestamp"} <= envelope.keys() <= MEMBERS, name
        assert envelope["status_code"] in {1000, 2001, 2003, 4001}, name
        assert ("data" in envelope) is (name in with_data), name
        assert isinstance(result.data, with_data.get(name, type(None))), name
        assert envelope["timestamp"].endswith("Z"), name
        age = datetime.now(UTC) - parse_datetime(envelope["timestamp"])
        assert abs(age) < timedelta(seconds=5), name
        if result.status_code != 1000:
            assert len(str(result.message).split()) > 3, name


@pytest.mark.conformance("TF-58", "TF-59", "TF-19")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_data_nobody_asked_for_is_relayed_and_harmless(pair: Pair, method: str) -> None:
    """Where no data is specified a receiver may send any: the requester sees the same."""
    cpo, emsp = pair
    stamp = b'"status_code":1000,"timestamp":"2020-01-01T00:00:00Z","status_message":"ok"'

    for data in (b'"data":{"a":1},', b'"data":null,', b'"data":[],', b'"data":"x",', b""):
        answer = b"{%b%b}" % (data, stamp)
        with emsp.answer(method, say(200, answer)):
            result = cpo.hub.send(
                method, "locations", "RECEIVER", L1, a_location(), to=MSA, sender=CPA
            )
        assert (result.http_status, result.status_code) == (200, 1000)
        assert result.body == answer


@pytest.mark.conformance("TF-87")
def test_the_callers_ids_come_back_on_every_answer(pair: Pair) -> None:
    """A response carries the X-Request-ID and X-Correlation-ID of its request, errors too."""
    cpo, emsp = pair
    ids: dict[str, Any] = {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"}
    hub = cpo.hub
    url = hub.endpoint("locations", "RECEIVER")

    for result in (
        push(cpo, a_location(), **ids),
        push(cpo, a_location(), to=MSA, **ids),
        hub.call("GET", url, Authorization=None, **ids),
        hub.call("GET", f"{url}/nothing/here", **ids),
        hub.call("POST", url, **ids),
        hub.put("locations", "RECEIVER", L1, b"{", to=HUB, sender=CPA, **ids),
        hub.call("GET", hub.connected.versions_url, **ids),
        emsp.hub.get("locations", "SENDER", to=CPA, **ids),
    ):
        assert result.headers["X-Request-ID"] == "r-1", str(result)
        assert result.headers["X-Correlation-ID"] == "c-1", str(result)


@pytest.mark.conformance("TF-88", "TF-89", "TF-90")
def test_a_relay_is_another_request_of_the_same_exchange(cast: Cast) -> None:
    """Each hop has its own request id, all share the correlation id, and none is mixed up."""
    cpo, emsp = cast["P1"], cast.join("P2", echo_ids=False)
    cast.agree(("NL-CPA", "DE-MSA"))
    emsp.forget()
    other = {"X-Request-ID": "theirs", "X-Correlation-ID": "theirs"}
    done = b'{"status_code":1000,"timestamp":"2020-01-01T00:00:00Z"}'
    emsp.answer("PUT", say(200, done, headers=other))
    ids: dict[str, Any] = {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"}

    results = [push(cpo, a_location(), to=MSA, **ids) for _ in range(2)]

    seen = [each.headers for each in emsp.seen]
    assert [each["X-Correlation-ID"] for each in seen] == ["c-1", "c-1"]
    assert len({each["X-Request-ID"] for each in seen} | {"r-1"}) == 3
    for result in results:
        assert result.headers["X-Request-ID"] == "r-1"
        assert result.headers["X-Correlation-ID"] == "c-1"


@pytest.mark.conformance("TF-88", "TF-89")
def test_a_broadcast_is_one_exchange_of_many_requests(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """Across a broadcast the correlation id is one, the request ids are all distinct."""
    cpo, receivers = cast["P1"], [cast["P2"], cast["P3"]]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    deliver_all()

    ids: dict[str, Any] = {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"}
    push(cpo, a_location(), **ids)
    deliver_all()

    seen = [each.wait_for("PUT /locations").headers for each in receivers]
    assert {each["X-Correlation-ID"] for each in seen} == {"c-1"}
    assert len({each["X-Request-ID"] for each in seen} | {"r-1"}) == 3


@pytest.mark.conformance("TF-91")
def test_the_hubs_own_calls_carry_both_ids(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """What the hub begins itself, handshake and delivery, carries two UUIDs."""
    cpo, emsp = pair
    push(cpo, a_location())
    deliver_all()
    cpo.rotate()

    own = [*cpo.seen, emsp.wait_for("PUT")]
    assert {str(seen).partition(" ")[0] for seen in own} == {"GET", "PUT"}
    for seen in own:
        assert UUID(seen.headers["X-Request-ID"])
        assert UUID(seen.headers["X-Correlation-ID"])


@pytest.mark.conformance("TF-92")
def test_missing_ids_are_made_up(pair: Pair) -> None:
    """A call without ids succeeds; answer and relay carry generated ones."""
    cpo, emsp = pair
    nothing = {"X-Request-ID": None, "X-Correlation-ID": None}

    result = cpo.hub.put("locations", "RECEIVER", L1, a_location(), to=MSA, sender=CPA, **nothing)

    assert result.status_code == 1000
    assert UUID(result.headers["X-Request-ID"])
    seen = emsp.wait_for("PUT").headers
    assert seen["X-Correlation-ID"] == result.headers["X-Correlation-ID"]
    assert UUID(seen["X-Request-ID"]) != UUID(result.headers["X-Request-ID"])


@pytest.mark.conformance("TF-80")
def test_configuration_modules_know_no_routing(pair: Pair) -> None:
    """Routing headers on versions and credentials are ignored, even wrong ones, and never sent."""
    cpo, _ = pair
    wrong = {"OCPI-to-party-id": "x", "OCPI-from-country-code": "xxx"}
    base = cpo.hub.connected.versions_url.removesuffix("versions")

    for path in ("versions", "2.2.1", "2.2.1/credentials"):
        result = cpo.hub.call("GET", f"{base}{path}", **wrong)
        assert (result.http_status, result.status_code) == (200, 1000)
        assert not [name for name in result.headers if name.lower().startswith("ocpi-")]
    cpo.rotate()
    assert len(cpo.seen) >= 2
    for seen in cpo.seen:
        assert not [name for name in seen.headers if name.lower().startswith("ocpi-")]


@pytest.mark.conformance("TF-41", "TF-94", "TF-95")
def test_urls_that_only_inform_are_left_alone(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """Images, websites, terms: on every way through the hub they stay what their owner wrote."""
    cpo, emsp = pair
    origin = cpo.addresses.origin
    image = {
        "url": f"{origin}/a.png",
        "category": "CHARGER",
        "type": "png",
        "thumbnail": f"{origin}/t",
    }
    body = a_location(facilities=["ZOO"], x_foo={"limit": "8.10"}, images=[image])
    body["operator"] = {"name": "n", "website": f"{origin}/?a=b", "logo": image}
    body["evses"][0]["images"] = [image]
    body["evses"][0]["connectors"][0]["terms_and_conditions"] = f"{origin}/terms#1"

    push(cpo, body, to=MSA)
    assert emsp.wait_for("PUT").json == body
    push(cpo, body)
    deliver_all()

    assert emsp.wait_for("PUT", count=2).json == body
    assert emsp.hub.get("locations", "SENDER", to=HUB).data == [body]


@pytest.mark.conformance("TF-47")
def test_an_owner_finds_its_object_under_its_own_url(pair: Pair) -> None:
    """`{endpoint}/{country_code}/{party_id}/{object-id}`: PUT and GET are a round trip."""
    body = a_location()

    assert push(pair[0], body).http_status == 201

    for path in (L1, "nl/cpa/l1"):
        found = pair[0].hub.get("locations", "RECEIVER", path, to=HUB, sender=CPA)
        assert (found.http_status, found.data) == (200, body)


@pytest.mark.conformance("TF-48")
def test_the_objects_of_others_do_not_exist(cast: Cast) -> None:
    """Under an owner that is no party of the caller: 404 for every method, nothing is stored."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    push(cpo, a_location())
    foreign = ("NL/CPA/L1", "NL/CPA/L1/E1", "NL/CPB/L9", "XX/ZZZ/L1")

    for path in foreign:
        for to in (HUB, CPA, None):
            put = emsp.hub.put("locations", "RECEIVER", path, a_location(name="mine"), to=to)
            get = emsp.hub.get("locations", "RECEIVER", path, to=to)
            assert (put.http_status, put.status_code) == (404, 2001)
            assert (get.http_status, get.status_code) == (404, 2001)
    found = cpo.hub.get("locations", "RECEIVER", L1, to=HUB, sender=CPA)
    assert found.data == a_location()


def test_an_emsp_owns_no_locations_either(cast: Cast) -> None:
    """Under the caller's own party, which is no owner of the module: 404."""
    body = a_location(country_code="DE", party_id="MSA")

    result = cast["P2"].hub.put("locations", "RECEIVER", "DE/MSA/L1", body, to=HUB)

    assert (result.http_status, result.status_code) == (404, 2001)
    assert "owns locations" in str(result.message)


def test_a_party_does_not_write_for_its_neighbour(cast: Cast) -> None:
    """Two parties of one platform: who speaks and whose object it is must be the same (A-32)."""
    result = cast["P1"].hub.put(
        "locations", "RECEIVER", "NL/CPB/L1", a_location(CPB), to=HUB, sender=CPA
    )

    assert (result.http_status, result.status_code) == (200, 2001)


@pytest.mark.conformance("TF-49", "TF-50")
def test_url_and_body_must_agree(pair: Pair) -> None:
    """Another id or owner in the body than in the URL is 2001, stored and passed on nowhere."""
    cpo, emsp = pair
    wrong = {"id": "L2", "country_code": "DE", "party_id": "CPB"}

    for name, value in wrong.items():
        for to in (HUB, MSA):
            body = {**a_location(), name: value}
            result = cpo.hub.put("locations", "RECEIVER", L1, body, to=to, sender=CPA)
            assert (result.http_status, result.status_code) == (200, 2001)
            assert name in str(result.message)
    assert emsp.seen == []
    lower = a_location(country_code="nl", party_id="cpa", id="l1")
    for to, expected in ((HUB, 201), (MSA, 201), (HUB, 200)):
        result = cpo.hub.put("locations", "RECEIVER", L1, lower, to=to, sender=CPA)
        assert (result.http_status, result.status_code) == (expected, 1000)


def test_a_direct_patch_needs_its_timestamp(pair: Pair) -> None:
    """A PATCH without last_updated is 2001 and not relayed (A-52)."""
    cpo, emsp = pair

    for path in (L1, f"{L1}/E1", f"{L1}/E1/1"):
        result = cpo.hub.patch("locations", "RECEIVER", path, {"x": 1}, to=MSA, sender=CPA)

        assert (result.http_status, result.status_code) == (200, 2001)
        assert "last_updated" in str(result.message)
    assert emsp.seen == []
