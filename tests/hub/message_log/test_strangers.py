"""What strangers leave in the log: little, of nobody's name, and only so much of it."""

from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.db.models import Sum

from hub.message_log.buffer import Buffer
from hub.message_log.capture import LONGEST_URL_OF_A_STRANGER
from hub.message_log.entry import NO_BODY, Entry
from hub.models import Exchange, Failure, Traffic
from ocpi.transport.authorization import header
from tests.cast import CPA, HUB, MSA, Cast, a_location, push
from tests.conftest import HubServer
from tests.hub.gateway.real_platforms import Pair
from tests.hub.message_log.conftest import Logged
from tests.parties.commands import run_json

FORGED = {
    "Authorization": header("a-token-that-nobody-issued"),
    "OCPI-from-country-code": CPA.country_code,
    "OCPI-from-party-id": CPA.party_id,
    "OCPI-to-country-code": MSA.country_code,
    "OCPI-to-party-id": MSA.party_id,
}


def _strange(
    hub: HubServer, path: str, *, times: int = 1, headers: Mapping[str, str] = FORGED
) -> tuple[int, bytes]:
    """Send requests of a stranger on one connection; return the last answer."""
    origin = urlsplit(hub.url)
    connection = HTTPConnection(origin.hostname or "", origin.port, timeout=10)
    for _ in range(times):
        connection.request("GET", path, headers={**FORGED, **headers})
        answer = connection.getresponse()
        last = answer.status, answer.read()
    connection.close()
    return last


@pytest.mark.security("S-03")
def test_a_stranger_is_no_party_and_joins_no_exchange(
    pair: Pair, hub_server: HubServer, logged: Logged
) -> None:
    """Headers beside an unknown token put nothing into a party's log, figures or journey."""
    result = push(pair[0], a_location())
    ids = {name: result.headers[name] for name in ("X-Correlation-ID", "X-Request-ID")}
    owned = f"/ocpi/2.2.1/receiver/locations/{CPA.country_code}/{CPA.party_id}/L1"

    status, _ = _strange(hub_server, owned, headers=ids)

    rows = logged()
    [forged] = [row for row in rows if row.http_status == 401]
    assert status == 401
    shown = (forged.sender, forged.receiver, forged.platform, forged.object_key)
    assert {*shown, forged.correlation_id, forged.request_id} == {""}
    exchanges = run_json("trace", ids["X-Correlation-ID"])
    assert 401 not in [each["http_status"] for each in exchanges]
    for party in (CPA, MSA):
        exchanges = run_json("log", "--party", str(party))
        assert 401 not in [each["http_status"] for each in exchanges]
    assert set(Failure.objects.values_list("party", flat=True)) == {""}


@pytest.mark.security("S-03")
def test_a_platform_speaks_for_no_other_in_the_log(cast: Cast, logged: Logged) -> None:
    """A refused message counts for the party its token belongs to, whatever FROM says."""
    cpo = cast["P1"]
    cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1", to=HUB, sender=MSA)

    [row] = [row for row in logged() if row.module == "locations"]

    assert (row.platform, row.sender) == ("P1", "")


@pytest.mark.security("S-02")
def test_the_row_of_a_stranger_is_short(hub_server: HubServer, logged: Logged) -> None:
    """Of its URL the beginning is kept, of headers and bodies nothing."""
    _strange(hub_server, f"/ocpi/2.2.1/sender/{'x' * 3_000}?limit=1")

    [row] = logged()

    assert len(row.path) <= LONGEST_URL_OF_A_STRANGER
    assert (row.request_body, row.response_body, row.status_code) == ("", "", 2001)


@pytest.mark.security("S-02")
def test_strangers_get_so_many_rows_and_are_counted_beyond(
    hub_server: HubServer, logged: Logged, settings: LazySettings
) -> None:
    """A flood adds no rows beyond those of a minute; the figures have all of it."""
    settings.HUB_STRANGER_ROWS_PER_MINUTE = 3
    _strange(hub_server, "/ocpi/2.2.1/sender/locations", times=40)

    rows = logged()

    assert len(rows) <= 6  # the minute may have turned
    assert Traffic.objects.aggregate(Sum("number")) == {"number__sum": 40}
    assert Failure.objects.aggregate(Sum("number")) == {"number__sum": 40}


@pytest.mark.security("S-02")
def test_a_platforms_own_messages_have_no_such_quota(
    pair: Pair, hub_server: HubServer, logged: Logged, settings: LazySettings
) -> None:
    """However many strangers called, what a known platform sends is in the log."""
    settings.HUB_STRANGER_ROWS_PER_MINUTE = 0
    _strange(hub_server, "/ocpi/versions", times=5)
    push(pair[0], a_location())

    assert [row.object_key for row in logged()] == ["L1"]
    assert Exchange.objects.count() == 1


@pytest.mark.security("S-02")
@pytest.mark.parametrize("of", ["url", "headers", "error"])
def test_the_buffer_weighs_all_it_holds(of: str) -> None:
    """Long URLs and headers take memory as bodies do: what does not fit is dropped."""
    long = {"url": "x" * 50_000, "headers": {"X-Long": "x" * 50_000}, "error": "x" * 50_000}
    values = {"url": "/", "headers": {}, "error": "", of: long[of]}
    entry = Entry(
        is_inbound=True,
        at=0.0,
        seconds=0.0,
        method="GET",
        request=NO_BODY,
        response=NO_BODY,
        **values,  # type: ignore[arg-type]
    )
    buffer = Buffer()
    for _ in range(10):
        buffer.put(entry, max_bytes=210_000)
    assert (len(buffer), buffer.take_dropped()) == (4, 6)
