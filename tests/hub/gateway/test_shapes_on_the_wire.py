"""Bodies of a shape nobody should read, at every door they come in by."""

import json
from typing import Any

import pytest

from hub.models import Change, Quarantined
from hub.pull.quarantine import hint
from sandbox import SandboxPlatform
from sandbox.misbehaviour import say
from tests.cast import CPA, HUB, MSA, a_location
from tests.hub.location_owner import listed
from tests.hub.pull.workers import read
from tests.ocpi.objects import a_cdr, a_session, a_token

Pair = tuple[SandboxPlatform, SandboxPlatform]
TWICE = "stands more than once in its object"
STAMP = "2030-01-01T00:00:00Z"


def twice(value: object, name: str = '"id"') -> bytes:
    """Write an object that says a member once more, in the first object that has it."""
    before, found, after = json.dumps(value).partition(f"{name}: ")
    assert found
    return f'{before}"{name[1]}\\u{ord(name[2]):04x}{name[3:]}:"else",{found}{after}'.encode()


@pytest.mark.security("S-09")
@pytest.mark.parametrize("to", [HUB, MSA])
def test_a_member_said_twice_is_refused_whoever_it_is_for(pair: Pair, to: Any) -> None:
    """Stored, changed, posted, asked for or passed on: 2001 names it, nobody receives it."""
    cpo, emsp = pair
    emsp.forget()
    patch = {"evses": [{"uid": "E1", "last_updated": STAMP}], "last_updated": STAMP}
    place = {"to": to, "sender": CPA}
    answers = [
        (
            cpo.hub.put("locations", "RECEIVER", "NL/CPA/L1", twice(a_location(CPA, 1)), **place),
            "id",
        ),
        (
            cpo.hub.patch("locations", "RECEIVER", "NL/CPA/L1", twice(patch, '"uid"'), **place),
            "evses[0].uid",
        ),
        (cpo.hub.put("sessions", "RECEIVER", "NL/CPA/S1", twice(a_session()), **place), "id"),
        (cpo.hub.post("cdrs", "RECEIVER", "", twice(a_cdr(), '"uid"'), **place), "cdr_token.uid"),
    ]
    for answer, where in answers:
        assert (answer.http_status, answer.status_code) == (200, 2001), where
        assert f"{where}: {TWICE}" in str(answer.message)
    assert emsp.seen == []
    assert not Change.objects.exists()


@pytest.mark.security("S-09")
def test_a_command_said_twice_is_refused(pair: Pair) -> None:
    """Commands, their results and credentials are read like every other body."""
    cpo, emsp = pair
    command = {"token": a_token(), "location_id": "L", "response_url": "https://e.example/1"}
    asked = emsp.hub.post(
        "commands", "RECEIVER", "START_SESSION", twice(command, '"uid"'), to=CPA, sender=MSA
    )
    assert asked.status_code == 2001
    assert f"token.uid: {TWICE}" in str(asked.message)

    url = emsp.hub.connected.endpoint("credentials", "SENDER")
    offered = emsp.hub.call("PUT", url, b'{"token":"a","tok\\u0065n":"b","url":"u","roles":[]}')
    assert offered.status_code == 2001
    assert f"token: {TWICE}" in str(offered.message)
    assert cpo.seen == []


@pytest.mark.security("S-09")
@pytest.mark.parametrize("to", [HUB, CPA])
def test_a_query_that_names_two_tokens_is_refused(pair: Pair, to: Any) -> None:
    """One uid as two types is two tokens: no reader is to take the first, another the last."""
    cpo, emsp = pair
    cpo.forget()
    for method, query in (("PUT", "type=APP_USER&type=RFID"), ("GET", "type=RFID&%74ype=OTHER")):
        answer = emsp.hub.send(
            method, "tokens", "RECEIVER", f"DE/MSA/T1?{query}", a_token(), to=to, sender=MSA
        )
        assert (answer.http_status, answer.status_code) == (200, 2001)
        assert "type: stands more than once in the query" in str(answer.message)
    assert cpo.seen == []


@pytest.mark.security("S-09", "S-04")
def test_what_is_pulled_in_such_a_shape_is_quarantined(pair: Pair) -> None:
    """The object alone, with the finding a push would get; its neighbours are stored."""
    cpo, emsp = pair
    wide = {**a_location(CPA, 3), "evses": [{}] * 10_001}
    deep = json.dumps(a_location(CPA, 4))[:-1] + ',"x":' + "[" * 200 + "]" * 200 + "}"
    texts = [
        twice(a_location(CPA, 2)).decode(),
        json.dumps(wide),
        deep,
        json.dumps(a_location(CPA, 1)),
    ]
    page = f'{{"data":[{",".join(texts)}],"status_code":1000,"timestamp":"{STAMP}"}}'
    with cpo.answer("GET /sender/locations", say(200, page.encode())):
        read()

    assert list(listed(emsp, MSA)) == ["L1"]
    found = sorted(Quarantined.objects.values_list("findings", flat=True))
    assert found == [
        "evses: has more than 10,000 items",
        f"id: {TWICE}",
        "the body is nested more than 128 levels deep",
    ]
    assert all(map(hint, found))
