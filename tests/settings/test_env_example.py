"""`.env.example` has every setting once, with its default, explained."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def read() -> Iterator[tuple[str, str | None]]:
    """Find what the code reads from the environment, and its default where that is a constant."""
    for path in (ROOT / "settings").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="env")),
                    args=[ast.Constant(value=str(name)), *rest],
                ):
                    named = [each.value for each in node.keywords if each.arg == "default"]
                    yield name, default([*rest, *named])


def default(given: list[ast.expr]) -> str | None:
    """Return a default as it is written in the environment."""
    if not given or not isinstance(given[0], ast.Constant):
        return None
    value = given[0].value
    return str(value).lower() if isinstance(value, bool) else str(value)


def text() -> str:
    """Read the file."""
    return (ROOT / ".env.example").read_text(encoding="utf-8")


def explained() -> list[tuple[str, str]]:
    """Return the settings of the file, also those that are commented out."""
    return _LINE.findall(text())


def test_every_setting_is_in_the_example_once_and_nothing_else() -> None:
    """A setting that is new is explained there, one that is gone leaves it."""
    assert sorted(name for name, _ in explained()) == sorted({name for name, _ in read()})


def test_the_example_has_the_defaults() -> None:
    """Whoever leaves a line out gets what it says, unless it is commented out."""
    set_there = dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", text(), re.MULTILINE))
    defaults = {name: value for name, value in read() if value is not None and name in set_there}
    assert {name: set_there[name] for name in defaults} == defaults
    assert len(defaults) > 50


def test_above_each_setting_stands_what_it_is() -> None:
    """A comment, for one or several of them."""
    above, silent = "", []
    for line in text().splitlines():
        if not _LINE.match(line):
            above = line
        elif not above.startswith("# ") or above.startswith("# ---"):
            silent.append(line)
    assert silent == []
