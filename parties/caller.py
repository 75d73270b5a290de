"""The caller of a request: what every view knows about the platform behind it.

Spec: 2.2.1 transport and format, Authorization header.
"""

from dataclasses import dataclass, field

from ocpi.types import PartyRef, Role
from parties.connection_status import ConnectionStatus
from parties.epoch import Epoch
from parties.quirks import Quirks


@dataclass(frozen=True, slots=True)
class CallerParty:
    """One active party of the calling platform."""

    role: Role
    ref: PartyRef
    id: int
    holder: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The platform a token belongs to, with its active parties."""

    platform_id: int
    name: str
    status: ConnectionStatus
    version: str
    parties: tuple[CallerParty, ...]
    token_kind: str
    credentials_id: int
    token_last_four: str
    quirks: Quirks
    presented_token: str = field(repr=False)
    provisional: bool = False
    is_repeating: bool = False
    """Its token was replaced by one that may not have arrived: it may ask once more (A-79)."""
    epoch: Epoch | None = field(default=None, compare=False)
    """In which it called: what is remembered of it is good for this request."""
    is_authenticated: bool = field(default=True, init=False, repr=False)
    """As Django's users have it: views find a caller in `request.user`."""

    @property
    def refs(self) -> frozenset[PartyRef]:
        """The parties without their roles, as FROM headers name them."""
        return frozenset(party.ref for party in self.parties)

    def __str__(self) -> str:
        return self.name
