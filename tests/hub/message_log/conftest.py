"""The message log as a test reads it: opened, and written when the test wants to look."""

from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.conf import LazySettings

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
