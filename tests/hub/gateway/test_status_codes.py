"""HTTP for transport, OCPI codes for content: the status codes chapter through the whole hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocpi.transport.authorization import header
from parties.models import Platform
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, HUB, MSA, Cast, a_location, push, route

Pair = tuple[SandboxPlatform, SandboxPlatform]
L1 = "NL/CPA/L1"
LATER = "2030-01-01T00:00:00Z"


@pytest.mark.conformance("ST-01", "ST-06", "ST-19")
def test_what_reached_ocpi_gets_no_http_error(pair: Pair) -> None:
    """Authenticated, valid JSON, an existing resource: semantic errors are HTTP 200 with 2001."""
    hub = pair[0].hub
    push(pair[0], a_location())
    without = {name: value for name, value in a_location().items() if name != "coordinates"}
    wrong = {
        "coordinates: required": without,
        "publish: ": a_location(publish="yes"),
        "evses: ": {**a_location(), "evses": {"uid": "E1"}},
        "parking_type: ": a_location(parking_type=7),
        "last_updated: ": a_location(last_updated="yesterday"),
        "id: ": a_location(id="L2"),
    }

    for path, body in wrong.items():
        result = hub.put("locations", "RECEIVER", L1, body, to=HUB, sender=CPA)
        assert (result.http_status, result.status_code) == (200, 2001), path
        assert path in str(result.message)
        assert "data" not in result.json
    for patch in ({"name": "x"}, {"last_updated": LATER, "address": None}):
        result = hub.patch("locations", "RECEIVER", L1, patch, to=HUB, sender=CPA)
        assert (result.http_status, result.status_code) == (200, 2001)
    found = hub.get("locations", "RECEIVER", L1, to=HUB, sender=CPA)
    assert found.data == a_location()


@pytest.mark.conformance("ST-02", "ST-08")
def test_a_missing_object_is_404(pair: Pair) -> None:
    """GET of what does not exist: HTTP 404 with an envelope, 2003 for a location and its parts."""
    hub = pair[0].hub
    push(pair[0], a_location())

    for path in ("NL/CPA/none", "NL/CPA/none/E1", f"{L1}/E9", f"{L1}/E1/9"):
        result = hub.get("locations", "RECEIVER", path, to=HUB, sender=CPA)
        assert (result.http_status, result.status_code) == (404, 2003), path
        assert path.removeprefix("NL/CPA/") in str(result.message)
    child = a_location()["evses"][0]
    for method, path in (("PUT", "NL/CPA/none/E1"), ("PATCH", "NL/CPA/none")):
        result = hub.send(method, "locations", "RECEIVER", path, child, to=HUB, sender=CPA)
        if path.endswith("none"):
            stamped = {"last_updated": LATER}
            result = hub.patch("locations", "RECEIVER", path, stamped, to=HUB, sender=CPA)
        assert (result.http_status, result.status_code) == (404, 2003), path


@pytest.mark.conformance("ST-03", "ST-04", "TF-57")
def test_created_is_201_and_updated_200(pair: Pair) -> None:
    """Newly created: 201; replaced: 200; both 1000 and without data."""
    results = [push(pair[0], a_location()) for _ in range(3)]

    assert [(each.http_status, each.status_code) for each in results] == [
        (201, 1000),
        (200, 1000),
        (200, 1000),
    ]
    assert not [each for each in results if "data" in each.json]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBER = st.sampled_from(sorted(a_location()))
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "OCPI-to-party-id": st.sampled_from(["HUB", "MSA", "ZZZ", "x"]),
        "OCPI-to-country-code": st.sampled_from(["NL", "DE", "x"]),
        "OCPI-from-party-id": st.sampled_from(["CPA", "CPB", "x"]),
        "OCPI-from-country-code": st.sampled_from(["NL", "DE"]),
    },
)


@pytest.mark.conformance("ST-05", "ST-04")
@given(
    method=st.sampled_from(["PUT", "PATCH", "GET"]),
    path=st.sampled_from([L1, f"{L1}/E1", "NL/CPA/none", "DE/MSA/L1", "L1", ""]),
    headers=HEADERS,
    changes=st.dictionaries(MEMBER, VALUES, min_size=1, max_size=2),
)
@hypothesis_settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_generic_client_error_is_never_the_best_one(
    pair: Pair, method: str, path: str, headers: dict[str, Any], changes: dict[str, object]
) -> None:
    """Whatever is wrong with a request, one of 2001 to 2004 says it better than 2000."""
    body = {**a_location(), **changes}

    result = pair[0].hub.send(method, "locations", "RECEIVER", path, body, **headers)

    assert result.status_code in {1000, 2001, 2003, 4000, 4001, 4003}, str(result)
    assert result.http_status in {200, 201, 404}


@contextmanager
def _renamed(table: str) -> Iterator[None]:
    """Take a table away for a while."""
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" RENAME TO "{table}_gone"')
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "{table}_gone" RENAME TO "{table}"')


def _is_hidden_failure(result: Result) -> None:
    assert (result.http_status, result.status_code) == (200, 3000), str(result)
    assert "data" not in result.json
    for word in ("hub_location", "parties", "SELECT", "psycopg", "Error", "127.0.0.1"):
        assert word not in str(result.message)
    assert result.headers["X-Request-ID"] == "r-1"


@pytest.mark.conformance("ST-10", "TF-54")
@pytest.mark.parametrize(
    "table", ["hub_location", "hub_change", "parties_party", "parties_platform"]
)
def test_an_internal_failure_is_3000_without_its_details(
    pair: Pair, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A table is gone: the sender gets 3000, the details and the request id go to the log."""
    ids: dict[str, Any] = {"X-Request-ID": "r-1"}

    with _renamed(table):
        _is_hidden_failure(push(pair[0], a_location(), **ids))
    failures = [each for each in caplog.records if each.name == "ocpi.transport.error_answer"]
    assert [each.getMessage() for each in failures] == ["request r-1 failed"]
    assert failures[0].exc_info
    assert push(pair[0], a_location(), **ids).status_code == 1000


@pytest.mark.conformance("ST-10", "TF-54")
def test_without_a_database_every_answer_is_3000(pair: Pair) -> None:
    """The database cannot be reached at all: still an envelope, on every kind of endpoint."""
    cpo = pair[0]
    right = connections.settings["default"]["PORT"]
    connections.settings["default"]["PORT"] = 1
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
    ids: dict[str, Any] = {"X-Request-ID": "r-1", "Connection": "close"}
    try:
        for result in (
            push(cpo, a_location(), **ids),
            push(cpo, a_location(), to=MSA, **ids),
            cpo.hub.get("locations", "SENDER", to=HUB, sender=CPA, **ids),
            cpo.hub.call("GET", cpo.hub.connected.versions_url, **ids),
            cpo.hub.call("GET", cpo.hub.endpoint("locations", "SENDER"), token="x", **ids),
        ):
            _is_hidden_failure(result)
    finally:
        connections.settings["default"]["PORT"] = right
        connection.close_pool()  # type: ignore[attr-defined]
    assert push(cpo, a_location()).status_code == 1000


@pytest.mark.conformance("ST-18")
def test_hub_errors_travel_as_http_200_in_2_2_too(cast: Cast) -> None:
    """A platform that speaks 2.2 pushes, lists and is refused just as one of 2.2.1."""
    cpo, emsp = cast.join("P1", versions=("2.2",)), cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))

    assert Platform.objects.get(name="P1").version == "2.2"
    assert push(cpo, a_location(), to=MSA).status_code == 1000
    assert push(cpo, a_location(number=2), to=HUB).http_status == 201
    assert push(cpo, a_location(number=3), to=HUB).http_status == 201
    emsp.stop()
    refused = push(cpo, a_location(), to=MSA)
    assert (refused.http_status, refused.status_code) == (200, 4003)
    assert route(refused) == (CPA, HUB)


def test_only_the_registered_version_is_open(cast: Cast) -> None:
    """Functional calls under another version are 3002 and tell how to switch (A-83)."""
    cpo = cast["P1"]
    url = cpo.hub.endpoint("locations", "SENDER").replace("/2.2.1/", "/2.2/")

    result = cpo.hub.call("GET", url)

    assert (result.http_status, result.status_code) == (200, 3002)
    assert "PUT its credentials" in str(result.message)


def test_after_a_switch_the_former_token_may_finish_in_its_version(cast: Cast) -> None:
    """The version before stays open to the token before, until the new token is first used."""
    cpo = cast.join("P1", versions=("2.2", "2.2.1"))
    old_url = cpo.hub.endpoint("locations", "SENDER")
    old = {"Authorization": header(cpo.hub.token), "OCPI-from-party-id": "CPA"}
    old["OCPI-from-country-code"] = "NL"
    cpo.switch("2.2")

    assert "/2.2/" in cpo.hub.endpoint("locations", "SENDER")
    assert cpo.hub.call("GET", old_url, **old).status_code == 1000
    assert cpo.hub.call("GET", cpo.hub.endpoint("locations", "SENDER"), **old).status_code == 1000
    assert cpo.hub.call("GET", old_url).status_code == 3002
    assert cpo.hub.call("GET", old_url, **old).http_status == 401
