"""Every vector has the price it expects, and an explanation that a checker without rules takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from rating.__main__ import main
from rating.checker import check
from rating.engine import rate
from rating.readings import Readings
from rating.vectors import cdr_of, explained, judged_wrong, rated_wrong, rounded_wrong

FILE = Path(__file__).with_name("vectors.json")
VECTORS = json.loads(FILE.read_bytes(), parse_float=str)


def _of(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", VECTORS[kind], ids=lambda vector: vector["id"])


_ALTERNATIVES = [
    (vector, name) for vector in VECTORS["vectors"] for name in vector.get("alternatives", {})
]


def test_all_vectors_are_there() -> None:
    """67 sessions, 10 verdicts and 4 roundings."""
    assert [len(VECTORS[kind]) for kind in ("vectors", "verdicts", "settlement_rounding")] == [
        67,
        10,
        4,
    ]


@pytest.mark.conformance("RT-01")
@_of("vectors")
def test_the_total_is_that_of_the_vector(vector: dict[str, Any]) -> None:
    """A session has the total that is expected, or the code of why it has none."""
    found, expected = explained(vector), vector["expect"]
    assert found.get("total") == expected.get("total")
    assert found.get("code") == expected.get("unpriceable")


@pytest.mark.conformance("RT-02")
@_of("vectors")
def test_all_else_is_that_of_the_vector(vector: dict[str, Any]) -> None:
    """Lines, volumes without a price, steps, limits, groups and notes are those expected."""
    assert list(rated_wrong(vector)) == []


@pytest.mark.conformance("RT-03")
@pytest.mark.parametrize("vector, name", _ALTERNATIVES, ids=lambda each: str(each)[:40])
def test_another_reading_has_the_total_of_the_vector(vector: dict[str, Any], name: str) -> None:
    """Under each reading that is listed the session costs what the vector says."""
    rule, _, choice = name.partition("=")
    found = explained(vector, Readings().but({rule: choice}))
    assert found["total"] == vector["alternatives"][name]


@pytest.mark.conformance("RT-48")
@_of("vectors")
def test_the_checker_takes_the_explanation(vector: dict[str, Any]) -> None:
    """What is stored can be verified without rating anything."""
    cdr = cdr_of(vector)
    found = rate(cdr, (), vector["time_zone"])
    assert check(found.to_bytes(), cdr.text) == []


@_of("verdicts")
def test_the_verdict_is_that_of_the_vector(vector: dict[str, Any]) -> None:
    """Two amounts agree within a tolerance whose edge is inside, or by a reading that is named."""
    assert list(judged_wrong(vector)) == []


@_of("settlement_rounding")
def test_amounts_are_rounded_to_minor_units(vector: dict[str, Any]) -> None:
    """Half a unit is rounded away from zero, so that a credit cancels exactly."""
    assert list(rounded_wrong(vector)) == []


@pytest.mark.parametrize("spoilt", ["lines", "unpriced", "steps", "limits", "groups", "total"])
def test_a_vector_that_is_not_met_is_noticed(spoilt: str) -> None:
    """Each part of what is expected is compared."""
    vector = next(each for each in VECTORS["vectors"] if each["id"] == "RV-43")
    wrong = json.loads(json.dumps(vector))
    wrong["expect"][spoilt] = [] if isinstance(vector["expect"][spoilt], list) else {}
    assert [each.partition(":")[0] for each in rated_wrong(wrong)] == [spoilt]


def test_the_command_runs_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It counts what agrees, and ends with 1 if anything does not."""
    assert main(["vectors", str(FILE)]) == 0
    assert capsys.readouterr().out == "81 of 81 agree\n"
    spoilt = json.loads(FILE.read_bytes())
    spoilt["vectors"][0]["expect"]["total"]["excl"] = "9.1479"
    (tmp_path / "spoilt.json").write_text(json.dumps(spoilt))
    assert main(["vectors", str(tmp_path / "spoilt.json")]) == 1
    assert capsys.readouterr().out.endswith("80 of 81 agree\n")
