"""The check compares values, and says in words what differs."""

from decimal import Decimal
from pathlib import Path

from local.demo import compare_holdings


def test_equal_is_no_difference() -> None:
    """Order of members and whitespace are not part of a value."""
    assert (
        compare_holdings.differences({"L1": {"a": 1, "b": [2]}}, {"L1": {"b": [2], "a": 1}}) == []
    )


def test_every_difference_is_named_by_its_path() -> None:
    """The path leads to the value on both sides."""
    owned = {"NL-CPA/L1": {"evses": [{"status": "CHARGING", "x": None}]}, "NL-CPA/L2": {}}
    received = {"NL-CPA/L1": {"evses": [{"status": "AVAILABLE"}]}, "NL-CPA/L3": {}}
    assert compare_holdings.differences(owned, received) == [
        'NL-CPA/L1.evses[0].status is "CHARGING" at its owner and "AVAILABLE" at the receiver',
        "NL-CPA/L1.evses[0].x is null at its owner and absent at the receiver",
        "NL-CPA/L2 never arrived",
        "NL-CPA/L3 arrived, but its owner does not have it",
    ]


def test_one_is_not_true() -> None:
    """Python finds 1 == True == 1.0; JSON does not."""
    assert len(compare_holdings.differences({"L1": {"a": 1}}, {"L1": {"a": True}})) == 1


def test_many_differences_are_counted() -> None:
    """A terminal has no room for thousands."""
    found = compare_holdings.differences({f"L{number}": {} for number in range(30)}, {})
    assert found[-1] == "and 10 more"
    assert len(found) == 21


def test_numbers_are_compared_exactly(tmp_path: Path) -> None:
    """What one side wrote as 0.1 must not have become 0.1000000000000000055 on the way."""
    report = tmp_path / "report.json"
    report.write_text('{"kwh": 0.1}')
    read = compare_holdings.read(report)
    assert read == {"kwh": Decimal("0.1")}
    assert len(compare_holdings.differences(read or {}, {"kwh": Decimal("0.11")})) == 1


def test_a_report_not_yet_written_is_none(tmp_path: Path) -> None:
    """The demo asks again."""
    assert compare_holdings.read(tmp_path / "nothing.json") is None
