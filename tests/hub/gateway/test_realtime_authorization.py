"""Real-time authorization: a driver waits at a Charge Point, and only an eMSP may say yes."""

import time
from statistics import quantiles
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings

from hub.models import Token
from ocpi.transport.authorization import header
from sandbox.misbehaviour import refuse
from tests.cast import CPA, CPB, HUB, MSA, MSB, Cast, route
from tests.hub.charging_objects import answered, asked
from tests.hub.gateway.realtime_authorization import AT, authorize, in_business, info, says
from tests.ocpi.objects import a_token


@pytest.fixture
def market(cast: Cast) -> Cast:
    """P1 with agreements with DE-MSA and FR-MSB, which answer what they are told to."""
    return in_business(cast)


@pytest.mark.conformance("TOK-10")
@pytest.mark.parametrize(
    "suffix",
    [
        "TOKEN-1/authorize",
        "TOKEN-1/authorize?type=APP_USER",
        "0%3A4F%2F1%20+x/authorize?type=RFID&x=%2B&x=1",
    ],
)
@pytest.mark.parametrize("body", [b'{"location_id": "LOC1",\n "evse_uids": ["3256"]}', None])
def test_an_authorization_reaches_the_emsp_as_it_was_asked(
    market: Cast, suffix: str, body: bytes | None
) -> None:
    """Same path, same query, same body or none, at the eMSP's own SENDER interface."""
    emsp = market["P2"]

    with emsp.answer("POST", says(info())):
        authorize(market["P1"], suffix, body)

    [seen] = asked(emsp, "tokens")
    assert seen.path == f"{urlsplit(emsp.endpoint('tokens', 'SENDER')).path}/{suffix}"
    assert (seen.method, seen.body) == ("POST", body or b"")
    assert ("Content-Type" in seen.headers) is (body is not None)
    assert route(seen) == (MSA, CPA)
    assert seen.headers["Authorization"] != header(market["P1"].hub.token)


@pytest.mark.conformance("TOK-11", "TOK-12")
@pytest.mark.parametrize(
    "allowed", ["ALLOWED", "BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED", "LATER"]
)
def test_the_answer_is_the_emsps_own(market: Cast, allowed: str) -> None:
    """Allowed or not, it is a success and the eMSP's in every member (A-101)."""
    with market["P2"].answer("POST", says(info(allowed), message="as agreed")):
        result = authorize(market["P1"])

    assert answered(result) == (200, 1000)
    assert (result.data, result.message) == (info(allowed), "as agreed")
    assert b"1.5" in result.body
    assert route(result) == (CPA, MSA)


@pytest.mark.conformance("TOK-11")
def test_a_token_of_another_party_is_relayed_too(market: Cast) -> None:
    """AuthorizationInfo may name another owner than was asked, as in a chain of hubs (A-102)."""
    other = info(country_code="XX", party_id="YYY", uid="other")

    with market["P2"].answer("POST", says(other)):
        result = authorize(market["P1"])

    assert result.data == other
    assert not Token.objects.exists()


@pytest.mark.conformance("TOK-13", "TOK-15", "ST-07", "ST-09")
@pytest.mark.parametrize(
    "code, http_status", [(2002, 200), (2004, 404), (2004, 200), (2003, 200), (3000, 500)]
)
def test_what_the_emsp_objects_to_is_relayed(market: Cast, code: int, http_status: int) -> None:
    """It needs a location, it does not know the token: its code under its own HTTP status."""
    with market["P2"].answer("POST", refuse(code, "who?", http_status=http_status)):
        result = authorize(market["P1"], body=None)

    assert answered(result) == (http_status, code)
    assert (result.message, route(result)) == ("who?", (CPA, MSA))
    assert result.data is None


@pytest.mark.conformance("TOK-18")
def test_an_empty_body_of_no_type_is_forwarded(market: Cast) -> None:
    """No body, no Content-Type; or an empty body of any type: there is just no object (A-08)."""
    cpo, emsp = market["P1"], market["P2"]
    with emsp.answer("POST", says(info())):
        for body, kind in ((None, None), (b"", None), (b"", "application/json")):
            emsp.forget()
            result = cpo.hub.post(
                "tokens",
                "SENDER",
                "T/authorize",
                body,
                to=MSA,
                sender=CPA,
                **{"Content-Type": kind},
            )

            assert answered(result) == (200, 1000)
            [seen] = emsp.seen
            assert seen.body == b""
            assert "Content-Type" not in seen.headers


def test_a_body_that_is_no_json_is_the_senders_mistake(market: Cast) -> None:
    """HTTP 400 at once, addressed or not: no eMSP could read it."""
    market["P2"].publish("tokens", a_token())
    for to in (MSA, None):
        assert authorize(market["P1"], body=b"{", to=to).http_status == 400
    assert market["P2"].seen == []


@pytest.mark.conformance("TOK-14", "TF-72", "TF-73")
def test_without_receiver_the_tokens_owner_is_asked(market: Cast) -> None:
    """The hub knows whose the token is by uid and type; nobody else is asked."""
    cpo, one, other = (market[name] for name in ("P1", "P2", "P3"))
    one.publish("tokens", a_token(uid="SAME"))
    app = a_token(country_code="FR", party_id="MSB", uid="SAME", type="APP_USER")
    other.publish("tokens", app)
    ways = {
        "SAME/authorize": MSA,
        "same/authorize?type=RFID": MSA,
        "SAME/authorize?type=APP_USER": MSB,
    }
    for emsp in (one, other):
        emsp.answer("POST", says(info()))

    for suffix, owner in ways.items():
        for to in (None, HUB):
            one.forget()
            other.forget()
            result = authorize(cpo, suffix, to=to)

            [seen] = one.seen + other.seen
            assert route(seen) == (owner, CPA)
            assert seen.path.endswith(f"/sender/tokens/{suffix}")
            assert (answered(result), route(result)) == ((200, 1000), (CPA, owner))


@pytest.mark.conformance("TOK-14", "TF-76")
def test_a_token_of_two_owners_is_ambiguous(market: Cast) -> None:
    """2001 names both; with TO it is asked for."""
    market["P2"].publish("tokens", a_token())
    market["P3"].publish("tokens", a_token(country_code="FR", party_id="MSB"))

    result = authorize(market["P1"], to=None)

    assert answered(result) == (200, 2001)
    assert "DE-MSA and FR-MSB" in str(result.message)
    assert market["P2"].seen == market["P3"].seen == []


@pytest.mark.conformance("TOK-13", "TOK-14", "TF-75")
def test_a_token_nobody_knows_is_unknown(market: Cast) -> None:
    """Policy "refuse": HTTP 404 and 2004, without data; nobody is asked (A-100)."""
    market["P2"].publish("tokens", a_token())

    for suffix in ("NOPE/authorize", "TOKEN-1/authorize?type=APP_USER"):
        for to in (None, HUB):
            result = authorize(market["P1"], suffix, to=to)
            assert answered(result) == (404, 2004), suffix
            assert "data" not in result.json
            assert route(result) == (CPA, HUB)
    assert market["P2"].seen == market["P3"].seen == []


def test_a_token_out_of_reach_is_unknown(market: Cast) -> None:
    """NL-CPB has no agreement with its eMSP: for it the token does not exist."""
    market["P2"].publish("tokens", a_token())

    result = authorize(market["P1"], to=None, sender=CPB)

    assert answered(result) == (404, 2004)
    assert authorize(market["P1"], sender=CPB).status_code == 4001
    assert market["P2"].seen == []


@pytest.mark.conformance("TOK-16")
@pytest.mark.parametrize("policy", ["refuse", "ask"])
def test_the_hub_never_says_yes_itself(market: Cast, settings: LazySettings, policy: str) -> None:
    """A token it holds, whitelisted always and allowed a moment ago: without its eMSP 4003."""
    settings.HUB_AUTHORIZE_UNKNOWN = policy
    cpo, emsp = market["P1"], market["P2"]
    emsp.publish("tokens", a_token(whitelist="ALWAYS"))
    with emsp.answer("POST", says(info())):
        assert authorize(cpo, to=None).data["allowed"] == "ALLOWED"
    emsp.stop()

    for to in (MSA, None, HUB):
        result = authorize(cpo, to=to)

        assert answered(result) == (200, 4003)
        assert "data" not in result.json
        assert route(result) == (CPA, HUB)


@pytest.mark.conformance("TOK-17")
def test_a_driver_does_not_wait_longer_than_agreed(market: Cast, settings: LazySettings) -> None:
    """Authorization has a time of its own, shorter than that of other messages: 4002."""
    assert settings.HUB_AUTHORIZE_TIMEOUT == 3
    settings.HUB_AUTHORIZE_TIMEOUT = 0.4
    cpo, emsp = market["P1"], market["P2"]

    with emsp.hold(5):
        result = authorize(cpo)
    with emsp.hold(0.8):
        other = cpo.hub.get("tokens", "SENDER", to=MSA, sender=CPA)

    assert answered(result) == (200, 4002)
    assert 0.4 <= result.elapsed < 1.5
    assert answered(other) == (200, 1000)


@pytest.mark.conformance("TOK-17")
def test_the_hub_adds_little_to_the_wait(market: Cast) -> None:
    """The p95 of an authorization through the hub, less that of the eMSP alone, is below 150 ms."""
    cpo, emsp = market["P1"], market["P2"]
    emsp.answer("POST", says(info()))
    direct = f"{emsp.endpoint('tokens', 'SENDER')}/TOKEN-1/authorize"

    def p95(call: object) -> float:
        times = []
        for _ in range(40):
            began = time.perf_counter()
            call()  # type: ignore[operator]
            times.append(time.perf_counter() - began)
        return quantiles(times, n=20)[-1]

    alone = p95(lambda: cpo.hub.call("POST", direct, AT))
    through = p95(lambda: authorize(cpo))

    assert through - alone < 0.150, (through, alone)
