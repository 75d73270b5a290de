"""No message can keep itself out of the log, whatever it consists of."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from time import thread_time

import pytest

from hub.message_log import rows
from hub.message_log.endpoints import Endpoints
from hub.message_log.entry import Entry, LoggedBody
from hub.message_log.writer import LogWriter
from hub.models import Exchange
from ocpi.types import PartyRef
from sandbox import SandboxPlatform
from tests.cast import CPA, MSA
from tests.hub.message_log.conftest import Logged

LONG = "x" * 5_000
BODIES = (
    b"[" * 100_000,
    b'{"id":' * 3_000 + b"1" + b"}" * 3_000,
    b'{"id":' + b"[" * 990 + b"]" * 990 + b"}",
    b"\xff\xfe\x00",
    b'{"id":"\xff"}',
    b'{"id":"\x00\\u0000\\ud800"}',
    b'{"id":%b}' % (b"9" * 6_000),
    b'{"id":1e999,"uid":"\\',
    b'{"token":{"uid":"\\udc00"},"status_code":' + b"9" * 40 + b"}",
    b'{"status_code":99999999999}',
    json.dumps({"id": LONG, LONG: LONG, "uid": [LONG]}).encode(),
    b'"' * 3_001,
    b"\\" * 3_001,
)
OF_NO_CODE = 3
"""Exchanges that no code makes have a row without texts; all others are masked."""
URLS = (
    "/ocpi/2.2.1/receiver/cdrs",
    "/ocpi/2.2.1/receiver/tokens/%/%zz/%ff/%00/%u1234",
    "/ocpi/2.2.1/receiver/locations/NL/CPA/\udc80/\x00",
    f"/ocpi/9.9/{LONG}?{LONG}",
    "/" * 3_000,
    "http://[::1/ocpi",
    f"https://{LONG}.example/ocpi",
    "https://peer.example:port/?" + "%" * 3_000,
    "",
)
METHODS = ("POST", "G\x00T\n" * 100, "")


def entries() -> Iterator[Entry]:
    """Make one of everything, one thing odd at a time, in both directions."""
    usual = Entry(
        is_inbound=True,
        at=1_800_000_000.0,
        seconds=0.1,
        method="POST",
        url=URLS[0],
        headers={},
        request=LoggedBody.of(b"{}", 1),
        response=LoggedBody.of(b"{}", 1),
        platform="P",
    )
    odd = [replace(usual, url=url) for url in URLS]
    odd += [replace(usual, method=method) for method in METHODS]
    odd += [
        replace(usual, request=LoggedBody.of(b, most)) for b, most in product(BODIES, (10**6, 999))
    ]
    odd += [replace(usual, response=LoggedBody.of(body, 10**6)) for body in BODIES]
    odd += [
        replace(usual, platform=LONG),
        replace(usual, secrets=("\ud800",), error="\ud800" + LONG),
    ]
    odd += [replace(usual, request_id=LONG * 9, correlation_id="\x00" + LONG * 9)]
    odd += [replace(usual, headers={"X-Request-ID": LONG, "OCPI-to-party-id": "\ud800"})]
    odd += [replace(usual, sender=PartyRef("NL", "NO-PARTY"))]
    odd += [replace(usual, route="no route at all")]  # type: ignore[arg-type]  # what no code does
    odd += [replace(usual, secrets=(7,), platform=LONG, method=LONG, request_id=LONG)]  # type: ignore[arg-type]  # the same
    for entry in odd:
        yield from (entry, replace(entry, is_inbound=False))


@pytest.mark.security("S-19")
@pytest.mark.django_db(transaction=True)
def test_every_exchange_has_a_row(settings: object) -> None:
    """Broken in any way it is written: masked, or with a sentence in place of its texts."""
    made, writer = list(entries()), LogWriter()
    for entry in made:
        writer._buffer.put(entry, max_bytes=10**9)

    assert writer.flush()

    writer._disconnect()
    assert Exchange.objects.count() == len(made)
    kept = Exchange.objects.exclude(path=rows.NOT_MASKED).count()
    assert kept == len(made) - 2 * OF_NO_CODE


@pytest.mark.security("S-19")
def test_what_cannot_be_masked_is_certain_at_least() -> None:
    """Who, when and how it ended is known without reading what was sent."""
    entry = replace(next(entries()), platform="P", request_id="r-1", http_status=400)
    row = rows.textless_row(entry)._asdict()
    names = ("direction", "platform", "method", "http_status", "request_id", "request_body")
    assert [row[name] for name in names] == ["in", "P", "POST", 400, "r-1", rows.NOT_MASKED]
    assert "{}" not in row.values()


@pytest.mark.security("S-19")
def test_a_refused_message_is_in_the_log(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged
) -> None:
    """What is nested too deeply for anybody is refused, and the log says so."""
    cpo, _ = pair
    for body in BODIES[:5]:
        answer = cpo.hub.post("cdrs", "RECEIVER", "", body, to=MSA, sender=CPA)
        assert answer.http_status == 400
    assert [row.http_status for row in logged() if row.module == "cdrs"] == [400] * 5


@pytest.mark.security("S-01")
def test_an_endpoint_is_found_however_many_steps_a_url_has() -> None:
    """Each prefix of a URL is not tried."""
    place = next(iter(URLS))
    known = Endpoints(
        {"https://p/ocpi/cdrs": [replace(Endpoints().of_peer("", method="GET", receiver=""))]}
    )
    for url in ("https://p/ocpi/cdrs/1/2?x", "https://p/ocpi/cdrs", "https://p/ocpi/cdrs//"):
        assert known._endpoint(url) == "https://p/ocpi/cdrs"
    started = thread_time()
    for url in ("https://p/ocpi/cdrsx", "https://p/ocpi", place, "/x" * 100_000):
        assert known._endpoint(url) == ""
    assert thread_time() - started < 1
