"""The routes a message can take, and the parties it can be for.

`hub.gateway.routing` chooses among them.
"""

from dataclasses import dataclass
from enum import StrEnum

from ocpi.errors import OcpiError
from ocpi.types import PartyRef, Role


class Kept(StrEnum):
    """What the hub keeps of a resource's objects."""

    FOR_ALL = "for all"
    FOR_ONE = "for one"
    """Personal data: each object for one party."""
    NOTHING = "nothing"
    """Messages are forwarded to one party at once."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A party in one role at its platform, and whether it can be reached there.

    endpoint           the URL of the addressed interface, None when the platform offers none
    pause_seconds      for so long the platform asked for no messages (HTTP 429)
    circuit_seconds    for so long its circuit is open
    unanswered         how many messages in a row it did not answer
    is_unseen          it did not call or answer lately, so that its next answer is to be noted
    authorize_seconds  how long a driver waits for it; 0: as long as for any eMSP
    one_spelling       it wants URLs in the letters of the object that is put there
    holder             the name under which the hub files its objects at this platform
    is_known           the sender may exchange this module with it, in some role
    may_be_called      the sender may send this message to it
    is_live            its platform names it, and is not suspended
    """

    ref: PartyRef
    role: Role
    platform_id: int
    connected: bool
    status: str
    endpoint: str | None
    pause_seconds: int = 0
    circuit_seconds: int = 0
    unanswered: int = 0
    version: str = ""
    is_behind_hub: bool = False
    is_unseen: bool = False
    authorize_seconds: float = 0
    one_spelling: bool = False
    holder: str = ""
    is_known: bool = True
    may_be_called: bool = True
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Addressee:
    """The party a message turns out to be for, narrowed down to some of its registrations.

    A party key may be registered at several platforms and in several roles. Where they are not
    empty, `holder` is that of the object that the message is about, `platform_id` the platform of
    an earlier request, and `roles` are those it must have one of.
    """

    ref: PartyRef
    holder: str = ""
    platform_id: int = 0
    roles: frozenset[Role] = frozenset()

    def includes(self, candidate: Destination) -> bool:
        """Whether the message may be for this registration of the party."""
        return (
            self.holder in {"", candidate.holder}
            and self.platform_id in {0, candidate.platform_id}
            and (not self.roles or candidate.role in self.roles)
        )


@dataclass(frozen=True, slots=True)
class Direct:
    """Forward to this party now, and relay its answer."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Store, acknowledge and deliver to every party that may have it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Answer from what the hub keeps."""


@dataclass(frozen=True, slots=True)
class Returned:
    """Forward the result of a request to its requester."""


@dataclass(frozen=True, slots=True)
class Open:
    """Find the receiver from what the message is about."""


@dataclass(frozen=True, slots=True)
class AskAll:
    """Ask every eMSP it could be for: a driver waits whose token the hub does not know."""


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """Answer with this `data`: no party could answer anything else."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer with this error, which gives the reason."""

    error: OcpiError


Decided = Direct | Broadcast | Stored | Returned | AskAll | HubAnswer | Refused
Route = Decided | Open
