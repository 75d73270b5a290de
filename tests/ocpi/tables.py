"""The field tables of the specification, as our notes and the copy beside this file hold them."""

import json
import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
KEPT = HERE / "tables.json"
DOCUMENT = HERE.parents[2] / "shared" / "spec" / "datatypes.md"

CHAPTERS = tuple(f"1.{number}" for number in range(1, 12))
COLUMNS = ("property", "type", "cardinality", "2.1.1", "2.2", "2.3.0", "branches")
VERSIONS = ("2.2", "2.2.1")

_SECTION = re.compile(r"^### (1\.\d+) .*?\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
_CLASS = re.compile(r"^\*\*(\w+)\*\*\n\n((?:\|.*\n)+)", re.MULTILINE)
_ENUM = re.compile(r"^\| \*\*(\w+)\*\* \|(.*)\|$", re.MULTILINE)
_NAME = re.compile(r"`([^`]+)`")


class Tables(NamedTuple):
    """The classes of one version, field by field as type and cardinality, and its enums."""

    classes: dict[str, dict[str, list[str]]]
    enums: dict[str, list[str]]


def kept() -> dict[str, Tables]:
    """Read the copy that travels with the tests."""
    return {version: Tables(**tables) for version, tables in json.loads(KEPT.read_text()).items()}


def documented() -> dict[str, Tables]:
    """Read the document itself."""
    text = DOCUMENT.read_text()
    return {version: _tables(text, version) for version in VERSIONS}


def _tables(text: str, version: str) -> Tables:
    tables = Tables({}, {})
    for chapter, section in _SECTION.findall(text):
        if chapter not in CHAPTERS:
            continue
        for name, rows in _CLASS.findall(section):
            tables.classes[name] = _fields(rows, version)
        for name, cells in _ENUM.findall(section):
            tables.enums[name] = _values(cells.split("|"), version)
    return tables


def _fields(rows: str, version: str) -> dict[str, list[str]]:
    fields = {}
    for line in rows.splitlines()[2:]:
        row = dict(zip(COLUMNS, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
        delta = row.get(version, "=")
        if row["property"].startswith("_") or delta == "—":
            continue
        name = _NAME.findall(row["property"])[0]
        kind, _, cardinality = delta.removeprefix("=").partition("card ")
        fields[name] = [kind or row["type"], cardinality or row["cardinality"]]
    return fields


def _values(cells: list[str], version: str) -> list[str]:
    values = _NAME.findall(cells[0])
    delta = cells[2].strip() if version == "2.2" else "="
    lacking = _NAME.findall(delta) if delta.startswith("lacks") else []
    return [value for value in values if value not in lacking]
