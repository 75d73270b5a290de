"""Who may call a functional endpoint, and which secrets stay on which side of the hub."""

from base64 import b64decode, b64encode
from itertools import product

import pytest

from ocpi.transport.authorization import header
from tests.cast import CPA, HUB, MSA, Cast, a_location, push


def _list(cast: Cast, authorization: str | None) -> tuple[int, int | None, object]:
    """Ask P1's question with another Authorization header; give both statuses and the data."""
    hub = cast["P1"].hub
    result = hub.get("locations", "SENDER", to=HUB, sender=CPA, Authorization=authorization)
    return result.http_status, result.status_code, result.data


@pytest.mark.conformance("TF-01", "TF-02", "TF-09")
def test_a_functional_endpoint_is_closed_to_strangers(cast: Cast) -> None:
    """No header, no known token, another letter case, another scheme: 401 and an envelope."""
    token = cast["P1"].hub.token

    for wrong in (
        None,
        "",
        "Token",
        header("nope"),
        header(token.swapcase()),
        header(token[:-1]),
        f"Bearer {b64encode(token.encode()).decode()}",
        "Token " + "x" * 4_000,
        "Token \x80",
    ):
        assert _list(cast, wrong) == (401, 2001, None), wrong
    assert _list(cast, header(token)) == (200, 1000, [])


METHODS = ("GET", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "BREW")
PATHS = ("versions", "2.2.1", "2.2.1/credentials", "2.2.1/sender/locations", "9.9/x/y", "", "no")


@pytest.mark.conformance("TF-01", "TF-02", "TF-54")
def test_every_url_asks_for_a_token_first(cast: Cast) -> None:
    """Before anything else is said about a URL or a method, the token has to be right."""
    hub = cast.start("P1").hub

    for method, path in product(METHODS, PATHS):
        url = f"{cast.versions_url.removesuffix('versions')}{path}"
        result = hub.call(method, url, token="nope")

        assert (result.http_status, result.status_code) == (401, 2001), (method, path)
        assert result.headers["WWW-Authenticate"] == "Token"
        assert "data" not in result.json


@pytest.mark.conformance("TF-06")
def test_token_a_opens_no_functional_endpoint(cast: Cast) -> None:
    """With an unused token A: versions answer, every functional endpoint is 401."""
    token = cast.token_a("P1")
    hub = cast.start("P1").hub
    base = cast.versions_url.removesuffix("versions")

    assert hub.call("GET", cast.versions_url, token=token).status_code == 1000
    for path in ("sender/locations", "receiver/locations/NL/CPA/L1"):
        assert hub.call("GET", f"{base}2.2.1/{path}", token=token).http_status == 401


@pytest.mark.conformance("TF-04")
@pytest.mark.parametrize("quirk, expected", [("raw_token=on", 200), ("raw_token=off", 401)])
def test_the_unencoded_token_is_taken_unless_the_platform_is_strict(
    cast: Cast, quirk: str, expected: int
) -> None:
    """Older platforms send the bare token; per platform it is accepted or refused."""
    platform = cast.join("P1", quirk)

    result = platform.hub.get(
        "locations", "SENDER", to=HUB, sender=CPA, Authorization=f"Token {platform.hub.token}"
    )

    assert result.http_status == expected


@pytest.mark.conformance("TF-03", "TF-08")
def test_each_side_sees_its_own_token_only(cast: Cast) -> None:
    """The hub replaces Authorization on each hop, and drops cookies and proxy credentials."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    secrets = {
        "Cookie": "session=cpo-secret",
        "Proxy-Authorization": "Basic cpo-secret",
        "X-Api-Key": "cpo-secret",
    }

    result = push(cpo, a_location(), to=MSA, **secrets)

    assert result.status_code == 1000
    seen = emsp.wait_for("PUT /locations")
    scheme, _, encoded = seen.headers["Authorization"].partition(" ")
    assert scheme == "Token"
    assert b64decode(encoded, validate=True).decode() in emsp.tokens.valid
    assert encoded == b64encode(b64decode(encoded)).decode()
    captured = "\n".join(f"{each} {dict(each.headers)} {each.body!r}" for each in emsp.seen)
    for secret in (cpo.hub.token, header(cpo.hub.token), "cpo-secret"):
        assert secret not in captured
    answered = f"{dict(result.headers)} {result.body!r}"
    assert emsp.hub.token not in answered
    assert not any(token in answered for token in emsp.tokens.issued)
