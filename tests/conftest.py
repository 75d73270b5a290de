"""What every test may ask for: the hub on a real socket, and the cast of platforms around it."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker
from redis import RedisError

from hub import feed
from hub.delivery import backlog, engine, subscriptions
from hub.module_policy import POLICIES
from hub.tasks import delivery as delivery_tasks
from operators.token_bucket import buckets
from parties import deviations
from sandbox import SandboxPlatform
from tests.cast import Cast
from tests.embedded_hub import embedded_hub
from tests.thoroughness import LONG

# A slow machine is no fault of the code. Quick runs generate the same inputs each time, so that a
# change is judged by what it changed; the thorough ones look for new ones.
hypothesis_settings.register_profile(
    "hub", deadline=None, derandomize=not LONG, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("hub")

_LONGEST = (
    "test_bad_input_everywhere.py",
    "test_query_bound.py",
    "test_image.py",
    "test_roles.py",
    "test_growth.py",
    "test_outcomes.py",
)
_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: begun last, each would keep one worker alone."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@dataclass(frozen=True, slots=True)
class HubServer:
    """Where the hub listens."""

    url: str

    @property
    def versions_url(self) -> str:
        """The URL a platform is given."""
        return f"{self.url}/ocpi/versions"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """End what threads of ended tests still hold of the database, which is dropped after this."""
    yield
    with django_db_blocker.unblock():
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
        with connection._nodb_cursor() as cursor:
            cursor.execute(_END_SESSIONS, [connection.settings_dict["NAME"]])


@pytest.fixture(scope="session")
def _socket() -> Iterator[str]:
    with embedded_hub() as origin:
        yield origin


@pytest.fixture(autouse=True)
def _full_buckets() -> Iterator[None]:
    """Let no test use up the rate of the next one: they all come from one network."""
    yield
    if buckets._leases:
        with suppress(RedisError):
            buckets.forget()


@pytest.fixture
def hub_server(_socket: str, transactional_db: None, settings: LazySettings) -> Iterator[HubServer]:
    """Serve the hub over real HTTP, with an empty database."""
    deviations.forget()
    with override_settings(HUB_PUBLIC_URL=_socket):
        yield HubServer(_socket)
    delivery_tasks.deliverer.wait()
    deviations.forget()  # its thread must not write while the tables are emptied


@pytest.fixture
def cast(hub_server: HubServer) -> Iterator[Cast]:
    """Give the constant cast, each platform registered when first asked for."""
    with Cast(hub_server.versions_url, repeated=True) as members:
        yield members


@pytest.fixture
def pair(cast: Cast) -> tuple[SandboxPlatform, SandboxPlatform]:
    """P1 and P2, that may exchange everything of NL-CPA; how they registered is forgotten."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    cpo.forget()
    emsp.forget()
    return cpo, emsp


def _await_finality(end: float) -> None:
    """Wait until all changes are final.

    Any transaction holds the feed up, an ANALYZE of the server's own as well: what is delivered
    before is another batch than the test means, or comes by a snapshot as well.
    """
    while any(feed.is_pending(module) for module in POLICIES) and time.monotonic() < end:
        time.sleep(0.01)


@pytest.fixture
def deliver_all(hub_server: HubServer) -> Callable[[], int]:
    """Deliver everything that is behind, in this process: what beat and the workers do."""

    def run() -> int:
        worked, end = 0, time.monotonic() + 20
        # Of a restored cluster nothing is final before `reconcile`.
        _await_finality(time.monotonic() + 0.5)
        subscriptions.reconcile()
        while time.monotonic() < end:
            _await_finality(end)
            behind = [pk for module in POLICIES for pk, _ in backlog.behind(module)]
            if not behind:
                return worked
            for pk in behind:
                engine.deliver_and_wait(pk)
                worked += 1
        return worked

    return run
