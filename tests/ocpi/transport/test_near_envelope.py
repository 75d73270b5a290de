"""Answers of other software that are nearly envelopes are read, and what is odd is told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.client import Reply
from ocpi.transport.envelope import Oddity

NOW = "2026-11-21T05:32:00Z"
GOOD = {"data": [{"id": "L1"}], "status_code": 1000, "timestamp": NOW}


def _reply(body: bytes, *, http_status: int = 200, content_type: str = "application/json") -> Reply:
    return Reply(http_status, {"Content-Type": content_type}, body, 0.1)


def _json(**members: object) -> bytes:
    return json.dumps(GOOD | members).encode()


NEARLY: list[tuple[bytes, str, tuple[Oddity, ...]]] = [
    (b"\xef\xbb\xbf" + _json(), "application/json", (Oddity.BYTE_ORDER_MARK,)),
    (_json().decode().encode("utf-16"), "application/json", (Oddity.BYTE_ORDER_MARK,)),
    (
        '{"data":["Caf\u00e9"],"status_code":1000,"timestamp":"2026-11-21T05:32:00Z"}'.encode(
            "latin-1"
        ),
        "application/json; charset=ISO-8859-1",
        (Oddity.CHARSET,),
    ),
    (b'{"data":[1]}', "application/json", (Oddity.NO_CODE, Oddity.NO_TIMESTAMP)),
    (b'{"data":[1],"status_code":null}', "application/json", (Oddity.NO_CODE, Oddity.NO_TIMESTAMP)),
    (b"\n [1] ", "application/json", (Oddity.BARE_LIST,)),
    (_json(status_code="Success"), "application/json", (Oddity.CODE_IS_A_WORD,)),
    (_json(status_code="OK"), "application/json", (Oddity.CODE_IS_A_WORD,)),
    (_json(status_code=200), "application/json", (Oddity.CODE_OF_HTTP,)),
    (_json(status_code="200"), "application/json", (Oddity.CODE_OF_HTTP,)),
    (
        json.dumps({"Data": [1], "StatusCode": 1000, "Timestamp": NOW}).encode(),
        "application/json",
        (Oddity.SPELLING,),
    ),
    (
        json.dumps({"data": [1], "statusCode": "1000", "timestamp": NOW}).encode(),
        "application/json",
        (Oddity.SPELLING,),
    ),
]


@pytest.mark.parametrize("body,content_type,oddities", NEARLY)
def test_what_is_nearly_an_envelope_is_repaired(
    body: bytes, content_type: str, oddities: tuple[Oddity, ...]
) -> None:
    """It is a success with its data, and says what was odd about it."""
    reply = _reply(body, content_type=content_type)

    assert (reply.ok, reply.oddities) == (True, oddities)
    assert reply.envelope is not None
    assert reply.envelope.is_repaired
    assert isinstance(json.loads(reply.envelope.data or b""), list)


@pytest.mark.parametrize(
    "body,content_type,oddity",
    [
        (_json(status_code="1000"), "application/json", Oddity.CODE_IS_NO_NUMBER),
        (_json(timestamp="2026-11-21t05:32:00z"), "application/json", Oddity.TIMESTAMP),
        (_json(timestamp="yesterday"), "application/json", Oddity.TIMESTAMP),
        (_json(timestamp=None), "application/json", Oddity.NO_TIMESTAMP),
        (_json(), "text/html; charset=utf-8", Oddity.CONTENT_TYPE),
        (_json(), "", Oddity.CONTENT_TYPE),
    ],
)
def test_what_anybody_can_read_is_told_and_left(
    body: bytes, content_type: str, oddity: Oddity
) -> None:
    """The envelope is as it came."""
    reply = _reply(body, content_type=content_type)

    assert (reply.ok, reply.oddities) == (True, (oddity,))
    assert reply.envelope is not None
    assert not reply.envelope.is_repaired


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=UTF-8"])
def test_a_good_envelope_has_no_oddities(content_type: str) -> None:
    """Nor has one whose Content-Type names UTF-8."""
    assert _reply(_json(), content_type=content_type).oddities == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1",
        b'{"data":null}',
        b'{"data":"text"}',
        b'{"detail":"Not found"}',
        b'{"data":[],"error":"no such thing"}',
        b'{"data":[],"success":false}',
        b'{"status_code":"Error","data":[]}',
        b"<html>502</html>",
    ],
)
def test_what_does_not_say_that_it_is_a_success_is_none(body: bytes) -> None:
    """A page or another API's error is no envelope, whatever HTTP says."""
    assert _reply(body).envelope is None


@pytest.mark.parametrize("body", [b'{"data":[1]}', b"[1]", b'{"data":[1],"status_code":"Success"}'])
def test_a_failure_of_http_is_no_success(body: bytes) -> None:
    """What leaves it to HTTP to say so has to be believed in that."""
    assert _reply(body, http_status=500).envelope is None


def test_a_refusal_is_read_in_any_spelling() -> None:
    """It is none the less a refusal."""
    reply = _reply(b'{"StatusCode":2001,"StatusMessage":"no","errors":["x"]}', http_status=400)

    assert (reply.ok, reply.status_code) == (False, 2001)
    assert reply.envelope is not None
    assert reply.envelope.status_message == "no"


@given(st.binary(), st.sampled_from(["", "a/b; charset=utf-16", "text/json;charset=latin1"]))
def test_reading_never_fails(body: bytes, content_type: str) -> None:
    """Whatever bytes a peer answers in whatever charset."""
    _ = _reply(body, content_type=content_type).oddities
