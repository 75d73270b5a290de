"""One word for one thing."""

import re

from tests.docs.references import ROOT

_PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
_TERMS = re.findall(r"^\| ([^|]+) \| [^|]+ \| `[^`]+` \|$", _PAGE, re.MULTILINE)
_AVOIDED = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", _PAGE, re.MULTILINE)[1:]


def test_the_glossary_is_short_and_says_nothing_twice() -> None:
    """Sixty terms can be learnt; a term has one meaning and one place."""
    assert 40 < len(_TERMS) <= 60
    assert len(set(_TERMS)) == len(_TERMS)


def test_no_word_is_a_term_and_to_be_avoided() -> None:
    """Who looks a word up finds either."""
    words = {word for row in _AVOIDED for word in row.split(", ")}
    assert len(words) > 10
    assert words & set(_TERMS) == set()
