"""What the log is told of a message: the same as it would read out of its URL."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.conf import LazySettings

from hub.message_log import AnsweredRequest, on_answered, rows
from hub.message_log.endpoints import Endpoints
from hub.message_log.entry import Entry
from hub.message_log.writer import writer
from ocpi.transport.message_ids import MessageIds
from sandbox import SandboxPlatform
from tests.cast import CPA, HUB, MSA, a_location, push
from tests.hub.message_log.conftest import Logged
from tests.ocpi.objects import a_cdr, a_cdr_token, a_token


@pytest.fixture
def told(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Entry]]:
    """Return what the log was told by a message of its own that was read."""
    kept: list[Entry] = []
    monkeypatch.setattr(writer, "put", kept.append)
    return lambda: [entry for entry in kept if entry.endpoint is not None]


def test_a_row_is_the_same_told_or_read(
    pair: tuple[SandboxPlatform, SandboxPlatform], told: Callable[[], list[Entry]]
) -> None:
    """Objects, parts, tokens, lists, commands and what is posted, with slashes and queries."""
    cpo, emsp = pair
    push(cpo, a_location(CPA, 1))
    cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1/", to=HUB, sender=CPA)
    cpo.hub.get("locations", "RECEIVER", "NL/CPA/L%201/E1?x=/y", to=HUB, sender=CPA)
    cpo.hub.get("tariffs", "SENDER", "?limit=1", to=HUB, sender=CPA)
    token = a_token(country_code="DE", party_id="MSA", uid="04A1B2C3")
    emsp.hub.put("tokens", "RECEIVER", "DE/MSA/04A1B2C3?type=RFID", token, to=HUB, sender=MSA)
    cpo.hub.post("tokens", "SENDER", "04A1B2C3/authorize", None, to=MSA, sender=CPA)
    cdr = a_cdr(country_code="NL", party_id="CPA", cdr_token=a_cdr_token(party_id="MSA"))
    cpo.hub.post("cdrs", "RECEIVER", "", cdr, to=MSA, sender=CPA)
    emsp.hub.post("commands", "RECEIVER", "UNLOCK_CONNECTOR", {}, to=CPA, sender=MSA)

    entries = told()

    assert len({entry.url for entry in entries}) == 8
    for entry in entries:
        read = replace(entry, endpoint=None, object_id=None, posted_id="")
        assert rows.masked_row(entry, Endpoints()) == rows.masked_row(read, Endpoints())


def test_a_spelling_that_leads_to_a_module_is_logged_as_that_module(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged
) -> None:
    """A URL may percent-encode any letter of its endpoint."""
    _, emsp = pair
    url = emsp.hub.endpoint("locations", "SENDER").replace("locations", "l%6Fcations")
    assert emsp.hub.call("GET", url).status_code == 1000
    [row] = logged()
    assert (row.module, row.interface) == ("locations", "SENDER")
    assert row.endpoint == "/ocpi/2.2.1/sender/locations"


def test_a_long_page_of_the_hub_says_how_it_ended(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged, settings: LazySettings
) -> None:
    """Of a page the beginning is kept, and its status, which stands at its end."""
    settings.HUB_MESSAGE_LOG_BODY_BYTES = 100
    cpo, emsp = pair
    push(cpo, a_location(CPA, 1))
    emsp.hub.get("locations", "SENDER", to=HUB, sender=MSA)
    row = logged()[-1]
    assert (row.method, row.route, row.status_code) == ("GET", "stored", 1000)
    assert "(cut, " in row.response_body


@pytest.mark.security("S-03")
def test_any_server_can_tell_the_log(logged: Logged) -> None:
    """Plain facts are enough; who presented no token of the hub is a stranger."""
    facts = AnsweredRequest(
        method="GET",
        path="/ocpi/versions",
        query="a=b",
        headers={},
        ids=MessageIds("r", "c"),
        caller=None,
        body=b"kept by nobody",
        http_status=401,
        answer=b'{"status_code":2001}',
        seconds=0.01,
    )
    on_answered(facts)
    [row] = logged()
    assert (row.method, row.http_status, row.status_code) == ("GET", 401, 2001)
    assert (row.platform, row.request_id, row.request_body) == ("", "", "")
