"""A list taken away as a file, in a real browser: a bar shows how far it is, the disk gets it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import expect

from hub import export
from hub.export import FileChunk
from operators.groups import Role
from settings import answers
from tests.browser.conftest import Enter
from tests.console.test_charged_objects import a_session
from tests.factories import PartyFactory

LONGEST_SECONDS = 20


@pytest.fixture
def sessions(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four sessions, two to a part of a file."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(role="EMSP", country_code="DE", party_id="MSA")
    for number in range(4):
        a_session(f"S{number}")
    monkeypatch.setattr(export, "CHUNK", 2)
    monkeypatch.setattr(answers, "_PART_BYTES", 1)  # or these parts go out as one


@pytest.fixture
def goes_on(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Hold files up half way until this is set."""
    event = Event()

    def held(*given: Any, **more: Any) -> Iterator[FileChunk]:
        for number, part in enumerate(export.file_chunks(*given, **more)):
            if number == 2:
                event.wait(LONGEST_SECONDS)
            yield part

    monkeypatch.setattr("console.export.file_chunks", held)
    return event


def test_a_bar_shows_how_far_a_file_is(
    enter: Enter, sessions: None, goes_on: Event, tmp_path: Path, screenshots: Path
) -> None:
    """Half of it, then all of it; then it may be asked for once more."""
    page = enter(Role.SUPPORT)
    page.goto("/admin/hub/session/export/")
    button = page.get_by_role("button", name="Export")
    with page.expect_download() as begun:
        button.click()
        expect(page.get_by_text("The file is on its way. Rows: 2")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_have_js_property("value", 0.5)
        expect(button).to_be_disabled()
        page.screenshot(path=screenshots / "export.png")
        goes_on.set()
    begun.value.save_as(tmp_path / "sessions.csv")
    expect(page.get_by_text("The file is complete. Rows: 4")).to_be_visible()
    assert len((tmp_path / "sessions.csv").read_text().splitlines()) == 5
    with page.expect_download():
        button.click()
    expect(page.get_by_text("The file is complete. Rows: 4")).to_be_visible()


def test_without_scripts_the_file_comes_alone(enter: Enter, sessions: None, tmp_path: Path) -> None:
    """The form is one that any browser sends."""
    page = enter(Role.SUPPORT, java_script_enabled=False)
    page.goto("/admin/hub/session/export/")
    with page.expect_download() as begun:
        page.get_by_role("button", name="Export").click()
    begun.value.save_as(tmp_path / "sessions.csv")
    assert len((tmp_path / "sessions.csv").read_text().splitlines()) == 5
    expect(page.get_by_role("progressbar")).to_have_count(0)
