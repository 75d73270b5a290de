"""Answers that are nearly envelopes: what other software makes of the response format, repaired.

Specification: transport_and_format, Response format. Each is seen in the field. What is repaired is
told in the envelope, for operators. An answer that says neither that it is a success, nor why not,
is no envelope; nor is one that names an error.
"""

import codecs
import re
from dataclasses import replace
from typing import Any, Final

import msgspec

from ocpi.transport import envelope
from ocpi.transport.envelope import Envelope, Oddity

_SUCCESS: Final = 1000
_HTTP_SUCCESS: Final = range(200, 300)
_SUCCESS_WORDS: Final = frozenset({"success", "successful", "ok", "done"})
_LONGEST_CODE: Final = 9
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_CHARSETS: Final = {
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""Python's names of those that are read: it looks for any other on the disk, and remembers it."""

_MEMBERS: Final = ("status_code", "status_message", "data", "timestamp")
_NULL: Final = msgspec.Raw(b"null")
_FALSE: Final = frozenset({b"null", b"false", b"[]", b"{}", b'""', b"0"})


def _spellings(name: str) -> list[str]:
    """Return how else other software writes a member's name: `StatusCode` and so on."""
    words = name.split("_")
    titles = [word.title() for word in words]
    pascal = "".join(titles)
    found = (
        name,
        pascal,
        pascal[0].lower() + pascal[1:],
        "_".join(titles),
        name.upper(),
        "-".join(words),
        "".join(words),
        f"{words[0].title()}_{'_'.join(words[1:])}",
    )
    return list(dict.fromkeys(found))


_SPELLED: Final = [(name, each) for name in _MEMBERS for each in _spellings(name)]
_IS_SUCCESS: Final = "is_success"
_FAILURES: Final = ("error", "errors", "detail")
_FIELDS: Final[list[tuple[str, type, Any]]] = [
    *(
        (f"m{n}", msgspec.Raw, msgspec.field(name=spelled, default=_NULL))
        for n, (_, spelled) in enumerate(_SPELLED)
    ),
    *(
        (f"f{n}", msgspec.Raw, msgspec.field(name=name, default=_NULL))
        for n, name in enumerate(_FAILURES)
    ),
    (_IS_SUCCESS, msgspec.Raw, msgspec.field(name="success", default=msgspec.Raw(b"true"))),
]
# A structure skips all other members without making objects of them, however many there are.
_ANY_SPELLING: Final = msgspec.json.Decoder(msgspec.defstruct("_AnySpelling", _FIELDS))
_VALID: Final = msgspec.json.Decoder(msgspec.Raw)


def read(body: bytes, *, http_status: int, content_type: str) -> Envelope | None:
    """Read an answer that is no envelope as it came; None if it is not nearly one either."""
    text, oddity = _in_utf8(body, content_type)
    found = envelope.read(text) if oddity else None
    try:
        found = found or _respelled(text, is_success=http_status in _HTTP_SUCCESS)
    except (ValueError, RecursionError):
        return None
    if found is None:
        return None
    oddities = (oddity, *found.oddities) if oddity else found.oddities
    return replace(found, oddities=oddities, is_repaired=True)


def is_in_utf8(body: bytes, content_type: str) -> bool:
    """Whether a body is in UTF-8: not if it says otherwise, and is otherwise."""
    return "charset" not in content_type.lower() or _in_utf8(body, content_type)[1] is None


def _in_utf8(body: bytes, content_type: str) -> tuple[bytes, Oddity | None]:
    """Return a body in UTF-8 without a byte order mark, and what was odd about it."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            text = body[len(mark) :]
            return _recoded(text, charset) or text, Oddity.BYTE_ORDER_MARK
    named = _CHARSET.search(content_type)
    charset = _CHARSETS.get(named[1].lower(), "") if named else ""
    if charset and _recoded(body, "utf-8") is None:
        return _recoded(body, charset) or body, Oddity.CHARSET
    return body, None


def _recoded(body: bytes, charset: str) -> bytes | None:
    try:
        return body.decode(charset).encode()
    except UnicodeError:
        return None


def _respelled(text: bytes, *, is_success: bool) -> Envelope | None:
    """Read what has the members of an envelope in some spelling, or some of them."""
    if text.lstrip()[:1] == b"[":
        if not is_success:
            return None
        _VALID.decode(text)
        return Envelope(_SUCCESS, None, text.strip(), None, (Oddity.BARE_LIST,))
    read = _ANY_SPELLING.decode(text)
    members, is_respelled = _members(read)
    code, oddity = _code(bytes(members["status_code"]), is_success=is_success)
    if code is None or (oddity is not None and _names_failure(read)):
        return None
    if oddity is Oddity.NO_CODE and bytes(members["data"])[:1] not in {b"[", b"{"}:
        return None
    rest = b"".join(
        b',"%b":%b' % (name.encode(), members[name]) for name in _MEMBERS if name != "status_code"
    )
    found = envelope.read(b'{"status_code":%d%b}' % (code, rest))
    if found is None:
        return None
    spelling = (Oddity.SPELLING,) if is_respelled else ()
    return replace(found, oddities=(*spelling, *((oddity,) if oddity else ()), *found.oddities))


def _names_failure(read: msgspec.Struct) -> bool:
    """Whether members that OCPI does not know say that an answer is no success."""
    named = any(bytes(getattr(read, f"f{n}")) not in _FALSE for n in range(len(_FAILURES)))
    return named or bytes(getattr(read, _IS_SUCCESS)) in _FALSE


def _members(read: msgspec.Struct) -> tuple[dict[str, msgspec.Raw], bool]:
    """Return the members of an envelope, and whether one is not spelled as specified."""
    members, is_respelled = dict.fromkeys(_MEMBERS, _NULL), False
    for number, (name, spelled) in enumerate(_SPELLED):
        value = getattr(read, f"m{number}")
        if bytes(value) != b"null" and bytes(members[name]) == b"null":
            members[name] = value
            is_respelled |= spelled != name
    return members, is_respelled


def _code(raw: bytes, *, is_success: bool) -> tuple[int | None, Oddity | None]:
    """Return the status code that is meant, and what is odd about it; None if nobody knows."""
    text = raw.decode().strip('" \t').removesuffix(".0").lower()
    if text.isdecimal() and len(text) <= _LONGEST_CODE:
        is_http = int(text) in _HTTP_SUCCESS and is_success
        return (_SUCCESS, Oddity.CODE_OF_HTTP) if is_http else (int(text), None)
    oddity = Oddity.NO_CODE if raw == b"null" else Oddity.CODE_IS_A_WORD
    is_known = raw == b"null" or text in _SUCCESS_WORDS
    return (_SUCCESS if is_known and is_success else None), oddity
