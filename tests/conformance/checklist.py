"""The checklist: 411 checks by ID, in their chapters, and why some are not tested yet."""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist."""

    id: str
    chapter: str
    title: str
    strength: str
    requirement: str


@cache
def checks() -> dict[str, Check]:
    """Return every check by its ID, in the order of the checklist."""
    with (_HERE / "checklist.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return {row[0]: Check(*row) for row in rows}


@cache
def reasons() -> dict[str, str]:
    """Return why a check is not tested, by ID; a table in the file covers many with one reason."""
    with (_HERE / "untested.toml").open("rb") as file:
        groups = tomllib.load(file)
    return {check: group["reason"] for group in groups.values() for check in group["ids"]}
