"""What the hub reads out of a reply."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from multidict import CIMultiDict

from ocpi.client import Reply


def _reply(body: bytes = b"", status: int = 200, **headers: str) -> Reply:
    spelled = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Reply(status, spelled, body, 0.1)


@pytest.mark.parametrize(
    "status, body, ok",
    [
        (200, b'{"status_code":1000}', True),
        (201, b'{"status_code":1999}', True),
        (200, b'{"status_code":"1000"}', True),
        (200, b'{"status_code":2001}', False),
        (200, b'{"status_code":3000}', False),
        (200, b"{}", False),
        (200, b"", False),
        (404, b'{"status_code":1000}', False),
        (500, b"<html>", False),
    ],
)
def test_ok_needs_both_layers(status: int, body: bytes, ok: bool) -> None:  # noqa: FBT001
    """HTTP 2xx and an OCPI 1xxx, nothing less."""
    assert _reply(body, status).ok is ok


@pytest.mark.conformance("ST-16")
@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_status_code_is_read_whatever_the_http_status(status: int) -> None:
    """The body decides; the HTTP status is asked only where there is no envelope."""
    assert _reply(b'{"status_code":2003}', status).status_code == 2003
    assert _reply(b"oops", status).status_code is None


def test_envelope_is_read_once() -> None:
    """Asking twice gives the same envelope."""
    reply = _reply(b'{"status_code":1000,"data":{"a":1}}')

    assert reply.envelope is reply.envelope
    assert reply.envelope is not None
    assert reply.envelope.data == b'{"a":1}'


def test_body_stays_out_of_the_repr() -> None:
    """Logs hold no personal data by accident."""
    assert "secret" not in repr(_reply(b"secret"))


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
        ("9" * 400, None),
        ("Sun, 06 Nov 1994 08:49:37 +99999999999999", None),
        ("Sun, 06 Nov 1994 08:49:37 +9999", None),
        ("Sun, 06 Nov 99999999999 08:49:37 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
    ],
)
def test_retry_after_is_read(value: str, seconds: float | None) -> None:
    """Seconds or a date; a date in the past is now, anything else is nothing."""
    assert _reply(status=429, retry_after=value).retry_after == seconds


def test_retry_after_as_a_date_counts_from_now() -> None:
    """An HTTP-date says when, not how long."""
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    assert _reply(retry_after=moment).retry_after == pytest.approx(60, abs=2)


def test_no_retry_after_is_none() -> None:
    """Without the header there is no wish."""
    assert _reply().retry_after is None
