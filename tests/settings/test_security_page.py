"""The page of security and the tests say the same: each rule is shown, each test named is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_RULE = re.compile(r"^\| (S-\d\d) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
_ASVS = re.compile(r"^\| (V\d+ [^|]+)? ?\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def _marks() -> Iterator[tuple[str, str]]:
    """Return every rule that a test is marked with, and the file that has the test."""
    for path in (ROOT / "tests").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "mark.security(" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.security":
                    words = (each for each in node.args if isinstance(each, ast.Constant))
                    yield from ((str(word.value), path.name) for word in words)


def _asvs() -> list[tuple[str, str, str]]:
    """Return the rows of the last table: what, state, shown by."""
    rows = _ASVS.findall(PAGE.partition("## ASVS")[2])
    return [(what, state, shown) for _, what, state, shown in rows if what != "requirements"]


def test_every_rule_is_shown_by_a_test() -> None:
    """No rule is only promised."""
    rules = dict(_RULE.findall(PAGE))
    assert len(rules) == 31
    assert set(rules) - {name for name, _ in _marks()} == set()


def test_every_mark_names_a_rule() -> None:
    """A test that is marked shows something that the page promises."""
    rules = dict(_RULE.findall(PAGE))
    assert [mark for mark in _marks() if mark[0] not in rules] == []


def test_every_test_that_is_named_is_there() -> None:
    """Who looks for the test that shows something finds it."""
    named = _TEST.findall(PAGE)
    assert len(named) > 40
    for file, function in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {function}(" in text if function else "def test_" in text, (file, function)


def test_every_chapter_is_spoken_of() -> None:
    """All fourteen chapters of the ASVS are there, in order."""
    chapters = re.findall(r"^\| V(\d+) ", PAGE, re.MULTILINE)
    assert list(map(int, chapters)) == list(range(1, 15))


@pytest.mark.parametrize("row", _asvs(), ids=lambda row: row[0][:40])
def test_what_is_met_is_shown_and_what_is_not_says_why(row: tuple[str, str, str]) -> None:
    """A row is met, with tests, or not met, with a sentence and none."""
    _, state, shown = row
    if state == "met":
        assert _TEST.search(shown)
    else:
        assert re.match(r"\*\*not met\*\*.{8,}", state)
        assert not _TEST.search(shown)
