"""What the laboratory saw, as a table for people and as JSON. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.peers.verdicts import Outcome, Verdict, Wrong

Seen = Mapping[str, Mapping[str, Verdict]]
"""Verdicts by peer and flow."""


def lines(seen: Seen, flows: Sequence[str]) -> list[str]:
    """Return the table, a row for each peer; below it why something failed."""
    head = ["peer", *flows]
    rows = [
        [peer, *(_cell(verdicts.get(flow)) for flow in flows)] for peer, verdicts in seen.items()
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return [*table, "", *_reasons(seen)]


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not tried"
    if verdict.outcome is Outcome.DONE:
        return "done"
    return f"{verdict.wrong} wrong"


def _reasons(seen: Seen) -> list[str]:
    return [
        f"{peer}, {flow}: {verdict.reason}"
        for peer, verdicts in seen.items()
        for flow, verdict in verdicts.items()
        if verdict.reason
    ]


def as_json(seen: Seen) -> list[dict[str, Any]]:
    """Return one object for each peer and flow."""
    return [
        {"peer": peer, "flow": flow, **asdict(verdict)}
        for peer, verdicts in seen.items()
        for flow, verdict in verdicts.items()
    ]


def hub_is_wrong(seen: Seen) -> bool:
    """Whether any failure is the hub's, or may be."""
    suspects = {Wrong.HUB, Wrong.UNKNOWN}
    return any(
        verdict.wrong in suspects for verdicts in seen.values() for verdict in verdicts.values()
    )
