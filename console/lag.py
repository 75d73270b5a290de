"""The lag of subscriptions, read for a page of rows at once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.utils.safestring import SafeString

from console.base import Tone, badge, span
from hub.delivery import backlog
from hub.module_policy import POLICIES
from ocpi.types import ModuleID

_CARE_SECONDS = 60
_BAD_SECONDS = 600
"""How old the oldest change must be for either colour."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How many changes are not delivered yet, and how long the oldest has waited."""

    changes: int = 0
    seconds: float = 0.0

    @classmethod
    def total(cls, lags: Iterable[Self]) -> Self:
        """Return the sum of the changes, and the age of the oldest of all."""
        found = list(lags)
        return cls(
            sum(lag.changes for lag in found), max((lag.seconds for lag in found), default=0.0)
        )

    def shown(self) -> SafeString:
        """Show it in the colour of its age."""
        if not self.changes:
            return badge("up to date", Tone.GOOD)
        tone = Tone.BUSY
        if self.seconds >= _CARE_SECONDS:
            tone = Tone.BAD if self.seconds >= _BAD_SECONDS else Tone.CARE
        most = backlog.COUNTED_UP_TO
        changes = f"{most:,}+" if self.changes > most else f"{self.changes:,}"
        return badge(f"{changes} behind, oldest {span(self.seconds)}", tone)


def lags(subscription_ids: Collection[int], modules: Iterable[str] = POLICIES) -> Mapping[int, Lag]:
    """Return the lags of subscriptions that are behind, with one query for each module."""
    found: dict[int, Lag] = {}
    for module in map(ModuleID, modules):
        behind = backlog.lag(module, subscription_ids)
        found |= {pk: Lag(changes, age) for pk, (changes, age) in behind.items()}
    return found
