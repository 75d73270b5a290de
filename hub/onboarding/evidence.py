"""Evidence of a handshake: the facts that decide the checklist, and the exchanges behind them.

Spec: 2.2.1 credentials (registration).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from hub.models import Exchange, PullState
from ocpi.status_codes import is_success
from parties.models import Credentials
from parties.quirks import Quirks
from parties.registration.discovery import Interface
from parties.registration.invitation import Initiator

VERSIONS, CREDENTIALS = "versions", "credentials"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the checklist is decided from.

    `exchanges` are those of this handshake, newest first. `stranger` is the last call with a token
    that the hub does not know. `listed` are the parties that an operator allows at the platform,
    `active` those that it registered, both written `CPO NL-CPA`. `expected` is what platforms with
    these roles offer. `form` is how the platform sends its token (`TokenForm`, empty until it did),
    `takes_raw` its quirk for one without Base64. `failed` are the last exchanges of any module that
    were not answered with success, newest first. `trouble` is what the hub noted last of why an
    exchange failed, and when.
    """

    starts: Initiator
    now: datetime
    exchanges: Sequence[Exchange] = ()
    token_a: Credentials | None = None
    stranger: Exchange | None = None
    is_registered: bool = False
    listed: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    endpoints: frozenset[Interface] = frozenset()
    expected: frozenset[Interface] = frozenset()
    form: str = ""
    takes_raw: bool = True
    pulls: Sequence[PullState] = ()
    is_pulled: bool = True
    name: str = ""
    quirks: Quirks = field(default_factory=Quirks)
    failed: Sequence[Exchange] = ()
    trouble: str = ""
    trouble_at: datetime | None = None

    def fetched_by_platform(self, *, details: bool) -> Exchange | None:
        """Return the exchange in which the platform fetched the versions, or the details."""
        return self._last_of(
            row
            for row in self.exchanges
            if (row.direction, row.module) == ("in", VERSIONS) and bool(row.version) is details
        )

    def credentials_exchange(self) -> Exchange | None:
        """Return the exchange of credentials that began the registration."""
        direction = "in" if self.starts is Initiator.PLATFORM else "out"
        return self._last_of(
            row for row in with_credentials(self.exchanges) if row.direction == direction
        )

    def fetched_by_hub(self) -> Sequence[Exchange]:
        """Return the hub's own requests in the attempt that counts: versions, then version details.

        That is the attempt that led to the registration, else the last one.
        """
        rows = [row for row in self.exchanges if (row.direction, row.module) == ("out", VERSIONS)]
        last = (self.credentials_exchange() if self.is_registered else None) or next(
            iter(rows), None
        )
        return [row for row in rows if last and row.correlation_id == last.correlation_id][::-1]

    def _last_of(self, rows: Iterable[Exchange]) -> Exchange | None:
        """Return the last exchange; of a registered platform the last that succeeded."""
        return next((row for row in rows if is_good(row) or not self.is_registered), None)


def is_good(row: Exchange) -> bool:
    """Return whether it was answered with success."""
    return row.status_code is not None and is_success(row.status_code)


def with_credentials(rows: Iterable[Exchange]) -> Iterable[Exchange]:
    """Keep the exchanges in which one side sent its credentials."""
    return (row for row in rows if row.module == CREDENTIALS and row.method in {"POST", "PUT"})


class _Role(msgspec.Struct):
    role: str
    country_code: str
    party_id: str


class _Credentials(msgspec.Struct):
    roles: list[_Role]


class _Answer(msgspec.Struct):
    data: _Credentials


def claimed_parties(offer: Exchange) -> frozenset[str]:
    """Return the parties in a platform's credentials, if the log has the body."""
    with suppress(msgspec.DecodeError):
        if offer.direction == "in":
            named = msgspec.json.decode(offer.request_body, type=_Credentials)
        else:
            named = msgspec.json.decode(offer.response_body, type=_Answer).data
        return frozenset(
            f"{each.role} {each.country_code}-{each.party_id}".upper() for each in named.roles
        )
    return frozenset()
