"""The books of the load: a few numbers an object, so that keeping them costs the hub nothing.

Each object has one counter, that of its latest change; `x` is the one the object itself carries,
`y` that of its only part. None: the message has no such member, or the object no such part.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MOST_TWICE = 2
"""A CDR may come once more when nobody knows whether it was taken."""
_MOST_SHOWN = 10


class State(NamedTuple):
    """Which state of an object a message is of, or somebody has."""

    x: int | None = None
    y: int | None = None

    def after(self, change: "State") -> "State":
        """Return the state that a change leads to."""
        return State(*(old if new is None else new for old, new in zip(self, change, strict=True)))

    def is_behind(self, other: "State") -> bool:
        """Whether anything of it is older than what somebody else has."""
        pairs = zip(self, other, strict=True)
        return any(mine < theirs for mine, theirs in pairs if mine is not None and theirs)


@dataclass(slots=True)
class LoadLedger:
    """What the hub acknowledged, and what reached the receiver; CDRs are counted by their names."""

    acknowledged: int = 0
    received: int = 0
    duplicated: int = 0
    owned: dict[str, State] = field(default_factory=lambda: defaultdict(State))
    held: dict[str, State] = field(default_factory=lambda: defaultdict(State))
    times: Counter[str] = field(default_factory=Counter)
    went_back: Counter[str] = field(default_factory=Counter)

    def acknowledge(self, name: str, change: State) -> None:
        """Note what the hub said it has."""
        self.acknowledged += 1
        self.owned[name] = self.owned[name].after(change)

    def receive(self, name: str, change: State) -> None:
        """Note what reached the receiver."""
        held = self.held[name]
        self.received += 1
        self.times[name] += change == State()
        self.went_back[name] += change.is_behind(held)
        again = self.times[name] > 1 if change == State() else held.after(change) == held
        self.duplicated += again
        self.held[name] = held.after(change)

    def lost(self) -> list[str]:
        """Return what was acknowledged and is not what the receiver has."""
        return [
            f"{name}: acknowledged {tuple(state)}, received {tuple(self.held.get(name, ()))}"
            for name, state in self.owned.items()
            if self.held.get(name) != state
        ]

    def report(self) -> dict[str, Any]:
        """Return how the books stand, ready for JSON; of what is wrong the first ones in words."""
        lost = self.lost()
        back = [f"{name} went back {n} times" for name, n in self.went_back.items() if n]
        often = [f"CDR {name} came {n} times" for name, n in self.times.items() if n > MOST_TWICE]
        return {
            "acknowledged": self.acknowledged,
            "received": self.received,
            "duplicated": self.duplicated,
            "lost": len(lost),
            "out_of_order": len(back),
            "too_often": len(often),
            "wrong": [*lost[:_MOST_SHOWN], *back[:_MOST_SHOWN], *often[:_MOST_SHOWN]],
        }
