"""What a peer answered: HTTP status, headers, bytes and the OCPI envelope inside.

Specification: transport_and_format, Response format; status_codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from ocpi.client import own_words
from ocpi.status_codes import is_success
from ocpi.transport import near_envelope
from ocpi.transport.envelope import Envelope, Oddity, read

_SUCCESSFUL: Final = 2
"""The first digit of an HTTP success."""

_MOST_DIGITS: Final = 9
"""Of the seconds in `Retry-After`: thirty years are more than anybody waits."""

TOKEN_REFUSED: Final = frozenset({401, 403})
"""How a peer refuses the token it is called with."""

_TOO_MANY: Final = 429


class _Unread:
    """The envelope before anybody asked for it."""


_UNREAD: Final = _Unread()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that arrived whole, whatever it says."""

    http_status: int
    headers: Mapping[str, str]
    """Case-insensitive, as received."""

    body: bytes = field(repr=False)
    """As received; decompressed if the peer compressed although asked not to."""

    elapsed: float
    """Seconds from the call to the last byte."""

    authorization: str = field(default="", repr=False, compare=False)
    """The header it was asked with: the token in it is masked in what the peer says."""

    _envelope: Envelope | _Unread | None = field(
        default=_UNREAD, init=False, repr=False, compare=False
    )

    @property
    def envelope(self) -> Envelope | None:
        """The OCPI envelope of the body, read when first asked for; None when there is none.

        What is nearly one is repaired: `transport.near_envelope`.
        """
        known = self._envelope
        if isinstance(known, _Unread):
            known = self._read()
            object.__setattr__(self, "_envelope", known)
        return known

    def _read(self) -> Envelope | None:
        found, content_type = read(self.body), self.headers.get("Content-Type", "")
        # Some send the status of HTTP as that of OCPI.
        is_plain = found is not None and found.status_code != self.http_status
        if not self.body or (is_plain and near_envelope.is_in_utf8(self.body, content_type)):
            return found
        near = near_envelope.read(
            self.body, http_status=self.http_status, content_type=content_type
        )
        return near or found

    @property
    def words(self) -> str:
        """The peer's own words about it, fit to show (`own_words`); empty when it has none."""
        return own_words.read(self.body, self.envelope, authorization=self.authorization)

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """What is not as specified about its envelope; nothing where there is none."""
        found = self.envelope
        if found is None:
            return ()
        return found.oddities if self._is_json() else (*found.oddities, Oddity.CONTENT_TYPE)

    def _is_json(self) -> bool:
        media = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return media == "application/json" or media.endswith("+json")

    @property
    def status_code(self) -> int | None:
        """The OCPI status code, whatever the HTTP status; None without an envelope."""
        return self.envelope.status_code if self.envelope else None

    @property
    def ok(self) -> bool:
        """Whether both layers say so: HTTP 2xx and an OCPI 1xxx."""
        code = self.status_code
        return self.http_status // 100 == _SUCCESSFUL and code is not None and is_success(code)

    @property
    def refuses_token(self) -> bool:
        """Whether the peer refuses the token it was called with."""
        return self.http_status in TOKEN_REFUSED

    @property
    def is_throttled(self) -> bool:
        """Whether the peer asks to be left alone for a while."""
        return self.http_status == _TOO_MANY

    @property
    def retry_after(self) -> float | None:
        """Seconds the peer asks to be left alone, from either form of `Retry-After`."""
        value = self.headers.get("Retry-After", "").strip()
        if not value:
            return None
        if value.isascii() and value.isdigit():
            return float(value) if len(value) <= _MOST_DIGITS else None
        moment = _http_date(value)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else None


def _http_date(value: str) -> datetime | None:
    """Read an HTTP-date, UTC if it has no zone; None for what is no date, or out of range."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
