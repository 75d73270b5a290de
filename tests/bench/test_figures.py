"""What a run of the benchmark says of its figures."""

import re
from collections import Counter
from pathlib import Path

import pytest

from bench.figures import (
    Figure,
    Key,
    Round,
    at_least,
    at_most,
    duration,
    median_round,
    table,
    unmeasured,
)
from bench.history import append

ROOT = Path(__file__).parents[2]


def test_the_round_in_the_middle_counts_with_both_of_its_numbers() -> None:
    """A ratio is of one moment: the machine may be twice as slow a minute later."""
    rounds = [Round(100, 200), Round(60, 100), Round(10, 100)]
    assert median_round(rounds) == Round(100, 200)


@pytest.mark.parametrize(
    "figure, is_met, row",
    [
        (
            Figure("relay", 50, "/s", 100, "proxy", at_least(0.45, 0.7), cpu_ms=1.234),
            True,
            "| relay | 50.0 /s, 1.23 ms CPU | proxy: 100 | 0.50 | ≥ 0.45 | ≥ 0.7 | yes |",
        ),
        (
            Figure("relay", 80, "/s", 100, "proxy", at_least(0.45, 0.7)),
            True,
            "| relay | 80.0 /s | proxy: 100 | 0.80 | ≥ 0.45 | ≥ 0.7 (reached) | yes |",
        ),
        (
            Figure("p99", 31, "ms", 0.5, "directly", at_most(30, 15)),
            False,
            "| p99 | 31.0 ms | directly: 0.50 | 62.00 | ≤ 30 ms | ≤ 15 ms | **no** |",
        ),
        (
            Figure("p99", 31, "ms", 0.5, "directly"),
            None,
            "| p99 | 31.0 ms | directly: 0.50 | 62.00 | - | - |  |",
        ),
    ],
)
def test_a_figure_is_held_to_what_is_aimed_for(
    figure: Figure,
    is_met: bool | None,  # noqa: FBT001 - a parameter of the test
    row: str,
) -> None:
    """A ratio has to be large, a time small; a moonshot that is reached says so."""
    assert figure.is_met is is_met
    assert figure.row() == row


def test_what_the_design_asks_for_stands_first() -> None:
    """The table of targets has the figures with a key, in the order of the keys."""
    page = Figure("page", 8, "/s", 10, "SQL", at_least(0.8), key=Key.PAGE)
    token = Figure("PUT", 3, "/s", 10, "pgbench", at_least(0.3), key=Key.PUT_TOKEN)
    other = Figure("other", 3, "/s", 10, "pgbench")
    text = table({"Lists": [page], "Pushes": [token, other]}, ["a note"])
    targets = text.partition("## Targets")[2].partition("## Lists")[0]
    assert [line.split("|")[1].strip() for line in targets.splitlines()[4:6]] == ["PUT", "page"]
    assert "other" not in targets


def test_each_run_is_a_line_of_the_history(tmp_path: Path) -> None:
    """A slower hub is seen: what was not measured is empty, what misses its target in brackets."""
    path = tmp_path / "HISTORY.md"
    slow = Figure("PUT", 2, "/s", 10, "pgbench", at_least(0.3), key=Key.PUT_TOKEN)
    quick = Figure("arrival", 5, "ms", 1, "directly", at_most(6), key=Key.ARRIVAL)
    for figures in ([slow], [slow, quick]):
        append(figures, path)
    head, _, *runs = [line for line in path.read_text("utf-8").splitlines() if line[:1] == "|"]
    columns = [cell.strip() for cell in head.split("|")]
    found = [dict(zip(columns, map(str.strip, run.split("|")), strict=True)) for run in runs]
    assert [run["PUT token"] for run in found] == ["(0.20)", "(0.20)"]
    assert [run["to 1, ms"] for run in found] == ["", "5.00"]


def test_a_run_says_which_part_took_how_long_and_whether_all_took_too_long() -> None:
    """What makes a run longer than it may be is seen in its results."""
    took = {"starting": 20.0, "serving": 31.4}
    assert duration(took, most=60) == "the run took 51 s: starting 20, serving 31"
    late = "the run took 51 s, more than the 50 s it may take: starting 20, serving 31"
    assert duration(took, most=50) == late


def test_a_target_without_a_figure_is_named() -> None:
    """A path that was not measured is not taken for one that is fast enough."""
    every = [Figure(str(key), 1, "/s", 1, "itself", key=key) for key in Key]
    assert unmeasured({"All": every}) == []
    assert unmeasured({"Some": every[2:]}) == ["not measured: PUT token, PUT location"]


def test_every_target_is_measured_in_one_place() -> None:
    """A key that no part yields would be an empty column for ever, one of two parts ambiguous."""
    sources = [path.read_text("utf-8") for path in (ROOT / "bench").glob("*.py")]
    uses = Counter(name for text in sources for name in re.findall(r"\bKey\.([A-Z0-9_]+)", text))
    assert uses == Counter(key.name for key in Key)
