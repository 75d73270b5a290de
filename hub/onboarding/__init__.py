"""The handshake of a platform as a checklist: its steps, and the messages behind each."""

from hub.onboarding.checklist import Checklist, Retry, State, Step
from hub.onboarding.queries import read

__all__ = ["Checklist", "Retry", "State", "Step", "read"]
