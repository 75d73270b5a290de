"""Where values stand in texts."""

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.masking.occurrences import MOST_CHARACTERS, replaced


def _gone(value: str) -> str:
    return "#" * len(value)


def _one_by_one(text: str, values: set[str]) -> str:
    """Cover each value wherever it stands, slowly."""
    covered = list(text)
    for value in values:
        for start in range(len(text)):
            if value and text[start : start + len(value)].lower() == value.lower():
                covered[start : start + len(value)] = "#" * len(value)
    return "".join(covered)


@given(
    text=st.text(alphabet="abAB-", max_size=60),
    values=st.sets(st.text(alphabet="abA-", min_size=1, max_size=5), max_size=20),
)
def test_everything_that_values_cover_is_replaced(text: str, values: set[str]) -> None:
    """In any case, overlapping or within one another, however many there are."""
    assert replaced([text], values, _gone) == [_one_by_one(text, values)]


def test_texts_are_looked_at_each_by_itself() -> None:
    """No value stands partly in one and partly in the next; their number stays."""
    many = [f"value-{number}" for number in range(20)]
    assert replaced(["val", "ue-1", "", "xVALUE-1x"], many, _gone) == [
        "val",
        "ue-1",
        "",
        "x#######x",
    ]
    assert replaced([], many, _gone) == []
    assert replaced(["İvalue-1\ud800"], ["ivalue-1"], _gone) == [
        "########\N{REPLACEMENT CHARACTER}"
    ]


@pytest.mark.security("S-01", "S-06")
def test_of_too_many_values_nothing_is_shown() -> None:
    """More than are looked for leave nothing of the texts."""
    many = [f"{number:0100}" for number in range(MOST_CHARACTERS // 100 + 1)]
    assert replaced(["abcd", ""], many, _gone) == ["####", ""]


@pytest.mark.security("S-01", "S-06")
def test_a_value_that_repeats_within_itself_is_found_at_once() -> None:
    """What could stand at every place of a text is not compared at each of them."""
    value, started = "a" * 60_000, thread_time()
    [shown] = replaced([value * 3 + "c"], [value], _gone)
    assert thread_time() - started < 3
    assert shown == "#" * 3 * len(value) + "c"
