"""Lists in pages: what a client asks for, and the Link that leads to the next page.

Specification: transport_and_format (pagination).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode, urljoin

from ocpi.errors import Finding, InvalidParameters
from ocpi.types import format_datetime, parse_datetime

_NUMBER = re.compile("[0-9]{1,18}")
_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^";,\s]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The part of a list that is asked for; `cursor`, of the server's own making, says where."""

    date_from: datetime | None = None
    date_to: datetime | None = None
    offset: int = 0
    limit: int | None = None
    cursor: str | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Read the query parameters; each malformed one is named, an empty one counts as absent."""
        values: dict[str, Any] = {}
        findings = []
        for name, read in _READERS.items():
            text = query.get(name, "").strip()
            try:
                values |= {name: read(text)} if text else {}
            except ValueError as wrong:
                findings.append(Finding(name, str(wrong)))
        if findings:
            raise InvalidParameters(findings=findings)
        return cls(**values)

    def as_query(self) -> str:
        """Write the parameters that are set, ready to follow the question mark of a URL."""
        parameters = {
            "date_from": self.date_from and format_datetime(self.date_from),
            "date_to": self.date_to and format_datetime(self.date_to),
            "offset": self.offset or None,
            "limit": self.limit,
            "cursor": self.cursor,
        }
        return urlencode({name: value for name, value in parameters.items() if value is not None})


def next_link(url: str) -> str:
    """Write the Link header that leads to the next page, whose URL carries filters and position."""
    return f'<{url}>; rel="next"'


def read_link(header: str | None, *, base_url: str) -> str | None:
    """Find the URL of the next page in a Link header, made absolute; None on the last page."""
    for target, parameters in _LINK.findall(header or ""):
        rel = _REL.search(parameters)
        if target.strip() and rel and "next" in (rel[1] or rel[2] or "").lower().split():
            return _absolute(target.strip(), base_url)
    return None


def _absolute(target: str, base_url: str) -> str | None:
    try:
        return urljoin(base_url, target)
    except ValueError:  # a host that cannot be one, such as "[::"
        return None


def _instant(text: str) -> datetime:
    # An unencoded "+" of "+01:00" arrives as a space.
    return parse_datetime(text.replace(" ", "+"))


def _count(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"must be a whole number from 0, not {text!r:.80}")
    return int(text)


def _page_size(text: str) -> int:
    size = _count(text)
    if size == 0:
        raise ValueError("must be at least 1")
    return size


_READERS: Mapping[str, Callable[[str], object]] = {
    "date_from": _instant,
    "date_to": _instant,
    "offset": _count,
    "limit": _page_size,
    "cursor": str,
}
