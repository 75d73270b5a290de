"""Contested rules of the specification: how each is read, and which other readings there are.

What stands first is the default. An agreement may choose, and a CDR that disagrees is tried with
the others. `docs/rating.md` has what each says and who reads it so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any

CHOICES: Mapping[str, tuple[str, ...]] = {
    "step": ("last", "parking", "each", "combined"),
    "base": ("billed", "all"),
    "flat": ("once", "each"),
    "split": ("split", "as_sent"),
    "wrap": ("moment", "window"),
    "reverse": ("signed", "zero", "refuse"),
    "time": ("reported", "clock"),
    "select": ("dimension", "element"),
    "unknown": ("refuse", "match"),
}
_NEVER_TRIED = {("reverse", "refuse"), ("unknown", "match")}
"""Agreements choose them; they explain no other price."""
_OF_2_1_1 = {("select", "element")}
_STEP_OF_2_1_1 = "each"
"""2.1.1 does not say that a step is taken once."""


@dataclass(frozen=True, slots=True)
class Readings:
    """One reading of each rule; `step` is that of the CDR's version unless it is chosen."""

    step: str = ""
    base: str = "billed"
    flat: str = "once"
    split: str = "split"
    wrap: str = "moment"
    reverse: str = "signed"
    time: str = "reported"
    select: str = "dimension"
    unknown: str = "refuse"

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices and getattr(self, name):
                raise ValueError(f"{name} is one of {', '.join(choices)}")

    @lru_cache  # noqa: B019  # there are few readings, and they are all equal
    def of_version(self, version: str) -> "Readings":
        """Return the readings for a CDR of a version."""
        if self.step:
            return self
        return replace(self, step=_STEP_OF_2_1_1 if version == "2.1.1" else "last")

    def others(self, version: str) -> "Iterator[dict[str, str]]":
        """Find every single other reading that a CPO may have billed by."""
        for field in fields(self):
            for choice in CHOICES[field.name]:
                tried = (field.name, choice) not in _NEVER_TRIED
                fits = version == "2.1.1" or (field.name, choice) not in _OF_2_1_1
                if choice != getattr(self, field.name) and tried and fits:
                    yield {field.name: choice}

    def but(self, changed: Mapping[str, Any]) -> "Readings":
        return replace(self, **changed)

    def as_json(self) -> dict[str, str]:
        return asdict(self)
