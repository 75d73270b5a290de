"""The path and query of a request as they were sent, before anybody undid their encoding.

Specification: transport_and_format; an id may contain any printable character, `/` included (A-06).
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote, unquote

from ocpi.errors import NotFound

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SEPARATOR = re.compile(r"[/\\]")
_LEADS_ELSEWHERE = {".", ".."}


class Request(Protocol):
    """What a WSGI server gives of a request."""

    @property
    def META(self) -> Mapping[str, Any]:  # noqa: N802 - Django's name
        """The environment."""

    @property
    def path_info(self) -> str:
        """The path, decoded."""


def raw_path(request: Request) -> str:
    """Return the path as it was sent; the server gives it as `RAW_URI`."""
    raw: str = request.META.get("RAW_URI") or quote(request.path_info, safe="/:@!$&'()*+,;=~")
    return encoded(raw.partition("?")[0])


def raw_query(request: Request) -> str:
    """Return the query string as it was sent."""
    query: str = request.META.get("QUERY_STRING", "")
    return encoded(query)


def segments(raw: str) -> tuple[str, ...]:
    """Split a raw path at its slashes, then undo the percent-encoding of each segment.

    Raises `NotFound` for what no id can be. A segment that climbs out of its endpoint (`..`, also
    encoded) is the dangerous one: passed on, it would call another endpoint with the hub's token.
    """
    return tuple(_segment(part) for part in raw.split("/")) if raw else ()


def _segment(part: str) -> str:
    try:
        text = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise NotFound(f"{part} in the URL is not percent-encoded UTF-8") from None
    if not text:
        raise NotFound("the URL has an empty segment, as in //")
    if _CONTROL.search(text):
        raise NotFound(f"{part} in the URL contains a control character, which no id does")
    if any(piece.partition(";")[0] in _LEADS_ELSEWHERE for piece in _SEPARATOR.split(text)):
        raise NotFound(f"{part} in the URL leads to another place, which no id does")
    return text


def encoded(text: str) -> str:
    """Percent-encode the bytes a URL must not contain, which servers hand over as Latin-1 text."""
    return quote(text, safe=_PRINTABLE, encoding="latin-1")
