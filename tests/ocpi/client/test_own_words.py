"""What a peer says about a failure is found wherever its software puts it, and fit to show."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.client import Reply
from ocpi.client.own_words import LONGEST


def _reply(body: bytes, *, http_status: int = 422, authorization: str = "") -> Reply:
    return Reply(http_status, {}, body, 0.1, authorization)


@pytest.mark.parametrize(
    "body,words",
    [
        ({"detail": "Not found"}, "Not found"),
        (
            {
                "detail": [
                    {"loc": ["body", "evses", 0, "uid"], "msg": "field required", "type": "x"},
                    {"loc": ["body", "name"], "msg": "too long", "input": "Secret Street"},
                ]
            },
            "evses.0.uid: field required; name: too long",
        ),
        (
            {"status_code": 2001, "status_message": "Invalid", "data": {"errors": ["no city"]}},
            "Invalid; no city",
        ),
        (
            {
                "status_code": 2001,
                "data": {"errors": [{"field": "city", "message": "is missing"}]},
            },
            "city: is missing",
        ),
        ({"status_code": 2001, "data": "no such EVSE"}, "no such EVSE"),
        (
            {"type": "about:blank", "title": "Bad", "detail": "No city", "status": 400},
            "No city; Bad",
        ),
        ({"errors": {"city": ["is missing", "is short"]}}, "city: is missing; city: is short"),
        ({"error": {"code": 7, "message": "Down"}}, "Down"),
    ],
)
def test_words_are_found_in_json(body: object, words: str) -> None:
    """Each once, with what it is about; values that are quoted beside it are not shown."""
    assert _reply(json.dumps(body).encode()).words == words


@pytest.mark.parametrize(
    "body,words",
    [
        (b"Service  is\n\tdown", "Service is down"),
        (b"<html><head><title>502 Bad &amp; Gateway</title></head><body>x", "502 Bad & Gateway"),
        (b"a\x1b[31mb\x00c\xe2\x80\xae", "a [31mb c"),
        (b"", ""),
        (b" {}\n", ""),
    ],
)
def test_words_are_found_in_text(body: bytes, words: str) -> None:
    """Plain text in one line, and the title of a page; nothing acts on a terminal."""
    assert _reply(body).words == words


def test_words_have_a_bound() -> None:
    """However long a peer speaks."""
    assert len(_reply(b"ab " * 100_000).words) <= LONGEST
    assert len(_reply(json.dumps({"detail": ["no " * 999] * 999}).encode()).words) <= LONGEST


@pytest.mark.security("S-04")
def test_tokens_are_masked_in_words() -> None:
    """The hub's own, in Base64 and without, and whatever looks like one."""
    token = "c7a1f0e5-90b4-4d5e"
    encoded = base64.b64encode(token.encode()).decode()
    said = f"no {token} and {encoded}; Authorization: Token 0123456789abcdef"

    words = _reply(said.encode(), authorization=f"Token {encoded}").words

    assert words == "no [token] and [token]; Authorization: Token [token]"


@given(st.binary())
def test_finding_words_never_fails(body: bytes) -> None:
    """Whatever bytes a peer answers."""
    assert "\n" not in _reply(body).words
