"""Requests about charging profiles on their way to a CPO, and what it says to them at once.

Spec: 2.2.1 mod_charging_profiles, Receiver interface; A-108, A-109.
"""

import re
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.conf import LazySettings
from django.utils import timezone
from yarl import URL

from hub.models import Callback
from sandbox.misbehaviour import reset, say
from tests.cast import CPA, CPB, HUB, MSA, Cast, route
from tests.hub import raw_http
from tests.hub.charging_objects import put_session
from tests.hub.gateway.commands import (
    NOTED,
    PROFILE,
    SCS,
    Asking,
    answered,
    emsp_and_cpo,
    enveloped,
    forget,
    in_envelope,
    joined,
)
from tests.ocpi.objects import a_session

ENDPOINT = "/ocpi/2.2.1/receiver/chargingprofiles"
TOO_OFTEN = {"result": "TOO_OFTEN", "timeout": 0}
OWN = re.compile(r"http://127\.0\.0\.1:[0-9]+/ocpi/2\.2\.1/sender/chargingprofiles/[0-9a-f]{32}")


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA, that may set profiles at NL-CPA."""
    return emsp_and_cpo(cast)


@pytest.mark.conformance("CP-01", "TF-45")
def test_a_profile_reaches_the_cpo_with_a_url_of_the_hub(asking: Asking, cast: Cast) -> None:
    """From the eMSP or an SCSP; all but `response_url` stays as it was spelled."""
    scsp = asking.by(joined(cast, "P7"), SCS)
    cast.agree(("NL-CPA", "NL-SCS"))

    for each in (asking, scsp):
        body = {**PROFILE, "response_url": each.url, "x": {"limit": 1.50}}
        result = each.profile("PUT", "S%2F1", body)

        assert answered(result) == (200, 1000), str(result)
        seen = asking.seen
        assert (seen.method, seen.path) == ("PUT", f"{ENDPOINT}/S%2F1")
        assert route(seen) == (CPA, each.party)
        assert seen.json == {**body, "response_url": asking.callback}
        assert OWN.fullmatch(asking.callback)


@pytest.mark.conformance("CP-02", "CP-03", "CP-13")
def test_get_and_delete_carry_the_url_in_their_query(asking: Asking) -> None:
    """Encoded at the CPO, every other parameter as it was; no body, no Content-Type either way."""
    encoded = quote(asking.url, safe="")
    queries = {
        f"duration=900&response_url={encoded}": ("duration=900&response_url=", ""),
        f"response_url={encoded}&duration=900": ("response_url=", "&duration=900"),
        f"a=%2F&response_url={encoded}&&b": ("a=%2F&response_url=", "&&b"),
        f"response_url={encoded}": ("response_url=", ""),
    }

    for method in ("GET", "DELETE"):
        for query, (before, after) in queries.items():
            result = asking.profile(method, f"S1?{query}")

            assert answered(result) == (200, 1000), str(result)
            seen, own = asking.seen, asking.callback
            assert (seen.method, seen.body, route(seen)) == (method, b"", (CPA, MSA))
            assert seen.path == f"{ENDPOINT}/S1?{before}{quote(own, safe='')}{after}"
            assert "Content-Type" not in seen.headers
            assert OWN.fullmatch(own)
            assert _response_url() == asking.url


@pytest.mark.conformance("CP-04")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_url_that_is_not_encoded_is_understood(asking: Asking, method: str) -> None:
    """Written into the query as in the specification's example, it is the rest of it (A-108)."""
    origin = asking.asker.addresses.origin
    cases = {
        "response_url={}": (f"{origin}/12345", ""),
        "duration=900&response_url={}": (f"{origin}/cb?id=1&key=a%20b", ""),
        "response_url={}&duration=900": (f"{origin}/cb?id=1&key=2", "&duration=900"),
        "response_url={}&duration=9": (f"{origin}/a%20b", "&duration=9"),
        "x=1&response_url={}": (f"{origin}/cb?duration=5&to=http://x/?a=b&c", ""),
        "response_url={}&x=1": (f"{origin}/12345", "&x=1"),
    }

    for query, (url, after) in cases.items():
        target = f"receiver/chargingprofiles/S1?{query.format(url)}".encode()
        result = raw_http.send(asking.asker, method, target, to=CPA)

        assert answered(result) == (200, 1000), str(result)
        assert _response_url() == url
        before = query.partition("{}")[0]
        own = quote(asking.callback, safe="")
        assert asking.seen.path == f"{ENDPOINT}/S1?{before}{own}{after}"


@pytest.mark.conformance("CP-04")
def test_every_librarys_encoding_is_understood(asking: Asking) -> None:
    """Some encode all but letters, some only what ends a parameter, some in lower case."""
    url = f"{asking.asker.addresses.origin}/cb?id=1&key=2"
    queries = (
        urlencode({"duration": 900, "response_url": url}),
        str(URL("http://x/").with_query(response_url=url).raw_query_string),
        f"response_url={quote(url, safe=':/')}&duration=900",
        f"response_url={quote(url, safe=':/?')}&duration=900",
        f"response_url={quote(url, safe='').lower()}",
    )

    for query in queries:
        assert answered(asking.profile("GET", f"S1?{query}")) == (200, 1000), query
        assert _response_url() == url, query


@pytest.mark.conformance("CP-05")
def test_the_cpos_answer_comes_back_as_it_is(asking: Asking) -> None:
    """Every result there is and its timeout, in the CPO's own envelope."""
    kinds = ("ACCEPTED", "NOT_SUPPORTED", "REJECTED", "TOO_OFTEN", "UNKNOWN_SESSION", "ODD")
    for number, kind in enumerate(kinds):
        answer = enveloped({"result": kind, "timeout": number, "x": 1.0}, 1000 + number)
        with asking.asked.answer("/receiver/chargingprofiles", say(200, answer)):
            for method in ("PUT", "GET", "DELETE"):
                query = f"?response_url={quote(asking.url, safe='')}" if method != "PUT" else ""
                result = asking.profile(method, f"S1{query}")
                assert (result.http_status, result.body) == (200, answer)
                assert route(result) == (MSA, CPA)


@pytest.mark.conformance("CP-14")
def test_each_interface_takes_its_own_methods(asking: Asking) -> None:
    """405 for POST and PATCH on RECEIVER, for GET, PATCH and DELETE on SENDER."""
    for method in ("POST", "PATCH", "OPTIONS"):
        result = asking.profile(method, "S1", {**PROFILE, "response_url": asking.url})
        assert answered(result) == (405, 2001), method
        assert result.headers["Allow"] == "DELETE, GET, PUT"
    for method in ("GET", "PATCH", "DELETE"):
        body = PROFILE if method == "PATCH" else None
        result = asking.asked.hub.send(
            method, "chargingprofiles", "SENDER", "S1", body, to=MSA, sender=CPA
        )
        assert answered(result) == (405, 2001), method
        assert result.headers["Allow"] == "POST, PUT"
    assert asking.asked.seen + asking.asker.seen == []


@pytest.mark.conformance("TF-46")
def test_without_a_url_that_may_be_called_nothing_is_sent(asking: Asking) -> None:
    """None at all, in the wrong place, empty, internal, cut in two: 2001."""
    queries = (
        "",
        "?response_url=",
        "?response_url",
        "?Response_url=https%3A%2F%2Fexample.com",
        "?duration=900",
        "?response_url=https%3A%2F%2F169.254.169.254%2Fx",
        "?response_url=https://169.254.169.254/x?a=b&c=d",
        "?response_url=%00",
        "?response_url=https%3A%2F%2Fexample.com%2F%0D%0AX-A%3A%20b",
        "?response_url=%FF%FE",
        f"?response_url=https://example.com/{'x' * 300}",
    )

    for method in ("GET", "DELETE"):
        for query in queries:
            result = asking.profile(method, f"S1{query}")
            assert answered(result) == (200, 2001), query
            assert "response_url" in str(result.message)
    for url in ("https://169.254.169.254/x", None, 7, ""):
        result = asking.profile("PUT", "S1", {**PROFILE, "response_url": url})
        assert answered(result) == (200, 2001), str(url)
    assert asking.asked.seen == []
    assert Callback.objects.count() == 0


SECOND = "response_url=https%3A%2F%2Fexample.com%2Fx"


@pytest.mark.conformance("TF-46")
@pytest.mark.parametrize(
    "after",
    [f"&{SECOND}", f"&duration=9&{SECOND}", f"&{SECOND.replace('_', '%5F')}", f"&a=1;{SECOND}"],
)
def test_a_second_url_is_refused(asking: Asking, after: str) -> None:
    """The receiver might take that one, unchecked and past the hub: 2001, whichever comes first."""
    own = f"response_url={quote(asking.url, safe='')}"

    for method, query in (("GET", f"?{own}{after}"), ("DELETE", f"?{after.lstrip('&')}&{own}")):
        result = asking.profile(method, f"S1{query}")
        assert answered(result) == (200, 2001), query
        assert "more than once" in str(result.message)
    assert answered(asking.profile("PUT", f"S1?{after.lstrip('&')}")) == (200, 2001)
    stop = asking.body("STOP_SESSION")
    command = asking.asker.hub.send(
        "POST", "commands", "RECEIVER", f"STOP_SESSION?{SECOND}", stop, to=CPA, sender=MSA
    )
    assert answered(command) == (200, 2001)
    assert asking.asked.seen == []


@pytest.mark.conformance("TF-75", "TF-76")
@pytest.mark.parametrize("to", [None, HUB])
def test_a_request_without_receiver_finds_the_session(asking: Asking, cast: Cast, to: None) -> None:
    """Its CPO by the session; unknown: UNKNOWN_SESSION from the hub; two of them: refused."""
    cast.agree(("NL-CPB", "DE-MSA"))
    put_session(asking.asked)
    forget(asking.asked, asking.asker)

    assert answered(asking.profile("PUT", to=to)) == (200, 1000)
    assert route(asking.seen) == (CPA, MSA)
    unknown = asking.profile("PUT", "S9", to=to)
    assert answered(unknown) == (200, 1000)
    assert (unknown.data, route(unknown)) == (
        {"result": "UNKNOWN_SESSION", "timeout": 0},
        (MSA, HUB),
    )
    body = a_session(party_id="CPB")
    asking.asked.hub.put("sessions", "RECEIVER", "NL/CPB/S1", body, to=HUB, sender=CPB)
    ambiguous = asking.profile("PUT", to=to)
    assert answered(ambiguous) == (200, 2001)
    assert "NL-CPA and NL-CPB" in str(ambiguous.message)
    assert [seen.method for seen in asking.asked.seen] == ["PUT"]


@pytest.mark.conformance("CP-15")
def test_a_session_is_asked_about_as_often_as_configured(
    asking: Asking, settings: LazySettings
) -> None:
    """Sooner: TOO_OFTEN from the hub, and the CPO hears nothing; other sessions are asked about."""
    query = f"?response_url={quote(asking.url, safe='')}"
    for seconds, expected in ((0, NOTED), (60, TOO_OFTEN)):
        settings.HUB_PROFILE_SECONDS = seconds
        forget(asking.asked)
        first = asking.profile("PUT", f"S{seconds}")
        second = asking.profile("GET", f"s{seconds}{query}")

        assert (first.data, route(first)) == (NOTED, (MSA, CPA))
        assert (answered(second), second.data) == ((200, 1000), expected)
        assert route(second) == (MSA, HUB if seconds else CPA)
        assert len(asking.asked.seen) == (1 if seconds else 2)
    assert asking.profile("PUT", "S2").data == NOTED
    Callback.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert asking.profile("DELETE", f"S60{query}").data == NOTED


@pytest.mark.conformance("CP-15")
def test_what_the_cpo_refused_or_never_heard_spares_it_nothing(
    asking: Asking, settings: LazySettings
) -> None:
    """Else who asks about a session that is not its own keeps out those whose it is."""
    settings.HUB_PROFILE_SECONDS = 60
    refusal = {"result": "UNKNOWN_SESSION", "timeout": 0}
    with asking.asked.answer("/receiver/chargingprofiles", in_envelope(refusal)):
        assert asking.profile("PUT", "S7").data == refusal
    with asking.asked.answer("/receiver/chargingprofiles", reset()):
        assert answered(asking.profile("PUT", "S7")) == (200, 4003)

    assert asking.profile("PUT", "S7").data == NOTED
    assert asking.profile("PUT", "S7").data == TOO_OFTEN


def _response_url() -> str:
    """Return where the results of the last request shall go."""
    return Callback.objects.latest("created_at").url
