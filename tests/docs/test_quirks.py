"""docs/quirks.md is what `python -m parties.quirk_table` writes."""

import pytest

from parties import quirk_table
from parties.quirks import QUIRKS, Quirks


def test_the_page_is_made_from_the_code() -> None:
    """Whoever changes a quirk writes the page anew."""
    assert quirk_table.PAGE.read_text(encoding="utf-8") == quirk_table.document()


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_says_when_it_is_needed(name: str) -> None:
    """And all that may be typed for it; the default is one of those."""
    quirk = QUIRKS[name]
    assert quirk.when
    row = next(row for row in quirk_table.document().splitlines() if quirk.sentence in row)
    typed = row.split("`")[1]
    assert Quirks().with_settings([f"{typed}={quirk.usual}"]) == Quirks()
