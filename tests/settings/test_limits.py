"""The page of limits, the settings and the constants of the code say the same."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("ocpi", "database", "parties", "operators", "hub", "console", "settings", "rating")
_ROW = re.compile(
    r"^\| (?P<what>[^|]+) \| (?P<value>[^|]+) \| `(?P<where>[^`|]+)` \| (?P<gets>[^|]+) \|$"
)
_BOUND = re.compile(r"(MOST|LONGEST)_[A-Z_]+")


class Limit(NamedTuple):
    """A row of the page."""

    what: str
    value: str
    where: str
    gets: str


def _limits() -> list[Limit]:
    lines = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8").splitlines()
    found = (_ROW.match(line) for line in lines)
    return [Limit(*map(str.strip, match.groups())) for match in found if match]


def _constants() -> Iterator[str]:
    """Find every public constant that is named as a bound."""
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        if {"sandbox", "migrations"}.isdisjoint(path.parts):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for name in _bounds(path):
                yield f"{module.removesuffix('.__init__')}.{name}"


def _bounds(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (name.id for name in targets if isinstance(name, ast.Name))
            yield from filter(_BOUND.fullmatch, names)


def _defined(where: str) -> object:
    """Return what a row names: a setting's value here, or a constant's."""
    if "." not in where:
        return getattr(settings, where)
    module, _, name = where.rpartition(".")
    return getattr(import_module(module), name)


NO_BOUNDS = frozenset(
    {
        "HUB_BIND_PORT",
        "HUB_CLIENT_INFO_SECONDS",
        "HUB_DELIVERY_LEASE_SECONDS",
        "HUB_DISPATCH_SECONDS",
        "HUB_IDLE_SECONDS",
        "HUB_PROXIES",
        "HUB_PULL_FULL_DAYS",
        "HUB_PULL_HOURS",
        "HUB_PULL_OVERLAP_MINUTES",
        "HUB_PULL_PAUSE",
        "HUB_RENEWAL_DAYS",
        "HUB_WEB_WORKERS",
    }
)
"""Numbers that say how the hub itself goes about its work, and refuse nobody anything."""


@pytest.mark.parametrize("limit", _limits(), ids=lambda limit: limit.where)
def test_a_row_of_the_page_is_true(limit: Limit) -> None:
    """The number of the page is the default of the setting, or the constant's."""
    if "." in limit.where:
        assert float(limit.value.split()[0]) == float(str(_defined(limit.where)))
    else:
        assert hasattr(settings, limit.where)
        default = re.search(
            rf'"{limit.where}",\s*([\d_.]+)', (ROOT / "settings" / "hub.py").read_text()
        )
        assert default, f"{limit.where} has no default in settings/hub.py"
        assert float(limit.value.split()[0]) == float(default[1])
        assert limit.where in (ROOT / ".env.example").read_text(encoding="utf-8")


def test_every_bound_of_the_code_is_on_the_page() -> None:
    """A public constant named MOST_… or LONGEST_… is a bound, and has a row."""
    rows = {limit.where for limit in _limits()}
    assert sorted(set(_constants()) - rows) == []


def test_every_number_an_operator_sets_is_a_bound_with_a_row() -> None:
    """A new setting stands on the page, or among those that bound nobody."""
    text = (ROOT / "settings" / "hub.py").read_text(encoding="utf-8")
    numbers = set(re.findall(r'env\.(?:integer|number)\(\s*"(HUB_[A-Z0-9_]+)"', text))
    rows = {limit.where for limit in _limits()}
    assert sorted(numbers - rows - NO_BOUNDS) == []
    assert sorted(NO_BOUNDS - numbers) == []


def test_no_bound_hides_behind_a_private_name_where_peers_come_in() -> None:
    """What refuses or cuts what somebody else sent is public, and so has a row."""
    for folder in (
        "settings",
        "ocpi/shape.py",
        "hub/gateway/callbacks.py",
        "hub/pull/quarantine.py",
    ):
        code = ROOT / folder
        for path in code.glob("*.py") if code.is_dir() else [code]:
            found = re.findall(r"^_(?:MOST|LONGEST)_[A-Z_]+", path.read_text("utf-8"), re.MULTILINE)
            assert set(found) <= {"_LONGEST_PATH"}, path


def test_each_row_is_the_only_one_of_its_bound() -> None:
    """Two rows about one number would part ways."""
    where = [limit.where for limit in _limits()]
    assert len(where) == len(set(where))
