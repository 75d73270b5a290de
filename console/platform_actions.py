"""Operations on a connection: one table of what an operator may do, and in which statuses.

Spec: 2.2.1 credentials; mod_hub_client_info, ConnectionStatus enum. Commands do the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from parties import operations
from parties.connection_status import REGISTERED, ConnectionStatus, origins
from parties.models import Platform
from parties.registration.invitation import Invitation, invite
from parties.registration.outbound import renew_tokens

Outcome = Invitation | str


@dataclass(frozen=True, slots=True)
class ConnectionAction:
    """An operation: its consequences in plain words, the statuses that allow it, and what does it.

    `useful` says whether there is anything to do for a platform.
    """

    title: str
    icon: str
    consequences: tuple[str, ...]
    statuses: frozenset[ConnectionStatus]
    perform: Callable[[Platform], Outcome]
    dangerous: bool = False
    useful: Callable[[Platform], bool] = lambda _: True

    def possible(self, platform: Platform) -> bool:
        """Return whether the platform's status allows it, and there is anything to do."""
        return platform.status in self.statuses and self.useful(platform)


def _suspend(platform: Platform) -> Outcome:
    operations.suspend(platform)
    return f"{platform} is suspended."


def _revoke(platform: Platform) -> Outcome:
    endings = operations.revoke_former(platform)
    return f"Revoked: {', '.join(f'…{ending}' for ending in endings) or 'nothing was left'}."


def _retry(platform: Platform) -> Outcome:
    operations.try_again(platform)
    return f"{platform} is asked within seconds whether it is there."


def _has_failures(platform: Platform) -> bool:
    """Return whether the hub backs off from it, or may soon."""
    return bool(platform.failures or platform.unanswered or platform.next_attempt_at)


def _invite(platform: Platform, *, reset: bool = False) -> Outcome:
    return invite(platform.name, roles=(), reset=reset)


def _rotate(platform: Platform) -> Outcome:
    renew_tokens(platform)
    return f"{platform} has new tokens in both directions."


_RESETTABLE = origins(ConnectionStatus.PLANNED, registering=False) & REGISTERED
"""Registered statuses that lead back to PLANNED; from SUSPENDED `resume` does."""

ACTIONS: Mapping[str, ConnectionAction] = {
    "invite": ConnectionAction(
        title="Issue token A",
        icon="key",
        consequences=(
            "A new token A is issued and shown once; one issued before stops working.",
            "With it the platform may register the parties of its list.",
        ),
        statuses=frozenset({ConnectionStatus.PLANNED}),
        perform=_invite,
    ),
    "resume": ConnectionAction(
        title="Resume",
        icon="play_circle",
        consequences=(
            "A new token A is issued and shown once: nothing of the former registration is good.",
            "The platform becomes PLANNED, and is connected again once it has registered.",
        ),
        statuses=frozenset({ConnectionStatus.SUSPENDED}),
        perform=operations.resume,
    ),
    "retry": ConnectionAction(
        title="Try again now",
        icon="bolt",
        consequences=(
            "The pause after its failures is over, and its circuit is closed.",
            "The hub asks it within seconds whether it is there. What waits is sent if it is.",
        ),
        statuses=REGISTERED,
        perform=_retry,
        useful=_has_failures,
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
    "revoke": ConnectionAction(
        title="Revoke tokens",
        icon="key_off",
        consequences=(
            "An unused token A stops working, and so do tokens that a rotation left good.",
            "A platform that did not store its newest token yet is refused with HTTP 401 then.",
            "The token in force stays: suspending ends that one too.",
        ),
        statuses=REGISTERED | {ConnectionStatus.PLANNED},
        perform=_revoke,
        dangerous=True,
        useful=lambda platform: operations.former_tokens(platform).exists(),
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
        perform=partial(_invite, reset=True),
        dangerous=True,
    ),
    "suspend": ConnectionAction(
        title="Suspend",
        icon="block",
        consequences=(
            "No token works any more, an unused token A neither; nothing is sent to it.",
            "Its parties are SUSPENDED for everybody else; what the hub holds of it stays.",
            "The platform is not told; its next call is refused with HTTP 401.",
            "Only a new registration brings it back: resume it then.",
        ),
        statuses=origins(ConnectionStatus.SUSPENDED, registering=False),
        perform=_suspend,
        dangerous=True,
    ),
}
