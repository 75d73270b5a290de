"""No spelling of `response_url` reaches a receiver past the hub (S-13)."""

import json
from urllib.parse import quote

import pytest

from hub.gateway import response_url_parameter
from hub.models import Callback
from ocpi.errors import OcpiError
from ocpi.v2_2_1.commands import CommandType
from tests.cast import CPA, MSA, Cast
from tests.hub.gateway.commands import PROFILE, Asking, answered, callback_in, emsp_and_cpo

pytestmark = pytest.mark.security("S-13")

EVIL = "https://evil.example/x"
SPELLINGS = (
    "Response_url",
    "RESPONSE_URL",
    "responseUrl",
    "ResponseURL",
    "response-url",
    "response.url",
    "response url",
    "response__url",
    " response_url",
    "response_url ",
    "response_url\t",
    "\ufeffresponse_url",
    "response\u200b_url",
    "response_url[]",
    "response_url[0]",
    "response_url[a][b]",
    "response[url]",
    "response[url",
    "@response_url",
    "response_url\u0000x",
    "response%5Furl",
    "%72esponse_url",
    "%2572esponse_url",
    "\\u0072esponse_url",
    "\uff52esponse_url",
    "re\u017fponse_url",
    "response_url%5B%5D",
)
"""Names that some parser, binder or proxy takes for the member."""

OTHERS = (
    "response",
    "url",
    "response_urls",
    "responses_url",
    "no_response_url",
    "callback",
    "résponse_url",
)


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA, that may ask NL-CPA."""
    return emsp_and_cpo(cast)


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_spelling_is_found_wherever_it_stands(name: str) -> None:
    """Before and behind the one that counts, further in, in lists, in a query, in a path."""
    own = '"response_url":"https://good.example"'
    evil = f"{json.dumps(name)}:{json.dumps(EVIL)}"
    encoded = f"{quote(name, safe='')}={quote(EVIL, safe='')}"

    for body in (
        f"{{{own},{evil}}}",
        f"{{{evil},{own}}}",
        f'{{{own},"token":{{{evil}}}}}',
        f'{{{own},"a":[[{{"b":{{{evil}}}}}]]}}',
    ):
        [finding] = response_url_parameter.others_in_body(body.encode())
        assert "more than once" in str(finding)
        assert str(finding).isprintable()
    for text in (
        f"S1?{encoded}",
        f"S1?duration=9&{encoded}",
        f"S1?duration=9;{encoded}",
        f"S1;{encoded}?duration=9",
        f"S1?x={quote('&' + encoded, safe='')}",
        f"S1{quote('?' + encoded, safe='')}?duration=9",
    ):
        assert response_url_parameter.others_in_query(text), text


@pytest.mark.parametrize("name", OTHERS)
def test_another_name_is_no_spelling(name: str) -> None:
    """What nobody takes for it passes."""
    body = {"response_url": EVIL, name: EVIL, "token": {name: EVIL}}

    assert response_url_parameter.others_in_body(json.dumps(body).encode()) == []
    assert response_url_parameter.others_in_query(f"S1?{quote(name)}={quote(EVIL)}") == []


def test_the_name_itself_is_found_twice_and_further_in() -> None:
    """Repeated, in either spelling of JSON, or as a member of a member."""
    for body in (
        b'{"response_url":"https://a.example","response_url":"https://b.example"}',
        b'{"response_url":"https://a.example","\\u0072esponse_url":"https://b.example"}',
        b'{"response_url":"https://a.example","token":{"response_url":"https://b.example"}}',
        b'{"response_url":"https://a.example","token":{"response_url":["https://b.example"]}}',
        b'{"response_url":"https://a.example","":[{"response_url":{"href":"b.example"}}]}',
    ):
        assert len(response_url_parameter.others_in_body(body)) == 1, body
    assert (
        response_url_parameter.others_in_body(b'{"\\u0072esponse_url":"https://a.example"}') == []
    )
    assert (
        response_url_parameter.others_in_body(
            b'{"response_url":"x","x_own":{"response_url":"kept"}}'
        )
        == []
    )


def test_a_deep_body_is_refused() -> None:
    """Nesting beyond any parser's depth ends in a refusal, not in a mistake of the hub."""
    with pytest.raises(OcpiError):
        response_url_parameter.others_in_body(b"[" * 200_000 + b"]" * 200_000)


def test_no_command_carries_a_second_one(asking: Asking) -> None:
    """2001 that names it; nothing is sent, nothing remembered."""
    for command in CommandType:
        for name in SPELLINGS[:3]:
            result = asking.command(command, asking.body(command, **{name: EVIL}))
            assert answered(result) == (200, 2001)
            assert name in str(result.message)
    for extra in (
        b'"response_url":"https://evil.example/x"',
        b'"\\u0072esponse_url":"https://evil.example/x"',
        b'"token":{"response_url":"https://evil.example/x"}',
    ):
        own = b'{"response_url":"%b","session_id":"S1",' % asking.url.encode()
        assert answered(asking.command("STOP_SESSION", own + extra + b"}")) == (200, 2001), extra
    assert (asking.asked.seen, Callback.objects.count()) == ([], 0)


def test_the_one_that_counts_is_replaced_however_json_spells_it(asking: Asking) -> None:
    r"""`\u0072esponse_url` is the member itself: the receiver gets the hub's URL."""
    body = b'{"\\u0072esponse_url":"%b","session_id":"S1"}' % asking.url.encode()

    assert answered(asking.command("STOP_SESSION", body)) == (200, 1000)
    assert asking.url not in asking.seen.body.decode()
    assert callback_in(asking.seen).startswith(asking.asker.hub.connected.versions_url[:20])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_request_about_a_profile_carries_a_second_one(asking: Asking, method: str) -> None:
    """In the query of any method, in its path, in the body of PUT: 2001, nothing is sent."""
    own = "" if method == "PUT" else f"response_url={quote(asking.url, safe='')}&"
    for name in ("Response_url", "response_url[]"):
        evil = f"{quote(name, safe='%')}={quote(EVIL, safe='')}"
        for suffix in (f"S1?{own}{evil}", f"S1?{evil}&{own}", f"S1;{evil}?{own}"):
            result = asking.profile(method, suffix)
            assert answered(result) == (200, 2001), suffix
            assert "more than once" in str(result.message)
    body = {**PROFILE, "response_url": asking.url, "responseUrl": EVIL}
    assert answered(asking.profile("PUT", "S1", body)) == (200, 2001)
    assert (asking.asked.seen, Callback.objects.count()) == ([], 0)
    assert (asking.party, asking.receiver) == (MSA, CPA)
