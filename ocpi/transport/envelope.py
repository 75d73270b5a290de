"""The envelope every OCPI response travels in.

Specification: transport_and_format (response format).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from ocpi.types import DATETIME_PATTERN, format_datetime, one_line

_CODE = re.compile("[0-9]{4}")
_LONGEST_MESSAGE = 2000
_LONGEST_CODE = 32
"""Bytes of a status code as JSON: room for every spelling of a number worth reading."""
_NULL = msgspec.Raw(b"null")
_END = re.compile(rb',"status_code":([0-9]{4}),"timestamp":"([^"]{20})"}\Z')
_LONGEST_END = 64
_TIMESTAMP = re.compile(DATETIME_PATTERN, re.ASCII)


class Oddity(StrEnum):
    """What is not as specified about an envelope that is understood all the same.

    The first ones are read over; those of `near_envelope` are repaired: nobody else could read
    such an answer as an envelope.
    """

    NO_TIMESTAMP = "no timestamp"
    TIMESTAMP = "timestamp in another form"
    CODE_IS_NO_NUMBER = "status_code that is no number"
    CONTENT_TYPE = "Content-Type other than JSON"
    BYTE_ORDER_MARK = "byte order mark"
    CHARSET = "not in UTF-8"
    SPELLING = "members in another spelling"
    CODE_IS_A_WORD = "status_code that is a word"
    CODE_OF_HTTP = "status_code of HTTP"
    NO_CODE = "data without status_code"
    BARE_LIST = "list without an envelope"
    NO_LIST = "data that is no list"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A response as it was read; `data` is the untouched JSON, None when absent or null.

    One that `is_repaired` was none in the bytes that came.
    """

    status_code: int
    status_message: str | None
    data: bytes | None
    timestamp: str | None
    oddities: tuple[Oddity, ...] = field(default=(), compare=False)
    is_repaired: bool = field(default=False, compare=False)


class _Members(msgspec.Struct):
    """What counts of a response; anything else is passed over without becoming an object."""

    status_code: msgspec.Raw = _NULL
    status_message: msgspec.Raw = _NULL
    data: msgspec.Raw = _NULL
    timestamp: msgspec.Raw = _NULL


_MEMBERS = msgspec.json.Decoder(_Members)


def render(
    *, status_code: int = 1000, data: bytes | None = None, message: str | None = None
) -> bytes:
    """Write a response around data that is JSON already: it is put in as it is."""
    return b"".join(
        (
            b"{" if data is None else b'{"data":%b,' % data,
            b'"status_code":%d' % status_code,
            b"" if message is None else b',"status_message":%b' % msgspec.json.encode(message),
            b',"timestamp":"%b"}' % _now(),
        )
    )


def read(body: bytes) -> Envelope | None:
    """Read a response however sloppy; None when it is no envelope at all.

    The status code may be a string; timestamp, message and data may be missing or of any type. The
    message is made fit to show: one line of at most 2000 characters.
    """
    try:
        members = _MEMBERS.decode(body)
        status_code = _code(members.status_code)
        message, timestamp = _text(members.status_message), _text(members.timestamp)
    except (ValueError, RecursionError):
        return None
    if status_code is None:
        return None
    data = bytes(members.data)
    return Envelope(
        status_code,
        message,
        None if data == b"null" else data,
        timestamp,
        (*_of_code(members.status_code), *oddities_of_timestamp(timestamp)),
    )


def read_end(body: bytes) -> Envelope | None:
    """Read the status at the end of what `render` made, without its data; None of anything else."""
    found = _END.search(body, max(0, len(body) - _LONGEST_END))
    return Envelope(int(found[1]), None, None, found[2].decode()) if found else None


def oddities_of_timestamp(timestamp: str | None) -> tuple[Oddity, ...]:
    """Return what is odd about when an envelope was made."""
    if timestamp is None:
        return (Oddity.NO_TIMESTAMP,)
    # RFC 3339 allows small letters, OCPI does not.
    is_specified = _TIMESTAMP.fullmatch(timestamp) and timestamp.isupper()
    return () if is_specified else (Oddity.TIMESTAMP,)


def wraps_object(value: object) -> bool:
    """Whether a decoded body looks like a response around an object."""
    return (
        isinstance(value, dict) and "status_code" in value and isinstance(value.get("data"), dict)
    )


def _now() -> bytes:
    return format_datetime(datetime.now(UTC).replace(microsecond=0)).encode("ascii")


def _code(member: msgspec.Raw) -> int | None:
    if len(bytes(member)) > _LONGEST_CODE:
        return None
    value = msgspec.json.decode(member)
    if isinstance(value, str) and _CODE.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _of_code(member: msgspec.Raw) -> tuple[Oddity, ...]:
    return (Oddity.CODE_IS_NO_NUMBER,) if bytes(member).startswith(b'"') else ()


def _text(member: msgspec.Raw) -> str | None:
    if not bytes(member).startswith(b'"'):
        return None
    return one_line(msgspec.json.decode(member), longest=_LONGEST_MESSAGE)
