"""Who owns what in this tree is said where a reader looks for it."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {".js", ".css", ".html", ".py", ".svg", ".png", ".txt"}
"""Kinds of files of the console that are written here."""
THEIRS = {"leaflet"}
"""Folders in which nothing is."""


def _project() -> dict[str, object]:
    project: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def test_the_licence_is_the_one_the_project_declares() -> None:
    """The project is under the Apache License 2.0: its text, and its name for tools."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert _project()["license"] == "Apache-2.0"
    assert _project()["license-files"] == ["LICENSE", "NOTICE"]


@pytest.mark.parametrize("package", ["console", "operators"])
def test_what_others_made_is_named_in_the_notice(package: str) -> None:
    """A file that is not written here, and its licence beside it, stand in NOTICE."""
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for path in (ROOT / package / "static").rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        is_theirs = path.suffix not in OURS or path.stem.startswith("LICEN")
        if path.is_file() and (is_theirs or path.parent.name in THEIRS):
            assert name in notice, name


def test_who_finds_a_weakness_is_told_where_to_report_it() -> None:
    """SECURITY.md says how to report, what to expect and which versions are mended."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for heading in ("## Reporting", "## What to expect", "## Supported versions"):
        assert heading in text
