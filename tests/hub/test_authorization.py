"""Real-time authorization: a driver waits at a Charge Point, and only an eMSP may say yes."""

import json
import time
from statistics import quantiles
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings

from hub.models import Token
from ocpi.sandbox import Responder, Result, SandboxPlatform
from ocpi.sandbox.misbehaviour import broken_json, detail, hang, html, refuse, reset, say
from ocpi.sandbox.server import Call
from ocpi.transport.authorization import header
from ocpi.types import PartyRef
from parties.models import Platform
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, route
from tests.hub.charging import answered, asked
from tests.ocpi.objects import Json, a_token

AT = {"location_id": "LOC1", "evse_uids": ["3256"]}
TWA = PartyRef("AT", "TWA")


def _info(allowed: str = "ALLOWED", **token: object) -> Json:
    return {
        "allowed": allowed,
        "token": a_token(**token),
        "location": AT,
        "authorization_reference": "AUTH-1",
        "info": {"language": "de", "text": "Guten Tag, Zo\u00eb"},
        "x_unknown": [1.50, None],
    }


def _says(data: object, *, message: str = "fine") -> Responder:
    envelope = {
        "status_code": 1000,
        "status_message": message,
        "data": data,
        "timestamp": "2026-01-01T00:00:00Z",
    }
    return say(200, json.dumps(envelope).encode())


def _later(seconds: float, responder: Responder) -> Responder:
    def respond(call: Call) -> None:
        call.pause(seconds)
        responder(call)

    return respond


def _authorize(
    cpo: SandboxPlatform,
    suffix: str = "TOKEN-1/authorize",
    body: object = AT,
    *,
    to: PartyRef | None = MSA,
    sender: PartyRef = CPA,
) -> Result:
    return cpo.hub.post("tokens", "SENDER", suffix, body, to=to, sender=sender)


@pytest.fixture
def market(cast: Cast) -> Cast:
    """P1 with agreements with DE-MSA and FR-MSB, which all answer what they are told to."""
    for name in ("P1", "P2", "P3"):
        cast[name].forget()
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    return cast


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

    with emsp.answer("POST", _says(_info())):
        _authorize(market["P1"], suffix, body)

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
    with market["P2"].answer("POST", _says(_info(allowed), message="as agreed")):
        result = _authorize(market["P1"])

    assert answered(result) == (200, 1000)
    assert (result.data, result.message) == (_info(allowed), "as agreed")
    assert b"1.5" in result.body
    assert route(result) == (CPA, MSA)


@pytest.mark.conformance("TOK-11")
def test_a_token_of_another_party_is_relayed_too(market: Cast) -> None:
    """AuthorizationInfo may name another owner than was asked, as in a chain of hubs (A-102)."""
    info = _info(country_code="XX", party_id="YYY", uid="other")

    with market["P2"].answer("POST", _says(info)):
        result = _authorize(market["P1"])

    assert result.data == info
    assert not Token.objects.exists()


@pytest.mark.conformance("TOK-13", "TOK-15", "ST-07", "ST-09")
@pytest.mark.parametrize(
    "code, http_status", [(2002, 200), (2004, 404), (2004, 200), (2003, 200), (3000, 500)]
)
def test_what_the_emsp_objects_to_is_relayed(market: Cast, code: int, http_status: int) -> None:
    """It needs a location, it does not know the token: its code under its own HTTP status."""
    with market["P2"].answer("POST", refuse(code, "who?", http_status=http_status)):
        result = _authorize(market["P1"], body=None)

    assert answered(result) == (http_status, code)
    assert (result.message, route(result)) == ("who?", (CPA, MSA))
    assert result.data is None


@pytest.mark.conformance("TOK-18")
def test_an_empty_body_of_no_type_is_forwarded(market: Cast) -> None:
    """No body, no Content-Type; or an empty body of any type: there is just no object (A-08)."""
    cpo, emsp = market["P1"], market["P2"]
    with emsp.answer("POST", _says(_info())):
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
        assert _authorize(market["P1"], body=b"{", to=to).http_status == 400
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
        emsp.answer("POST", _says(_info()))

    for suffix, owner in ways.items():
        for to in (None, HUB):
            one.forget()
            other.forget()
            result = _authorize(cpo, suffix, to=to)

            [seen] = one.seen + other.seen
            assert route(seen) == (owner, CPA)
            assert seen.path.endswith(f"/sender/tokens/{suffix}")
            assert (answered(result), route(result)) == ((200, 1000), (CPA, owner))


@pytest.mark.conformance("TOK-14", "TF-76")
def test_a_token_of_two_owners_is_ambiguous(market: Cast) -> None:
    """2001 names both; with TO it is asked for."""
    market["P2"].publish("tokens", a_token())
    market["P3"].publish("tokens", a_token(country_code="FR", party_id="MSB"))

    result = _authorize(market["P1"], to=None)

    assert answered(result) == (200, 2001)
    assert "DE-MSA and FR-MSB" in str(result.message)
    assert market["P2"].seen == market["P3"].seen == []


@pytest.mark.conformance("TOK-13", "TOK-14", "TF-75")
def test_a_token_nobody_knows_is_unknown(market: Cast) -> None:
    """Policy "refuse": HTTP 404 and 2004, without data; nobody is asked (A-100)."""
    market["P2"].publish("tokens", a_token())

    for suffix in ("NOPE/authorize", "TOKEN-1/authorize?type=APP_USER"):
        for to in (None, HUB):
            result = _authorize(market["P1"], suffix, to=to)
            assert answered(result) == (404, 2004), suffix
            assert "data" not in result.json
            assert route(result) == (CPA, HUB)
    assert market["P2"].seen == market["P3"].seen == []


def test_a_token_out_of_reach_is_unknown(market: Cast) -> None:
    """NL-CPB has no agreement with its eMSP: for it the token does not exist."""
    market["P2"].publish("tokens", a_token())

    result = _authorize(market["P1"], to=None, sender=CPB)

    assert answered(result) == (404, 2004)
    assert _authorize(market["P1"], sender=CPB).status_code == 4003
    assert market["P2"].seen == []


@pytest.fixture
def asking(market: Cast, settings: LazySettings) -> Cast:
    """The same with the policy "ask", a second at most."""
    settings.HUB_AUTHORIZE_UNKNOWN = "ask"
    settings.HUB_AUTHORIZE_TIMEOUT = 1
    return market


@pytest.mark.conformance("TOK-14")
def test_the_first_that_allows_is_taken(asking: Cast) -> None:
    """Policy "ask": all at once; a quick no does not count against a later yes."""
    cpo, one, other = (asking[name] for name in ("P1", "P2", "P3"))
    one.answer("POST", _says(_info("BLOCKED")))
    other.answer("POST", _later(0.2, _says(_info("ALLOWED"))))

    for to in (None, HUB):
        result = _authorize(cpo, "NEW/authorize?type=RFID", to=to)

        assert (answered(result), result.data) == ((200, 1000), _info("ALLOWED"))
        assert route(result) == (CPA, MSB)
        for emsp, party in ((one, MSA), (other, MSB)):
            seen = emsp.wait_for("POST", answered=False)
            assert route(seen) == (party, CPA)
            assert seen.path.endswith("/sender/tokens/NEW/authorize?type=RFID")
            assert seen.json == AT
            emsp.forget()


@pytest.mark.conformance("TOK-14")
def test_each_that_is_asked_gets_a_message_of_its_own(asking: Cast) -> None:
    """One correlation id, as many request ids as eMSPs."""
    cpo, emsps = asking["P1"], (asking["P2"], asking["P3"])
    for emsp in emsps:
        emsp.answer("POST", _says(_info("EXPIRED")))

    result = _authorize(cpo, to=None)

    seen = [emsp.wait_for("POST") for emsp in emsps]
    assert len({each.headers["X-Request-ID"] for each in seen}) == 2
    assert {each.headers["X-Correlation-ID"] for each in seen} == {
        result.headers["X-Correlation-ID"]
    }


NO: dict[str, Responder] = {
    "blocked": _says(_info("BLOCKED")),
    "unknown": refuse(2004, "who?", http_status=404),
    "an error": refuse(3000, "down"),
    "allowed, but failed": say(200, b'{"status_code":3000,"data":{"allowed":"ALLOWED"}}'),
    "allowed to HTTP 401": say(401, b'{"status_code":1000,"data":{"allowed":"ALLOWED"}}'),
    "no envelope": say(200, b'{"allowed":"ALLOWED"}'),
    "a list": _says([_info()]),
    "half an answer": broken_json(),
    "a page": html(500),
    "bare": detail(404, "Token not found"),
    "nothing": reset(),
    "too late": hang(5),
}


@pytest.mark.conformance("TOK-13", "TOK-14")
@pytest.mark.parametrize("name", NO)
def test_without_a_yes_the_token_is_unknown(asking: Cast, name: str) -> None:
    """Nobody allows the driver within the time: HTTP 404 and 2004, whatever else they said."""
    asking["P2"].answer("POST", NO[name])
    asking["P3"].answer("POST", refuse(2004, "who?", http_status=404))

    result = _authorize(asking["P1"], to=None)

    assert answered(result) == (404, 2004)
    assert "data" not in result.json
    assert result.elapsed < 2.5
    assert route(result) == (CPA, HUB)


@pytest.mark.conformance("TOK-14", "TOK-17")
@pytest.mark.parametrize("bad", [hang(5), reset(), html(500)], ids=["hangs", "resets", "fails"])
def test_one_that_misbehaves_does_not_spoil_the_others_yes(
    asking: Cast, settings: LazySettings, bad: Responder
) -> None:
    """The yes of the other arrives at once."""
    settings.HUB_AUTHORIZE_TIMEOUT = 4
    asking["P2"].answer("POST", bad)
    asking["P3"].answer("POST", _says(_info()))

    result = _authorize(asking["P1"], to=None)

    assert (answered(result), route(result)) == ((200, 1000), (CPA, MSB))
    assert result.elapsed < 2


@pytest.mark.conformance("TOK-14")
def test_only_emsps_under_agreement_are_asked(asking: Cast) -> None:
    """Who is gone or has no agreement learns nothing of the driver."""
    strangers = [asking["P4"], asking["two eMSPs"]]
    asking.agree(("NL-CPB", "BE-MIX"))
    for stranger in strangers:
        stranger.forget()
        stranger.answer("POST", _says(_info()))
    asking["P3"].stop()

    result = _authorize(asking["P1"], to=None)

    assert answered(result) == (404, 2004)
    assert [each.seen for each in strangers] == [[], []]
    assert len(asking["P2"].seen) == 1
    mix = _authorize(asking["P1"], to=None, sender=CPB)
    assert (answered(mix), route(mix)) == ((200, 1000), (CPB, MIX))


@pytest.mark.conformance("TOK-14")
def test_who_knows_the_token_is_asked_alone(asking: Cast) -> None:
    """A known token is not asked about; its owner's no is the answer."""
    asking["P2"].publish("tokens", a_token())
    asking["P2"].answer("POST", _says(_info("NO_CREDIT")))
    asking["P3"].answer("POST", _says(_info("ALLOWED")))

    result = _authorize(asking["P1"], to=None)

    assert result.data["allowed"] == "NO_CREDIT"
    assert asking["P3"].seen == []


def test_an_emsp_that_hangs_is_asked_no_more(asking: Cast) -> None:
    """Its silence counts like any other: soon no driver waits for it (circuit)."""
    asking["P2"].answer("POST", hang(5))
    asking["P3"].answer("POST", refuse(2004, http_status=404))

    for _ in range(5):
        _authorize(asking["P1"], to=None)
    result = _authorize(asking["P1"], to=None)

    assert answered(result) == (404, 2004)
    assert result.elapsed < 0.9
    assert len(asking["P2"].seen) == 5
    assert Platform.objects.get(name="P3").unanswered == 0


@pytest.mark.conformance("TOK-16")
@pytest.mark.parametrize("policy", ["refuse", "ask"])
def test_the_hub_never_says_yes_itself(market: Cast, settings: LazySettings, policy: str) -> None:
    """A token it holds, whitelisted always and allowed a moment ago: without its eMSP 4003."""
    settings.HUB_AUTHORIZE_UNKNOWN = policy
    cpo, emsp = market["P1"], market["P2"]
    emsp.publish("tokens", a_token(whitelist="ALWAYS"))
    with emsp.answer("POST", _says(_info())):
        assert _authorize(cpo, to=None).data["allowed"] == "ALLOWED"
    emsp.stop()

    for to in (MSA, None, HUB):
        result = _authorize(cpo, to=to)

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
        result = _authorize(cpo)
    with emsp.hold(0.8):
        other = cpo.hub.get("tokens", "SENDER", to=MSA, sender=CPA)

    assert answered(result) == (200, 4002)
    assert 0.4 <= result.elapsed < 1.5
    assert answered(other) == (200, 1000)


@pytest.mark.conformance("TOK-17")
def test_the_hub_adds_little_to_the_wait(market: Cast) -> None:
    """The p95 of an authorization through the hub, less that of the eMSP alone, is below 150 ms."""
    cpo, emsp = market["P1"], market["P2"]
    emsp.answer("POST", _says(_info()))
    direct = f"{emsp.endpoint('tokens', 'SENDER')}/TOKEN-1/authorize"

    def p95(call: object) -> float:
        times = []
        for _ in range(40):
            began = time.perf_counter()
            call()  # type: ignore[operator]
            times.append(time.perf_counter() - began)
        return quantiles(times, n=20)[-1]

    alone = p95(lambda: cpo.hub.call("POST", direct, AT))
    through = p95(lambda: _authorize(cpo))

    assert through - alone < 0.150, (through, alone)
