"""The handshake of a platform as a checklist: its steps, and the messages behind each."""

from hub.onboarding.checklist import Checklist, Retry, State, Step
from hub.onboarding.proposals import Proposal
from hub.onboarding.queries import read

__all__ = ["Checklist", "Proposal", "Retry", "State", "Step", "read"]
