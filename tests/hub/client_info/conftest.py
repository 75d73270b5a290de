"""A cast that is sent who is connected, and what beat and workers do for it."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings

from hub.client_info import push, status
from tests.cast import Cast
from tests.conftest import HubServer


@pytest.fixture
def cast(hub_server: HubServer, settings: LazySettings) -> Iterator[Cast]:
    """Give the constant cast; every platform offers a RECEIVER of client info."""
    settings.HUB_CLIENT_INFO_SECONDS = 0
    with Cast(hub_server.versions_url, client_info=True, repeated=True) as members:
        yield members


@pytest.fixture
def tell_all(hub_server: HubServer) -> Callable[[], None]:
    """Bring client info in line and send it to everybody, in this process."""

    def run() -> None:
        status.refresh_statuses()
        for platform_id in push.behind():
            push.send(platform_id)

    return run
