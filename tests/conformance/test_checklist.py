"""The bookkeeping of the checklist itself."""

import pytest

from tests.conformance.checklist import checks, reasons
from tests.conformance.page import PAGE, render
from tests.conformance.report import ConformanceReport, complaints, ids, is_whole


def test_the_checklist_is_complete() -> None:
    """All 411 checks are there, each once."""
    assert len(checks()) == 411


def test_the_page_of_the_documentation_is_the_checklist() -> None:
    """Whoever changes a check makes the page anew: `python -m tests.conformance.page`."""
    assert PAGE.read_text(encoding="utf-8") == render()


def test_every_reason_names_a_check() -> None:
    """A reason for an ID that does not exist explains nothing."""
    assert set(reasons()) <= set(checks())


def test_every_check_is_tested_or_has_a_reason(request: pytest.FixtureRequest) -> None:
    """What nobody tests is named with the reason, and what is tested needs none."""
    collected = {check for item in request.session.items for check in ids(item)}
    assert collected <= set(checks())
    assert not is_whole(request.config) or set(checks()) - collected == set(reasons())


def test_the_report_complains_about_its_own_bookkeeping() -> None:
    """An ID nobody knows is a typing mistake; a gap nobody explains is one only in a whole run."""
    report = ConformanceReport()
    report.outcomes["NONE-1"].append(True)
    assert complaints(report) == ["NONE-1 is not in the checklist"]
    report.whole = True
    assert "TF-01 is not tested, and no reason is given" in complaints(report)
    assert not any(
        line.startswith(f"{check} ") for check in reasons() for line in complaints(report)[1:]
    )
