"""The one table of what becomes of mistakes, and the document that shows it."""

import re
from pathlib import Path

import pytest

from ocpi.errors import InvalidParameters, Severity
from ocpi.modules import ObjectType
from ocpi.rules import PARTS, rows
from ocpi.v2_2_1.locations import LOCATION, Location
from ocpi.validation import findings, validate
from tests.ocpi.objects import connector, evse, location

DOCUMENT = Path(__file__).parents[2] / "docs" / "deviations.md"
_SHOWN = re.compile(r"<!-- severities.*?-->\n(.*?)<!-- /severities -->", re.DOTALL)


def test_the_document_shows_every_row_of_the_table_and_no_other() -> None:
    """In the same order and words: each fact has one place."""
    shown = _SHOWN.search(DOCUMENT.read_text(encoding="utf-8"))
    assert shown is not None
    lines = shown[1].splitlines()[2:]

    assert lines == [f"| `{kind}` | {text} | {severity} |" for kind, text, severity in rows()]


def test_parts_are_those_that_the_modules_declare() -> None:
    """A list of parts is one by its declaration, EVSEs and Connectors alone."""

    def members(kind: ObjectType) -> set[str]:
        return {kind.part.member} | members(kind.part.object) if kind.part else set()

    assert members(LOCATION) == PARTS


def test_what_breaks_a_part_is_about_the_part() -> None:
    """The Location lives without it; what breaks the Location itself does not."""
    value = location(
        coordinates=None,
        facilities=["ZOO"],
        evses=[
            evse(),
            evse(uid="2", connectors=[]),
            evse(connectors=[connector(format="X", id="")]),
        ],
    )

    assert [(each.path, each.severity) for each in findings(Location, value)] == [
        ("coordinates", Severity.REFUSE),
        ("evses[1].connectors", Severity.SET_ASIDE),
        ("evses[2].connectors[0].id", Severity.SET_ASIDE),
        ("evses[2].connectors[0].format", Severity.REPORT),
        ("facilities[0]", Severity.REPORT),
    ]


def test_what_is_to_be_set_aside_refuses_an_object_that_is_taken_whole() -> None:
    """Whoever does not set parts aside loses nothing unseen."""
    with pytest.raises(InvalidParameters, match=r"^evses\[0\]\.connectors: must not be empty$"):
        validate(Location, location(evses=[evse(connectors=[])]))


@pytest.mark.parametrize(
    "changes",
    [
        {"facilities": [], "name": None},
        {"x": 1},
        {"last_updated": "2026-11-21T06:32:00+01:00"},
        {"last_updated": "2026-11-21T05:32:00"},
        {"last_updated": "2026-11-21T05:32:00.123456789Z"},
        {"country_code": "nl"},
    ],
)
def test_what_is_repaired_is_not_mentioned(changes: dict[str, object]) -> None:
    """It is clear what was meant."""
    assert findings(Location, location(**changes)) == ()
