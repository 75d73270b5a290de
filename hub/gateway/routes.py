"""The routes a message can take, and whom it can be for.

`hub.gateway.routing` chooses among them.
"""

from dataclasses import dataclass
from enum import StrEnum

from ocpi.errors import OcpiError
from ocpi.types import PartyRef, Role


class Kept(StrEnum):
    """What the hub keeps of a module."""

    FOR_ALL = "for all"
    FOR_ONE = "for one"
    """Personal data: each object for one party."""
    NOTHING = "nothing"
    """Its messages are for one party, now."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A party the hub knows, and whether its platform can be spoken to.

    What is its at this platform the hub files under the name of a `holder`. The sender has to do
    with it in this module when it `is_known`, and may send this message to it when it
    `may_be_called`, however it is connected; it `is_live` while its platform names it and is not
    suspended.
    `endpoint` is the URL of the addressed interface at its platform, None when it offers none;
    `pause` the seconds for which the platform wants to be left alone; `silence` those for which the
    hub spares it and its requesters the wait, because so many messages in a row went `unanswered`.
    An answer of a platform that `is_unseen` lately is a sign of life worth noting. A driver waits
    `authorize_seconds` for it, 0: as long as for any eMSP.
    """

    ref: PartyRef
    role: Role
    platform_id: int
    connected: bool
    status: str
    endpoint: str | None
    pause: int = 0
    silence: int = 0
    unanswered: int = 0
    version: str = ""
    is_behind_hub: bool = False
    is_unseen: bool = False
    authorize_seconds: float = 0
    holder: str = ""
    is_known: bool = True
    may_be_called: bool = True
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Addressee:
    """A party a message turned out to be for: any of it, or what is said of it besides.

    The `holder` under whose name the hub has what the message is about, the platform that was asked
    before, or the `roles` of which it has one.
    """

    ref: PartyRef
    holder: str = ""
    platform_id: int = 0
    roles: frozenset[Role] = frozenset()

    def includes(self, one: Destination) -> bool:
        """Whether this registration of the party is one it may be for."""
        return (
            self.holder in {"", one.holder}
            and self.platform_id in {0, one.platform_id}
            and (not self.roles or one.role in self.roles)
        )


@dataclass(frozen=True, slots=True)
class Direct:
    """Forward to this party now, and bring its answer back."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Store, acknowledge and deliver to every party that may have it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Answer from what the hub keeps."""


@dataclass(frozen=True, slots=True)
class Returned:
    """Pass a result on to who asked for it."""


@dataclass(frozen=True, slots=True)
class Open:
    """Find the receiver from what the message is about."""


@dataclass(frozen=True, slots=True)
class AskAll:
    """Ask everybody it could be for: a driver waits, and nobody here knows the token."""


@dataclass(frozen=True, slots=True)
class Known:
    """Answer this: the hub knows that nobody else does."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer this error; the reason is part of it."""

    error: OcpiError


Decided = Direct | Broadcast | Stored | Returned | AskAll | Known | Refused
Route = Decided | Open
