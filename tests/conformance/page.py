"""The checklist as a page of the documentation: `python -m tests.conformance.page` writes it."""

from itertools import groupby
from pathlib import Path

from tests.conformance.checklist import Check, checks, reasons

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
_HEAD = """\
# The conformance checklist

What a hub of OCPI 2.2.1 has to do, one check a line. Tests name the checks they show
(`@pytest.mark.conformance("TF-21")`); `make conformance` runs them and prints what passes.

**MUST**, **SHOULD** and **MAY** is what the specification says. **HUB-M** (mandatory) and **HUB-S**
(advised) is what it does not say of a hub, but what follows from its rules, or from standing
between two parties. Token A, B and C are those of the credentials chapter; P1, a CPO, and P2, an
eMSP, are platforms of the tests. A-nn are [what the specification leaves open](ambiguities.md).

This page is made from `tests/conformance/checklist.tsv` and `tests/conformance/untested.toml` by
`python -m tests.conformance.page`.
"""


def render() -> str:
    """Write the page: a table for each chapter, then what no test shows and why."""
    chapters = groupby(checks().values(), key=lambda check: (check.chapter, check.title))
    tables = [_table(*chapter, list(members)) for chapter, members in chapters]
    return "\n".join([_HEAD, *tables, _untested()])


def _table(number: str, title: str, members: list[Check]) -> str:
    rows = [f"| {each.id} | {each.strength} | {_text(each.requirement)} |" for each in members]
    return "\n".join(
        [f"## {number} {title}\n", "| ID | | the hub must … |", "|---|---|---|", *rows, ""]
    )


def _untested() -> str:
    members: dict[str, list[str]] = {}
    for check, reason in reasons().items():
        members.setdefault(reason, []).append(check)
    rows = [f"| {' '.join(these)} | {_text(reason)} |" for reason, these in members.items()]
    return "\n".join(["## Not tested\n", "| ID | why |", "|---|---|", *rows, ""])


def _text(words: str) -> str:
    """Keep what looks like markup as it is."""
    return words.replace("<", "\\<").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
