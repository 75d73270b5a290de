"""Real-time authorization of a token nobody knows: every eMSP that may is asked (A-35)."""

import pytest
from django.conf import LazySettings

from ocpi.sandbox import Responder
from ocpi.sandbox.misbehaviour import broken_json, detail, hang, html, refuse, reset, say
from parties.models import Platform
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, route
from tests.hub.authorizing import AT, authorize, in_business, info, later, says
from tests.hub.charging import answered
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


NO: dict[str, Responder] = {
    "blocked": says(info("BLOCKED")),
    "unknown": refuse(2004, "who?", http_status=404),
    "an error": refuse(3000, "down"),
    "allowed, but failed": say(200, b'{"status_code":3000,"data":{"allowed":"ALLOWED"}}'),
    "allowed to HTTP 401": say(401, b'{"status_code":1000,"data":{"allowed":"ALLOWED"}}'),
    "no envelope": say(200, b'{"allowed":"ALLOWED"}'),
    "a list": says([info()]),
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

    result = authorize(asking["P1"], to=None)

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

    assert answered(result) == (404, 2004)
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
