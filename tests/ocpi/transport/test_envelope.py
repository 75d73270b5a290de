"""The response envelope, written canonically and read leniently."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.transport import envelope
from ocpi.transport.envelope import Envelope
from ocpi.types import parse_datetime


def test_the_members_stand_in_order() -> None:
    """Data, status code, message and timestamp, in this order."""
    written = json.loads(envelope.render(status_code=2001, data=b"[]", message="why"))

    assert list(written) == ["data", "status_code", "status_message", "timestamp"]


def test_what_is_not_given_is_left_out() -> None:
    """Neither data nor message is sent as null."""
    assert list(json.loads(envelope.render())) == ["status_code", "timestamp"]


def test_data_is_put_in_as_it_is() -> None:
    """The bytes of an object survive: spacing, number lexemes, key order."""
    data = b'{"b" : 1.10000,  "a":"\\u00e9"}'

    assert b'{"data":' + data + b',"status_code":1000,' in envelope.render(data=data)


def test_the_timestamp_is_now() -> None:
    """The envelope says when it was made, in UTC."""
    moment = parse_datetime(json.loads(envelope.render())["timestamp"])

    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=5)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cn", "Zl", "Zp"])),
    st.sampled_from([1000, 2001, 4003]),
)
def test_an_envelope_is_read_as_it_was_written(message: str, status_code: int) -> None:
    """Reading gives back code, message and data."""
    read = envelope.read(envelope.render(status_code=status_code, data=b"[1]", message=message))

    assert read is not None
    assert (read.status_code, read.status_message, read.data) == (status_code, message, b"[1]")


def test_the_end_of_what_was_written_has_its_status() -> None:
    """However long the data is, only the end is read; anything else has no such end."""
    written = envelope.render(status_code=1000, data=b"[%b]" % (b"x" * 1000))
    found = envelope.read_end(written)
    assert found is not None
    assert (found.status_code, found.data) == (1000, None)
    for other in (b"", b"{}", written[:-1], b"x" + envelope.render(data=b"1", message="why")):
        assert envelope.read_end(other) is None


def test_a_message_is_read_as_one_bearable_line() -> None:
    """Whatever a peer writes there can be shown and stored."""
    read = envelope.read(
        b'{"status_code":2000,"status_message":"a\\u0000b\\r\\n' + b"x" * 9999 + b'"}'
    )

    assert read is not None
    assert read.status_message is not None
    assert read.status_message.startswith("a b  xxx")
    assert len(read.status_message) == 2000


@pytest.mark.parametrize(
    "body, expected",
    [
        (b'{"status_code":"1000"}', Envelope(1000, None, None, None)),
        (b'{"status_code":1000.0,"data":null}', Envelope(1000, None, None, None)),
        (
            b'{"status_code":2001,"status_message":{"a":1},"timestamp":7,"data":{}}',
            Envelope(2001, None, b"{}", None),
        ),
        (
            b'{"data": [ 1 , {"x":"y"} ],"status_code":1000,"timestamp":"soon","more":[]}',
            Envelope(1000, None, b'[ 1 , {"x":"y"} ]', "soon"),
        ),
    ],
)
def test_sloppy_envelopes_are_read(body: bytes, expected: Envelope) -> None:
    """A code in quotes, missing members and members of odd types are tolerated."""
    assert expected == envelope.read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"[]",
        b"null",
        b'{"detail":"Not found"}',
        b'{"status_code":null}',
        b'{"status_code":true}',
        b'{"status_code":"ok"}',
        b'{"status_code":1000',
        b'{"status_code":1000,"status_message":"\xff"}',
        b'{"\xff":1}',
        b'{"status_code":1000,"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_garbage_is_no_envelope(body: bytes) -> None:
    """A proxy's error page or another API's answer is simply not an envelope."""
    assert envelope.read(body) is None


@given(st.binary())
def test_reading_never_fails(body: bytes) -> None:
    """Whatever a peer answers, reading it does not raise."""
    read = envelope.read(body)

    assert read is None or isinstance(read, Envelope)
