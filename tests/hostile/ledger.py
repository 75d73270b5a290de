"""What became of the inputs: how many of each kind, and whatever must not have happened."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

STALL_SECONDS = 1.0
_FAILED = 500
_KEPT_EXAMPLES = 5
_HUB_FAILED = b'"status_code":3000'


@dataclass
class Ledger:
    """Counts by kind; `failures` are answers 5xx and those that say 3000: the hub failed."""

    inputs: Counter[str] = field(default_factory=Counter)
    answered: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    stalls: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    canary: float = 0.0
    grown: dict[str, float] = field(default_factory=dict)
    strangers_rows: int = 0
    died: int = 0

    @property
    def total(self) -> int:
        """How many inputs there were."""
        return self.inputs.total()

    def add(self, kind: str, sent: bytes, answer: tuple[int, bytes] | None, seconds: float) -> None:
        """Count one input and what it was answered; None: the connection ended without a word."""
        self.inputs[kind] += 1
        self.slowest[kind] = max(self.slowest.get(kind, 0.0), seconds)
        status, body = answer or (0, b"")
        self.answered[status] += 1
        if status >= _FAILED or _HUB_FAILED in body:
            self._note(self.failures, kind, f"{status} {body[:200]!r}", sent)
        if seconds > STALL_SECONDS:
            self._note(self.stalls, kind, f"{seconds:.1f} s", sent)

    def add_many(self, kind: str, count: int) -> None:
        """Count inputs that were no requests."""
        self.inputs[kind] += count

    def _note(self, where: Counter[str], kind: str, words: str, sent: bytes) -> None:
        where[kind] += 1
        if len(self.examples) < _KEPT_EXAMPLES:
            self.examples.append(f"{kind}: {words}\n      {sent[:600]!r}")

    def wrong(self) -> list[str]:
        """Say what must not be."""
        found = [f"{count} x 5xx or 3000: {kind}" for kind, count in self.failures.items()]
        found += [
            f"{count} x over {STALL_SECONDS:g} s: {kind}" for kind, count in self.stalls.items()
        ]
        if self.canary > STALL_SECONDS:
            found.append(f"a well-behaved platform waited {self.canary:.1f} s")
        if self.died:
            found.append(f"{self.died} processes died")
        return found

    def lines(self) -> Iterator[str]:
        """Write the ledger."""
        yield f"{'entry point':<38}{'inputs':>8}{'5xx, 3000':>11}{'stalls':>8}{'slowest ms':>12}"
        for kind, count in sorted(self.inputs.items()):
            row = (self.failures[kind], self.stalls[kind], 1000 * self.slowest.get(kind, 0.0))
            yield f"{kind:<38}{count:>8}{row[0]:>11}{row[1]:>8}{row[2]:>12.0f}"
        failed, stalled = self.failures.total(), self.stalls.total()
        yield f"{'together':<38}{self.total:>8}{failed:>11}{stalled:>8}"
        statuses = (
            f"{status or 'hung up'}: {count}" for status, count in sorted(self.answered.items())
        )
        yield "answers     " + ", ".join(statuses)
        yield f"canary      slowest answer to a well-behaved platform {1000 * self.canary:.0f} ms"
        yield "MB grown    " + ", ".join(f"{name} {more:+.0f}" for name, more in self.grown.items())
        yield f"strangers   made {self.strangers_rows} rows of the message log"
