"""What text in the repository refers to is in the repository."""

import re
from collections.abc import Iterable, Iterator
from pkgutil import resolve_name

from django.apps import apps

from tests.conformance.checklist import checks, reasons
from tests.docs.references import ROOT, Reference, ids, leads_somewhere, links, matches

_HISTORY = ("CHANGELOG.md",)
"""It names files as they were called."""
_SAMPLES = ("tests/supply/test_dockerignore.py",)
"""Its paths are made up."""
_FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()))
_ROW = r"^\| ({}) \| (.+) \|$"


def _rows(page: str, prefix: str) -> dict[str, str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return dict(re.findall(_ROW.format(rf"{prefix}-\d+"), text, re.MULTILINE))


def _lost(found: Iterable[Reference], known: Iterable[str]) -> list[str]:
    """Return the references to what is not known; there is at least one reference."""
    references = set(found)
    assert references
    return sorted(str(each) for each in references if each.target not in set(known))


def _shown_by(row: str) -> list[str]:
    return re.findall(r"[A-Z]+-\d+|(?<=`)[^`]+(?=`)", row.rsplit("|", 1)[1])


def test_every_ambiguity_that_is_named_is_decided() -> None:
    """A-nn is a row of docs/ambiguities.md."""
    assert _lost(ids("A"), _rows("ambiguities.md", "A")) == []


def test_every_decision_about_an_ambiguity_is_shown() -> None:
    """By a check that is tested, or by a test that is there."""
    tested = checks().keys() - reasons().keys()
    for name, row in _rows("ambiguities.md", "A").items():
        shown = _shown_by(row)
        assert shown, name
        assert [each for each in shown if each not in tested and not (ROOT / each).exists()] == []


def test_every_check_that_is_named_is_in_the_checklist() -> None:
    """TF-nn and its like, also where `TF-93…95` stands for several."""
    prefixes = "|".join({check.partition("-")[0] for check in checks()})
    assert _lost(ids(prefixes), checks()) == []


def test_every_rule_of_security_that_is_named_is_one() -> None:
    """S-nn is a row of docs/security.md."""
    assert _lost(ids("S"), _rows("security.md", "S")) == []


def test_every_page_that_is_named_is_there() -> None:
    """With the heading behind its `#`."""
    named = matches(r"(?<![\w/.-])(docs/[\w./-]*[\w/](?:#[\w-]+)?)", but=_SAMPLES)
    found = set(named) | set(links())
    assert len(found) > 50
    assert [str(each) for each in found if not leads_somewhere(each.target)] == []


def test_every_decision_that_is_named_by_its_number_is_there() -> None:
    """Decision 0006 is a page of docs/decisions."""
    known = {path.name[:4] for path in (ROOT / "docs" / "decisions").iterdir()}
    assert {each.target for each in matches(r"[Dd]ecision (\d{4})")} <= known


def test_no_page_of_ours_is_named_by_a_number() -> None:
    """Chapters are the specification's; a page of ours is named with the heading behind a `#`."""
    numbered = matches(r"(?i)\b((?:architecture|operations|security|privacy)[,. ]+chapters? \d+)")
    assert [str(each) for each in numbered] == []


def test_every_file_that_is_named_is_there() -> None:
    """A path between backticks, with the test behind `::`."""
    named = set(matches(rf"`((?:{_FOLDERS}|deploy)/[\w./-]+(?:::\w+)?)`", but=_HISTORY + _SAMPLES))
    assert len(named) > 50
    assert [str(each) for each in named if not _is_file(each.target)] == []


def _is_file(target: str) -> bool:
    path, _, test = target.partition("::")
    found = ROOT / path
    return found.exists() and (not test or f"def {test}(" in found.read_text(encoding="utf-8"))


def test_every_module_that_is_named_is_there() -> None:
    """A dotted name between backticks is a module, something in it, or a permission."""
    named = set(matches(rf"`((?:{_FOLDERS})(?:\.\w+)+)`", but=_HISTORY))
    assert len(named) > 20
    assert [str(each) for each in named if not _is_there(each.target)] == []


def _is_there(name: str) -> bool:
    label, _, codename = name.partition(".")
    if any(codename == each for each, _ in _permissions(label)):
        return True
    try:
        return resolve_name(name) is not None
    except (ImportError, AttributeError):
        return False


def _permissions(label: str) -> Iterator[tuple[str, str]]:
    if apps.is_installed(label):
        for model in apps.get_app_config(label).get_models():
            yield from model._meta.permissions
