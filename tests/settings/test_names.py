"""Names say what a module knows, and one name means one thing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("settings", "console", "hub", "parties", "operators", "sandbox", "database", "ocpi"),
    *("rating", "local", "bench", "tests"),
)
OF_THE_FIELD = {
    *("charging", "clearing", "forwarding", "housekeeping", "masking", "onboarding"),
    *("pricing", "rating", "routing", "spelling"),
}
"""What the field itself calls so: all other names are nouns for what a module knows."""
NOTHING_SAID = {"utils", "helpers", "misc", "common"}


def modules() -> Iterator[Path]:
    """Find every module, migrations apart."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def public_classes(package: str) -> dict[str, list[str]]:
    """Return where each public class of a package is; a command's is Django's choice."""
    found = defaultdict(list)
    for path in (ROOT / package).rglob("*.py"):
        if {"migrations", "commands"}.isdisjoint(path.parts):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(path.relative_to(ROOT).as_posix())
    return found


def test_a_module_is_named_by_a_noun() -> None:
    """No name ends in -ing but the field's own, and none says nothing."""
    names = {path.stem for path in modules()} | {path.parent.name for path in modules()}
    odd = {name for name in names if name.endswith("ing")} | names & NOTHING_SAID
    assert {name for name in odd if name.rpartition("_")[2] not in OF_THE_FIELD} == set()


@pytest.mark.parametrize("package", [name for name in PACKAGES if name not in {"ocpi", "tests"}])
def test_no_two_public_classes_of_a_package_share_a_name(package: str) -> None:
    """Whoever reads the name knows which is meant; in `ocpi` the specification names them."""
    assert {name: at for name, at in public_classes(package).items() if len(at) > 1} == {}
