"""Commands on their way to a CPO, and what it says to them at once.

Spec: 2.2.1 mod_commands, Receiver interface; A-42, A-107, A-112.
"""

import re

import pytest

from hub.models import Callback
from ocpi.v2_2_1.commands import CommandType
from sandbox.misbehaviour import say
from tests.cast import CPA, HUB, MSA, MSB, Cast, route
from tests.hub.gateway.commands import (
    ACCEPTED,
    Asking,
    answered,
    emsp_and_cpo,
    enveloped,
    forget,
    joined,
)
from tests.ocpi.objects import a_token

COMMANDS = [str(each) for each in CommandType]


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA, that may ask NL-CPA."""
    return emsp_and_cpo(cast)


@pytest.mark.conformance("CMD-01", "CMD-02", "TF-45")
def test_each_command_reaches_the_cpo_with_a_url_of_the_hub(asking: Asking) -> None:
    """Only `response_url` changes: the hub's own, another for every command, hard to guess."""
    origin = asking.asker.hub.connected.versions_url.removesuffix("/ocpi/versions")
    urls = []

    for name in COMMANDS * 2:
        body = asking.body(name, x_unknown={"response_url": "kept", "n": 1.50})
        result = asking.command(name, body)

        assert answered(result) == (200, 1000), str(result)
        seen = asking.seen
        assert (seen.method, route(seen)) == ("POST", (CPA, MSA))
        assert seen.route.endswith(f"/receiver/commands/{name}")
        assert seen.json == {**body, "response_url": asking.callback}
        urls.append(asking.callback)

    pattern = re.compile(re.escape(f"{origin}/ocpi/2.2.1/sender/commands/") + "[0-9a-f]{32}")
    assert all(pattern.fullmatch(url) and len(url) <= 255 for url in urls)
    assert len(set(urls)) == len(urls)


@pytest.mark.conformance("CMD-02", "CMD-14")
def test_nothing_but_the_url_is_touched(asking: Asking) -> None:
    """Numbers, escapes, unknown members and their order arrive as they were spelled."""
    token = b'{"country_code":"de", "party_id":"MSA","uid":"T\\u00e91","valid":true, "n": 1.50e2}'
    before = b'{"location_id" : "LOC1", "token":' + token + b', "response_url" : "'
    text = before + asking.url.encode() + b'","z":[0.10, null]}'

    assert answered(asking.command("START_SESSION", text)) == (200, 1000)

    own = asking.callback.encode()
    expected = b'{"location_id":"LOC1","token":%b,"response_url":"%b","z":[0.10, null]}'
    assert asking.seen.body == expected % (token, own)


@pytest.mark.conformance("CMD-03")
def test_the_cpos_answer_comes_back_as_it_is(asking: Asking) -> None:
    """Result, timeout and message in the CPO's envelope, from the CPO; errors as well."""
    answers = [
        enveloped(ACCEPTED),
        *(enveloped({"result": each, "timeout": 0}) for each in ("REJECTED", "NOT_SUPPORTED")),
        enveloped({"result": "UNKNOWN_SESSION", "timeout": 12, "x_more": [1.0]}),
        enveloped({"result": "REJECTED", "timeout": 0}, 2003),
        enveloped(None, 3000),
    ]

    for answer in answers:
        with asking.asked.answer("/receiver/commands", say(200, answer)):
            result = asking.command("STOP_SESSION")
        assert (result.http_status, result.body, route(result)) == (200, answer, (MSA, CPA))


@pytest.mark.conformance("CMD-14")
@pytest.mark.parametrize("left_out", ["evse_uid", "connector_id", "authorization_reference"])
def test_what_is_optional_stays_optional(asking: Asking, left_out: str) -> None:
    """An EVSE, a Connector or a reference that is absent stays so, one that is there passes."""
    optional = {"evse_uid": "3256", "connector_id": "1", "authorization_reference": "REF-1"}
    body = asking.body("START_SESSION", **optional)
    del body[left_out]

    assert answered(asking.command("START_SESSION", body)) == (200, 1000)

    assert asking.seen.json == {**body, "response_url": asking.callback}


@pytest.mark.conformance("CMD-15")
@pytest.mark.parametrize("name", ["START_SESSION", "RESERVE_NOW"])
def test_a_driver_of_somebody_else_is_refused(asking: Asking, name: str) -> None:
    """The token of another eMSP, or of nobody: 2001 and REJECTED; the CPO hears nothing."""
    foreign = (
        a_token(country_code="FR", party_id="MSB"),
        a_token(country_code="D", party_id=["MSA"]),
        {"uid": "TOKEN-1"},
        "TOKEN-1",
        None,
    )

    for token in foreign:
        result = asking.command(name, asking.body(name, token=token))
        assert answered(result) == (200, 2001), str(token)
        assert result.data == {"result": "REJECTED", "timeout": 0}
        assert "DE-MSA" in str(result.message)
        assert route(result) == (MSA, HUB)
    assert asking.asked.seen == []
    lower = asking.body(name, token=a_token(country_code="de", party_id="msa"))
    assert answered(asking.command(name, lower)) == (200, 1000)


@pytest.mark.conformance("CMD-16", "TOK-19")
def test_the_token_of_a_command_is_passed_on_and_forgotten(asking: Asking) -> None:
    """The hub neither asks the eMSP about it nor lists it among the eMSP's tokens."""
    token = a_token(uid="AD-HOC-1", type="AD_HOC_USER")
    for name in ("START_SESSION", "RESERVE_NOW"):
        assert answered(asking.command(name, asking.body(name, token=token))) == (200, 1000)

    listed = asking.asked.hub.list("tokens", to=HUB, sender=CPA)

    assert (listed.data, listed.pages[0].status_code) == ([], 1000)
    assert asking.asker.seen == []


@pytest.mark.conformance("CMD-20")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_commands_are_posted(asking: Asking, method: str) -> None:
    """Any other method is 405 on both interfaces, at known and at unknown URLs."""
    body = asking.body("STOP_SESSION") if method in {"PUT", "PATCH"} else None

    for suffix in ("", "START_SESSION", "STOP_SESSION", "FLY"):
        result = asking.asker.hub.send(method, "commands", "RECEIVER", suffix, body, to=CPA)
        assert answered(result) == (405, 2001), suffix
        assert result.headers["Allow"] == "POST"
    for suffix in ("", "0" * 32):
        result = asking.asked.hub.send(
            method, "commands", "SENDER", suffix, body, to=MSA, sender=CPA
        )
        assert answered(result) == (405, 2001), suffix
    assert asking.asked.seen + asking.asker.seen == []


def test_a_command_2_2_1_does_not_have_is_404(asking: Asking) -> None:
    """CommandType is closed in 2.2.1: other names, and other spellings, lead nowhere."""
    for name in ("FLY", "start_session", "START_SESSION/1", ""):
        result = asking.command(name, asking.body("START_SESSION"))
        assert answered(result) == (404, 2001), name
    assert asking.asked.seen == []


def test_only_those_who_have_drivers_send_commands(asking: Asking) -> None:
    """A CPO has none: 404, whoever it sends the command to."""
    for to in (MSA, CPA, HUB, None):
        body = asking.body("STOP_SESSION")
        result = asking.asked.hub.post(
            "commands", "RECEIVER", "STOP_SESSION", body, to=to, sender=CPA
        )
        assert answered(result) == (404, 2001)
    assert asking.asker.seen + asking.asked.seen == []


def test_without_an_agreement_nothing_is_sent(asking: Asking, cast: Cast) -> None:
    """FR-MSB may not exchange anything with NL-CPA: 4001 as if nobody were there, nothing kept."""
    other = asking.by(joined(cast, "P3"), MSB)
    forget(asking.asked)

    result = other.command("START_SESSION")

    assert answered(result) == (200, 4001)
    assert "FR-MSB" in str(result.message)
    assert (asking.asked.seen, Callback.objects.count()) == ([], 0)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b'{"response_url": 1}'])
def test_a_body_that_is_no_command_is_refused(asking: Asking, body: bytes) -> None:
    """What is not JSON is HTTP 400, what is no object is 2001; the CPO hears nothing."""
    for name in COMMANDS:
        for to in (CPA, HUB, None):
            result = asking.command(name, body, to=to)
            assert result.http_status == (400 if body in {b"", b"{"} else 200), name
            assert result.status_code == 2001, name
    assert asking.asked.seen == []


def test_odd_values_are_no_accident(asking: Asking) -> None:
    """NULs, huge ids and impossible dates are the CPO's to judge; the hub stays upright."""
    odd = ("R\x001", "R" * 100_000, "é" * 300, {"id": 1}, 7, ["x"], "")
    for value in odd:
        for name, member in (("RESERVE_NOW", "reservation_id"), ("STOP_SESSION", "session_id")):
            result = asking.command(name, asking.body(name, **{member: value}))
            assert answered(result) == (200, 1000), (name, str(value)[:20])
    for date in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-11:00", "soon", 7, None):
        result = asking.command("RESERVE_NOW", asking.body("RESERVE_NOW", expiry_date=date))
        assert answered(result) == (200, 1000), str(date)
