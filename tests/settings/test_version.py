"""The version is in pyproject.toml, and what shows one shows that."""

import json
import re
import tomllib
from datetime import date
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from operators.groups import Role
from tests.operators.staff import console, person

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SECTIONS = {"Upgrade notes", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _releases() -> list[tuple[str, date]]:
    """Return the released versions of the changelog, and when each was."""
    found = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", CHANGELOG, re.MULTILINE)
    return [(version, date.fromisoformat(day)) for version, day in found]


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_version_is_that_of_the_newest_release() -> None:
    """Whoever releases changes pyproject.toml and the changelog together."""
    assert _releases()[0][0] == VERSION
    assert settings.HUB_VERSION == VERSION


def test_the_changelog_has_the_newest_release_first() -> None:
    """Below what is not released yet; each heading is a release, and each part of it is known."""
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert len(headings) == len(_releases()) + 1
    for (newer, later), (older, earlier) in pairwise(_releases()):
        assert _number(newer) > _number(older)
        assert later >= earlier
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= SECTIONS


@pytest.mark.django_db
def test_the_command_says_it() -> None:
    """`manage.py status` does, in words and as JSON."""
    for options, expected in (((), f"Version: {VERSION}"), (("--json",), VERSION)):
        out = StringIO()
        call_command("status", *options, stdout=out)
        said = json.loads(out.getvalue())["version"] if options else out.getvalue()
        assert expected in re.sub(r" +", " ", said)


@pytest.mark.django_db
def test_the_console_says_it_at_its_foot_to_who_is_logged_in() -> None:
    """And to nobody else: which weaknesses a hub has follows from it."""
    browser = console(person("vera", Role.VIEWER))
    for page in ("admin:index", "admin:hub_location_changelist"):
        assert f"Version {VERSION}</p>" in browser.get(reverse(page)).content.decode()
    stranger = Client().get(reverse("admin:login"))
    assert stranger.status_code == 200
    assert VERSION not in stranger.content.decode()
