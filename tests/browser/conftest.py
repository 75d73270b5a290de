"""People at the console, each with a browser of their own: Debian's Chromium, without a window.

Not part of `make test`: `make test-browser` installs what it needs.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from celery.signals import worker_init
from django.conf import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from hub.tasks import delivery as delivery_tasks
from operators.groups import Role
from settings.celery import start_log_process
from tests.browser.a_day import Day
from tests.browser.page_rules import Watch
from tests.cast import Cast
from tests.conftest import HubServer
from tests.hub.message_log.conftest import Logged, logged
from tests.operators.staff import console, person

__all__ = ["logged"]

Look = Callable[[Callable[[], bool]], None]
"""Waits until something is so."""
Enter = Callable[..., Page]
"""Sits a person in a role down at the console: `enter(Role.VIEWER)`; without one, at the log-in."""

_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_PATIENCE = 10_000
_SIZE = {"width": 1280, "height": 900}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the pictures be kept, and the browser be insisted on."""
    parser.addoption("--screenshots", type=Path, help="the folder that pictures are written to")
    parser.addoption(
        "--need-chromium", action="store_true", help="fail, rather than skip, without Chromium"
    )


@pytest.fixture
def screenshots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give the folder for pictures; unless it was asked for, one that is thrown away."""
    return request.config.getoption("--screenshots") or tmp_path


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Start the browser once, with an empty profile."""
    program = shutil.which("chromium")
    if program is None:
        give_up = pytest.fail if pytestconfig.getoption("--need-chromium") else pytest.skip
        give_up("there is no `chromium` on PATH: `make test-browser` installs it")
    # Playwright leaves its loop running in this thread; Django takes that for a coroutine.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=_PATIENCE)
        browser = playwright.chromium.launch(executable_path=program, args=list(_OPTIONS))
        yield browser
        browser.close()


@pytest.fixture
def enter(chromium: Browser, hub_server: HubServer) -> Iterator[Enter]:
    """Let people in; at the end no page of theirs may have complained or asked another host."""
    watch = Watch(hub_server.url)
    contexts = []

    def sit_down(role: Role | None = None, **options: Any) -> Page:
        options = {"viewport": _SIZE, **options}
        context = chromium.new_context(base_url=hub_server.url, **options)
        contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        watch.over(context)
        if role is not None:
            name = settings.SESSION_COOKIE_NAME
            cookie = console(person(f"{role.group}-{len(contexts)}", role)).cookies[name].value
            context.add_cookies([{"name": name, "value": cookie, "url": hub_server.url}])
        return context.new_page()

    yield sit_down
    for context in contexts:
        context.close()
    assert watch.faults == []
    assert watch.requests


@pytest.fixture
def at_work(hub_server: HubServer) -> Iterator[None]:
    """Let a worker deliver what the console and the platforms give it to do.

    It starts no log process: that would write into the database of the settings, not the tests'.
    """
    worker_init.disconnect(start_log_process)
    try:
        with start_worker(
            current_app, pool="solo", perform_ping_check=False, queues="wake,realtime,bulk"
        ):
            yield
    finally:
        worker_init.connect(start_log_process)
    delivery_tasks.deliverer.wait()


@pytest.fixture
def look() -> Look:
    """Wait for what a worker does."""

    def wait(until: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE / 1_000
        while not until():
            assert time.monotonic() < end
            time.sleep(0.05)

    return wait


@pytest.fixture
def day(cast: Cast, deliver_all: Callable[[], int], logged: Logged) -> Day:
    """A hub in the evening."""
    past = Day(cast, deliver_all, logged, Random(7))
    past.pass_by()
    return past
