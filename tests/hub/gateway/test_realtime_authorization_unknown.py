"""Real-time authorization of a token nobody knows: every eMSP that may is asked (A-35)."""

import pytest
from django.conf import LazySettings

from parties.models import Platform
from sandbox import Responder
from sandbox.misbehaviour import detail, hang, html, refuse, reset, say
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, route
from tests.hub.charging_objects import answered
from tests.hub.gateway.realtime_authorization import AT, authorize, in_business, info, later, says
from tests.ocpi.objects import a_token


@pytest.fixture
def market(cast: Cast) -> Cast:
    """P1 with agreements with DE-MSA and FR-MSB, which answer what they are told to."""
    return in_business(cast)


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
    one.answer("POST", says(info("BLOCKED")))
    other.answer("POST", later(0.2, says(info("ALLOWED"))))

    for to in (None, HUB):
        result = authorize(cpo, "NEW/authorize?type=RFID", to=to)

        assert (answered(result), result.data) == ((200, 1000), info("ALLOWED"))
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
        emsp.answer("POST", says(info("EXPIRED")))

    result = authorize(cpo, to=None)

    seen = [emsp.wait_for("POST") for emsp in emsps]
    assert len({each.headers["X-Request-ID"] for each in seen}) == 2
    assert {each.headers["X-Correlation-ID"] for each in seen} == {
        result.headers["X-Correlation-ID"]
    }


UNKNOWN = refuse(2004, "who?", http_status=404)


@pytest.mark.conformance("TOK-13", "TOK-14")
@pytest.mark.parametrize(
    "unknown", [UNKNOWN, refuse(2004), detail(404, "Token not found")], ids=["both", "200", "bare"]
)
def test_a_token_that_nobody_knows_is_unknown(asking: Cast, unknown: Responder) -> None:
    """All say so: HTTP 404 and 2004, no data."""
    asking["P2"].answer("POST", unknown)
    asking["P3"].answer("POST", UNKNOWN)

    result = authorize(asking["P1"], to=None)

    assert answered(result) == (404, 2004)
    assert "data" not in result.json
    assert route(result) == (CPA, HUB)


NO_ANSWER: dict[str, tuple[Responder, int]] = {
    "an error": (refuse(3000, "down"), 4000),
    "allowed, but failed": (say(200, b'{"status_code":3000,"data":{"allowed":"ALLOWED"}}'), 4000),
    "allowed to HTTP 401": (say(401, b'{"status_code":1000,"data":{"allowed":"ALLOWED"}}'), 4000),
    "no envelope": (say(200, b'{"allowed":"ALLOWED"}'), 4000),
    "a list": (says([info()]), 4000),
    "half an answer": (say(200, b'{"status_code":1000,"data":{"allowed"'), 4000),
    "more than anybody says of a driver": (says(info() | {"x": "x" * 70_000}), 4000),
    "a page": (html(500), 4000),
    "nothing": (reset(), 4003),
    "too late": (hang(5), 4002),
}


@pytest.mark.conformance("TOK-14", "TOK-16")
@pytest.mark.parametrize("name", NO_ANSWER)
def test_silence_is_not_said_to_be_a_no(asking: Cast, name: str) -> None:
    """One gives no usable answer, the other does not know the token: the CPO's own rules apply."""
    responder, code = NO_ANSWER[name]
    asking["P2"].answer("POST", responder)
    asking["P3"].answer("POST", UNKNOWN)

    result = authorize(asking["P1"], to=None)

    assert answered(result) == (200, code)
    assert "1 of 2 eMSPs gave no usable answer" in str(result.message)
    assert "data" not in result.json
    assert result.elapsed < 2.5
    assert route(result) == (CPA, HUB)


@pytest.mark.conformance("TOK-12", "TOK-14")
@pytest.mark.parametrize("allowed", ["BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"])
def test_a_no_of_who_knows_the_driver_is_given(asking: Cast, allowed: str) -> None:
    """`allowed` is never made an error (A-101); a mere NOT_ALLOWED of another counts for less."""
    asking["P2"].answer("POST", later(0.2, says(info(allowed))))
    other = UNKNOWN if allowed == "NOT_ALLOWED" else says(info("NOT_ALLOWED"))
    asking["P3"].answer("POST", other)

    result = authorize(asking["P1"], to=None)

    assert (answered(result), result.data) == ((200, 1000), info(allowed))
    assert route(result) == (CPA, MSA)


def test_every_answer_is_noted(asking: Cast) -> None:
    """Also while another allows: who refuses the hub's token or throttles is known afterwards."""
    Platform.objects.filter(name="P3").update(unanswered=3)
    asking["P2"].answer("POST", say(401, b""))
    asking["P3"].answer("POST", later(0.2, says(info())))

    assert answered(authorize(asking["P1"], to=None)) == (200, 1000)

    assert "refuses the hub's credentials" in Platform.objects.get(name="P2").last_error
    assert Platform.objects.get(name="P3").unanswered == 0


@pytest.mark.conformance("TOK-17")
def test_each_emsp_has_its_own_time(asking: Cast, settings: LazySettings) -> None:
    """The quirk `authorize_seconds`: its drivers wait so long, asked alone or with others."""
    settings.HUB_AUTHORIZE_TIMEOUT = 0.2
    asking["P3"].answer("POST", UNKNOWN)
    asking["P2"].answer("POST", later(0.6, says(info())))
    assert answered(authorize(asking["P1"], to=None)) == (200, 4002)
    assert answered(authorize(asking["P1"], to=MSA)) == (200, 4002)

    for platform in Platform.objects.filter(name="P2"):
        platform.quirks = platform.quirks.with_settings(["authorize_seconds=5"])
        platform.save()

    assert answered(authorize(asking["P1"], to=None)) == (200, 1000)
    assert answered(authorize(asking["P1"], to=MSA)) == (200, 1000)


@pytest.mark.conformance("TOK-14", "TOK-17")
@pytest.mark.parametrize("bad", [hang(5), reset(), html(500)], ids=["hangs", "resets", "fails"])
def test_one_that_misbehaves_does_not_spoil_the_others_yes(
    asking: Cast, settings: LazySettings, bad: Responder
) -> None:
    """The yes of the other arrives at once."""
    settings.HUB_AUTHORIZE_TIMEOUT = 4
    asking["P2"].answer("POST", bad)
    asking["P3"].answer("POST", says(info()))

    result = authorize(asking["P1"], to=None)

    assert (answered(result), route(result)) == ((200, 1000), (CPA, MSB))
    assert result.elapsed < 2


@pytest.mark.conformance("TOK-14")
def test_only_emsps_under_agreement_are_asked(asking: Cast) -> None:
    """Who is gone or has no agreement learns nothing of the driver."""
    strangers = [asking["P4"], asking["two eMSPs"]]
    asking.agree(("NL-CPB", "BE-MIX"))
    for stranger in strangers:
        stranger.forget()
        stranger.answer("POST", says(info()))
    asking["P3"].stop()

    result = authorize(asking["P1"], to=None)

    assert answered(result) == (200, 4003)
    assert [each.seen for each in strangers] == [[], []]
    assert len(asking["P2"].seen) == 1
    mix = authorize(asking["P1"], to=None, sender=CPB)
    assert (answered(mix), route(mix)) == ((200, 1000), (CPB, MIX))


@pytest.mark.conformance("TOK-14")
def test_who_knows_the_token_is_asked_alone(asking: Cast) -> None:
    """A known token is not asked about; its owner's no is the answer."""
    asking["P2"].publish("tokens", a_token())
    asking["P2"].answer("POST", says(info("NO_CREDIT")))
    asking["P3"].answer("POST", says(info("ALLOWED")))

    result = authorize(asking["P1"], to=None)

    assert result.data["allowed"] == "NO_CREDIT"
    assert asking["P3"].seen == []


def test_an_emsp_that_hangs_is_asked_no_more(asking: Cast) -> None:
    """Its silence counts like any other: soon no driver waits for it (circuit)."""
    asking["P2"].answer("POST", hang(5))
    asking["P3"].answer("POST", refuse(2004, http_status=404))

    for _ in range(5):
        authorize(asking["P1"], to=None)
    result = authorize(asking["P1"], to=None)

    assert answered(result) == (404, 2004)
    assert result.elapsed < 0.9
    assert len(asking["P2"].seen) == 5
    assert Platform.objects.get(name="P3").unanswered == 0
