"""When the feed of a module is looked at: decided without I/O.

Moments are seconds of a monotonic clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ocpi.types import ModuleID

# How long changes that are stored but not final yet are left to the transactions before them:
# mostly another short write, sometimes a long one.
_PAUSES = (0.003, 0.01, 0.2)


class _Look(NamedTuple):
    """The next look at a module, and how many before it came too early."""

    due: float
    too_early: int = 0


@dataclass(slots=True)
class Looks:
    """The looks to come, and when the last ones were."""

    _next: dict[ModuleID, _Look] = field(default_factory=dict)
    _last: dict[ModuleID, float] = field(default_factory=dict)

    def wake(self, modules: Iterable[ModuleID], now: float) -> None:
        """Have modules looked at at once, or the shortest pause after their last look."""
        for module in modules:
            self._next[module] = _Look(max(now, self._last.get(module, 0.0) + _PAUSES[0]))

    def due(self, now: float) -> dict[ModuleID, int]:
        """Take the modules whose moment has come; each with the number of looks in vain so far."""
        found = {name: look.too_early for name, look in self._next.items() if look.due <= now}
        for module in found:
            del self._next[module]
            self._last[module] = now
        return found

    def again(self, module: ModuleID, too_early: int, now: float) -> None:
        """Have a module looked at once more: some of its changes could not be read yet."""
        pause = _PAUSES[min(too_early, len(_PAUSES) - 1)]
        self._next.setdefault(module, _Look(now + pause, too_early + 1))

    def seconds(self, now: float, most: float) -> float:
        """Return how long nothing is due, at most so long."""
        return min([most, *(max(look.due - now, 0.0) for look in self._next.values())])
