"""How far a platform is with connecting: the steps of its handshake, and what is behind each."""

from hub.onboarding.checklist import Checklist, Retry, State, Step
from hub.onboarding.queries import read

__all__ = ["Checklist", "Retry", "State", "Step", "read"]
