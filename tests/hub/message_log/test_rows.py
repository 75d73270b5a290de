"""What becomes of one exchange: about what it is, and a row the database can hold."""

import json
from dataclasses import replace

import pytest
from django.conf import LazySettings

from hub.message_log import rows
from hub.message_log.capture import on_asked
from hub.message_log.endpoints import Endpoint, Endpoints
from hub.message_log.entry import Entry, LoggedBody
from hub.message_log.writer import writer
from ocpi.client import CompletedRequest, Peer, Reply
from ocpi.transport.envelope import Envelope

PEER = "https://peer.example.com/ocpi"
SECRET, UID = "a-fresh-credentials-token", "04A1B2C3D4E5F6"
ROUTED = {
    "OCPI-from-country-code": "NL",
    "OCPI-from-party-id": "HUB",
    "OCPI-to-country-code": "DE",
    "OCPI-to-party-id": "MSA",
}


def an_entry(url: str, method: str = "GET", body: bytes = b"", answer: bytes = b"") -> Entry:
    """Return what the hub asked of a peer."""
    return Entry(
        is_inbound=False,
        at=1_800_000_000.0,
        seconds=0.1,
        method=method,
        url=url,
        headers={},
        request=LoggedBody.of(body, 10_000),
        response=LoggedBody.of(answer, 10_000),
    )


def columns_of(entry: Entry, **endpoints: str) -> dict[str, object]:
    """Return the row by its columns; the peer's versions are at the beginning of all its URLs."""
    known = {
        url: [Endpoint(url, "", "P2", "2.2.1", module, "SENDER")]
        for module, url in endpoints.items()
    }
    versions = {PEER: Endpoint(PEER, "", "P2", "2.2.1", "versions")}
    return rows.masked_row(entry, Endpoints(known, versions=versions))._asdict()


def test_versions_are_what_is_read_at_their_own_url() -> None:
    """A platform is known by it."""
    row = columns_of(an_entry(f"{PEER}/"))
    assert (row["module"], row["platform"], row["endpoint"]) == ("versions", "P2", PEER)


def test_a_handshake_below_the_versions_url_hides_both_tokens() -> None:
    """The endpoints of who registers anew are not known, its versions URL still is."""
    body = json.dumps({"token": SECRET}).encode()
    row = columns_of(an_entry(f"{PEER}/2.2.1/credentials", "POST", body, b'{"data":%b}' % body))
    assert row["module"] == "credentials"
    assert SECRET not in str(row)


def test_a_page_below_the_versions_url_hides_who_drives() -> None:
    """A `Link` leads anywhere; what it brings is nobody's versions."""
    page = json.dumps({"data": [{"uid": UID, "contract_id": UID}]}).encode()
    row = columns_of(replace(an_entry(f"{PEER}/pages/abc", answer=page), headers=ROUTED))
    assert row["module"] == ""
    assert UID not in str(row)


@pytest.mark.parametrize("module", ["versions", "tariffs", "hubclientinfo", "locations", ""])
def test_a_token_is_hidden_in_every_module(module: str) -> None:
    """Whoever posts its credentials to the wrong endpoint does not publish them."""
    body = json.dumps({"token": SECRET, "contract_id": UID}).encode()
    row = columns_of(
        an_entry("https://x.example.com/", body=body), **{module: "https://x.example.com"}
    )
    assert row["module"] == module
    assert SECRET not in str(row)
    assert UID not in str(row)


def test_half_a_character_is_replaced() -> None:
    """PostgreSQL's text holds no lone surrogates and no NUL, wherever they come from."""
    body = b'{"uid":"abcdefgh\\ud800","x":"' + b"x" * 20_000
    entry = an_entry("https://x.example.com/\0", body=body)
    row = columns_of(replace(entry, request_id="\udfff"))
    for value in row.values():
        str(value).encode()
        assert "\0" not in str(value)


def test_the_status_of_a_cut_answer_is_known() -> None:
    """It was read before the cut."""
    read = Envelope(2001, "no", None, None)
    row = columns_of(replace(an_entry(f"{PEER}/x", answer=b"{"), envelope=read))
    assert (row["status_code"], row["status_message"]) == (2001, "no")


def test_an_entry_keeps_no_more_of_a_page_than_it_weighs(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    """The buffer's bound is one of memory: what is cut is let go of."""
    kept: list[Entry] = []
    monkeypatch.setattr(writer, "put", kept.append)
    settings.HUB_MESSAGE_LOG_DAYS, settings.HUB_MESSAGE_LOG_BODY_BYTES = 14, 100
    page = json.dumps({"data": ["x" * 5_000_000], "status_code": 1000}).encode()
    on_asked(CompletedRequest("GET", PEER, Peer("t"), {}, None, Reply(200, {}, page, 0.1), 0.1))
    [entry] = kept
    assert entry.envelope == Envelope(1000, None, None, None)
    assert len(entry.response.text) == 100
