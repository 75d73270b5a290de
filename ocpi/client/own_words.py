"""A peer's own words: what an answer says about why, fit to show.

Specification: transport_and_format, Response format (status_message). Other software says it in
`data.errors`, as FastAPI and Django do in `detail`, as RFC 9457 does in `title`, in the title or
heading of a page, or as plain text. What a message quotes of its request beside it (`input`) is
left out.
"""

import base64
import html
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

import msgspec

from ocpi.transport.envelope import Envelope
from ocpi.types import one_line

LONGEST: Final = 200
"""Characters."""
_MOST_READ: Final = 65_536
"""Bytes of an answer that are looked at."""
_MOST_SAID: Final = 20
_DEEPEST: Final = 6
_TITLE: Final = re.compile(r"<(?:title|h1)\b[^>]{0,200}>([^<]{1,1000})", re.IGNORECASE)
_TOKEN: Final = re.compile(
    r"\b(authorization[\"']?\s*[:=]\s*[\"']?\w+|bearer)(\s+)([\w.~+/=-]{8,})",
    re.IGNORECASE,
)
_SHORTEST_SECRET: Final = 4
_MASK: Final = "[token]"
_SAYING: Final = (
    "status_message",
    "message",
    "msg",
    "text",
    "detail",
    "title",
    "error_description",
    "error",
    "errors",
    "reason",
    "description",
)
"""Members that say something, the first ones first."""
_NOTHING: Final = frozenset({"{}", "[]", "null", '""'})
_PLACE: Final = ("loc", "path", "field", "property", "propertyName")
_ROOTS: Final = frozenset({"body", "query", "path", "header"})
"""Where FastAPI's places begin."""


def read(body: bytes, envelope: Envelope | None, *, authorization: str = "") -> str:
    """Return an answer's words in one line of `LONGEST` characters; empty when it has none.

    The token in the `authorization` it was asked with is masked, in Base64 and without.
    """
    said = _of_envelope(envelope) if envelope is not None else _of_body(body[:_MOST_READ])
    text = "; ".join(dict.fromkeys(filter(None, said)))
    for secret in _secrets(authorization):
        text = text.replace(secret, _MASK)
    text = _TOKEN.sub(rf"\1\2{_MASK}", one_line(text, longest=4 * LONGEST))
    return text[:LONGEST].strip()


def _of_envelope(envelope: Envelope) -> list[str]:
    message, data = envelope.status_message or "", envelope.data
    if data is None or data[:1] not in {b"{", b'"'} or len(data) > _MOST_READ:
        return [message]
    return [message, *_spoken(data)]


def _of_body(body: bytes) -> list[str]:
    spoken = _spoken(body)
    if spoken:
        return spoken
    text = body.decode(errors="replace").lstrip("\ufeff").strip()
    if text in _NOTHING:
        return []
    page = _TITLE.search(text)
    if page is None and text.startswith("<"):
        return []  # markup says nothing to anybody
    return [" ".join((html.unescape(page[1]) if page else text[: 4 * LONGEST]).split())]


def _spoken(text: bytes) -> list[str]:
    """Return what JSON says in the members that say something."""
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return []
    said: list[str] = []
    for each in _said(value, _DEEPEST):
        said.append(each)
        if len(said) == _MOST_SAID:
            break
    return said


def _said(value: object, depth: int) -> Iterator[str]:
    if not depth:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value[:_MOST_SAID]:
            yield from _said(each, depth - 1)
    elif isinstance(value, dict):
        yield from _said_in(value, depth)


def _said_in(members: dict[str, object], depth: int) -> Iterator[str]:
    """Say what an object says: in the members that are for it, else in each by its name."""
    place = _place(members)
    known = [members[name] for name in _SAYING if members.get(name)]
    for value in known:
        for each in _said(value, depth - 1):
            yield f"{place}: {each}" if place else each
    if not known and depth < _DEEPEST:
        for name, value in list(members.items())[:_MOST_SAID]:
            for each in _said(value, depth - 1):
                yield f"{name}: {each}"


def _place(members: dict[str, object]) -> str:
    """Return what a mistake is about, as `evses.0.uid`."""
    found = next((members[name] for name in _PLACE if members.get(name)), "")
    steps = found if isinstance(found, list) else [found]
    if len(steps) > 1 and steps[0] in _ROOTS:
        steps = steps[1:]
    return ".".join(str(step) for step in steps if isinstance(step, str | int))


def _secrets(authorization: str) -> Iterable[str]:
    """Return a token as it was sent, and what it is without Base64; the longest first."""
    sent = authorization.partition(" ")[2].strip()
    found = {sent}
    with suppress(ValueError):
        found.add(base64.b64decode(sent + "==").decode())
    return sorted((each for each in found if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)
