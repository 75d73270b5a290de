"""The page of privacy, the settings and the code say the same."""

import re
from pathlib import Path

import pytest

from hub.privacy import personal_retention
from hub.privacy.personal_tables import personal_tables

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| ([a-zA-Z' ]+) \| [^|]+ \| ([0-9]+) \| `(HUB_[A-Z_]+)` \|", PAGE, re.MULTILINE
)
_HOURS_OF_A_DAY = 24
pytestmark = pytest.mark.security("S-25")


@pytest.mark.parametrize("kind,days,setting", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_the_page_is_true(kind: str, days: str, setting: str) -> None:
    """The days of a kind are the default of its setting, which .env.example has too."""
    source = (ROOT / "settings" / "hub.py").read_text(encoding="utf-8")
    default = re.search(rf'"{setting}",\s*([\d_]+)', source)
    assert default, setting
    number = int(default[1])
    assert int(days) == (number // _HOURS_OF_A_DAY if setting.endswith("HOURS") else number), kind
    assert f"{setting}={number}" in (ROOT / ".env.example").read_text(encoding="utf-8")


def test_every_kind_that_ends_is_on_the_page() -> None:
    """With the setting of its days."""
    rows = {(kind, setting) for kind, _, setting in ROWS}
    assert {(each.name, each.setting) for each in personal_retention.LIFETIMES} <= rows


def test_every_setting_of_days_is_on_the_page() -> None:
    """A new kind that is kept for some days is one more row."""
    source = (ROOT / "settings" / "hub.py").read_text(encoding="utf-8")
    of_other_things = {"HUB_TOKEN_A_DAYS", "HUB_RENEWAL_DAYS", "HUB_PULL_FULL_DAYS"}
    of_other_things |= {"HUB_DELIVERY_EXPIRY_DAYS", "HUB_RESERVATION_DAYS"}
    days = set(re.findall(r'"(HUB_[A-Z_]+_DAYS)"', source)) - of_other_things
    assert days - {setting for *_, setting in ROWS} == set()


def test_every_table_with_texts_is_searched_for_a_driver() -> None:
    """A model that is added later is searched without being named anywhere."""
    assert {"feed", "dead letters"} <= {kind for kind, *_ in ROWS}
    assert {"changes of the feed", "dead letters", "quarantined", "kept CDRs"} <= {
        each.name for each in personal_tables()
    }
