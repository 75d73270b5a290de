"""The message log as a test reads it: opened, and written when the test wants to look."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.management import call_command

from hub.message_log.writer import writer
from hub.models import Exchange
from tests.conftest import HubServer

Logged = Callable[[], list[Exchange]]


@pytest.fixture
def logged(hub_server: HubServer, settings: LazySettings) -> Iterator[Logged]:
    """Open the log; called, it writes what there is and returns all of it in order."""
    settings.HUB_MESSAGE_LOG_DAYS = 14
    apps.get_app_config("hub").ready()  # other tests set clients up that nobody listens to

    def read() -> list[Exchange]:
        assert writer.flush()
        return list(Exchange.objects.order_by("at", "id"))

    yield read
    writer.close()


def told(*words: str) -> str:
    """Run a command and return what it prints."""
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def told_json(*words: str) -> Any:
    """Run a command with `--json` and return its value."""
    return json.loads(told(*words, "--json"))
