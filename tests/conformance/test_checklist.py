"""The bookkeeping of the checklist itself."""

from pathlib import Path

import pytest

from tests.conformance.checklist import checks, reasons
from tests.conformance.report import ids


def test_the_checklist_is_complete() -> None:
    """All 361 checks are there, each once."""
    assert len(checks()) == 361


def test_every_reason_names_a_check() -> None:
    """A reason for an ID that does not exist explains nothing."""
    assert set(reasons()) <= set(checks())


def test_every_check_is_tested_or_has_a_reason(request: pytest.FixtureRequest) -> None:
    """What nobody tests is named with the reason, and what is tested needs none."""
    collected = {check for item in request.session.items for check in ids(item)}
    whole_suite = len({Path(item.path).parts[-2] for item in request.session.items}) > 5
    assert collected <= set(checks())
    assert not whole_suite or set(checks()) - collected == set(reasons())
