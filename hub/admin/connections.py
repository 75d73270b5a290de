"""What an operator may do with a connection, and from which statuses: one declared table.

Spec: 2.2.1 credentials; mod_hub_client_info, ConnectionStatus enum. Commands do the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from parties.audited import audited
from parties.connecting import rotate
from parties.invitation import Invitation, invite
from parties.models import Platform
from parties.registration import disconnect
from parties.status import REGISTERED, ConnectionStatus, origins

Outcome = Invitation | str


@dataclass(frozen=True, slots=True)
class ConnectionAction:
    """One deed: from which statuses, what it leads to in plain words, and who does it."""

    title: str
    icon: str
    consequences: tuple[str, ...]
    statuses: frozenset[ConnectionStatus]
    perform: Callable[[Platform], Outcome]
    dangerous: bool = False

    def possible(self, platform: Platform) -> bool:
        """Tell whether the platform's status allows it."""
        return platform.status in self.statuses


def _suspend(platform: Platform) -> Outcome:
    with audited("suspended", platform.name):
        disconnect(platform, status=ConnectionStatus.SUSPENDED)
    return f"{platform} is suspended."


def _invite(platform: Platform) -> Outcome:
    return invite(platform.name, roles=(), reset=True)


def _rotate(platform: Platform) -> Outcome:
    rotate(platform)
    return f"{platform} has new tokens in both directions."


_INVITABLE = (
    origins(ConnectionStatus.PLANNED, registering=False) | {ConnectionStatus.PLANNED}
) - REGISTERED
_RESETTABLE = origins(ConnectionStatus.PLANNED, registering=False) & REGISTERED

ACTIONS: Mapping[str, ConnectionAction] = {
    "invite": ConnectionAction(
        title="Issue token A",
        icon="key",
        consequences=(
            "A new token A is issued and shown once; one issued before stops working.",
            "With it the platform may register the parties of its list.",
            "A suspended platform becomes PLANNED and is connected again once it has registered.",
        ),
        statuses=_INVITABLE,
        perform=_invite,
    ),
    "rotate": ConnectionAction(
        title="Rotate credentials",
        icon="autorenew",
        consequences=(
            "The hub calls the platform now and renews the tokens of both directions.",
            "The present tokens stay good until the platform has answered.",
            "This may take as long as the platform takes to answer three calls.",
        ),
        statuses=REGISTERED,
        perform=_rotate,
    ),
    "reset": ConnectionAction(
        title="Reset registration",
        icon="restart_alt",
        consequences=(
            "Its registration ends: no token works any more and nothing is sent to it.",
            "What the hub holds of it stays. It is PLANNED until it registers again.",
            "A new token A is issued and shown once.",
            "The platform is not told; its next call is refused with HTTP 401.",
        ),
        statuses=_RESETTABLE,
        perform=_invite,
        dangerous=True,
    ),
    "suspend": ConnectionAction(
        title="Suspend",
        icon="block",
        consequences=(
            "No token works any more, an unused token A neither; nothing is sent to it.",
            "Its parties are SUSPENDED for everybody else; what the hub holds of it stays.",
            "The platform is not told; its next call is refused with HTTP 401.",
            "Only a new registration brings it back: issue a token A then.",
        ),
        statuses=origins(ConnectionStatus.SUSPENDED, registering=False),
        perform=_suspend,
        dangerous=True,
    ),
}
