"""How many requests a minute somebody may send, and what the next one gets."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import LazySettings
from django.test import Client

from hub.broker import connection
from hub.models import Throttled
from ocpi.transport.authorization import header
from operators.token_bucket import Buckets, buckets, impatient_connection
from parties import tokens
from parties.models import Credentials, TokenKind
from tests.cast import CPA, HUB, Cast, a_location, command, push
from tests.conftest import HubServer
from tests.hub.gateway.real_platforms import Pair
from tests.hub.message_log.conftest import Logged, logged
from tests.parties.commands import run, run_json

IDS = {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"}
__all__ = ["logged"]  # a fixture of another folder
pytestmark = pytest.mark.security("S-07")


def _statuses(call: Callable[[], int], times: int) -> list[int]:
    return [call() for _ in range(times)]


def _stranger(hub: HubServer, headers: dict[str, str]) -> Callable[[], int]:
    """Return a call of somebody without a token, which tells its HTTP status."""
    origin = urlsplit(hub.url)

    def call() -> int:
        connected = HTTPConnection(origin.hostname or "", origin.port, timeout=10)
        connected.request("GET", "/ocpi/versions", headers=headers)
        status = connected.getresponse().status
        connected.close()
        return status

    return call


def test_a_platform_over_its_rate_is_told_when_to_come_back(
    pair: Pair, settings: LazySettings
) -> None:
    """429, Retry-After, an envelope with 2000 and a sentence, and the caller's own ids."""
    settings.HUB_REQUESTS_PER_MINUTE = 3
    cpo, _ = pair
    results = [push(cpo, a_location(number=1)) for _ in range(4)]

    assert [each.http_status for each in results[:3]] == [201, 200, 200]
    refused = results[-1]
    assert (refused.http_status, refused.status_code) == (429, 2000)
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert "3 requests a minute; try again in" in str(refused.message)
    assert refused.headers["X-Request-ID"]
    assert refused.headers["X-Correlation-ID"]


def test_one_platform_does_not_use_up_anothers_rate(pair: Pair, settings: LazySettings) -> None:
    """Each has its own bucket, whatever address it calls from."""
    settings.HUB_REQUESTS_PER_MINUTE = 2
    cpo, emsp = pair
    for _ in range(4):
        push(cpo, a_location())

    assert emsp.hub.get("locations", "SENDER", "", to=HUB).http_status == 200


def test_a_platform_may_have_a_rate_of_its_own(
    pair: Pair, settings: LazySettings, admin_client: Client
) -> None:
    """Its quirk overrides the setting, at the terminal and on its page."""
    settings.HUB_REQUESTS_PER_MINUTE = 1
    assert command("quirks", "P1", "requests_per_minute=5")["requests_per_minute"] == 5
    cpo, _ = pair
    statuses = _statuses(lambda: push(cpo, a_location()).http_status, 7)

    assert statuses == [201, 200, 200, 200, 200, 429, 429]
    [described] = [each for each in command("platforms") if each["name"] == "P1"]
    assert described["requests_per_minute"] == 5


def test_strangers_have_a_rate_by_network(hub_server: HubServer, settings: LazySettings) -> None:
    """An unknown token gets 401, then 429; behind a proxy each address it saw has its own rate."""
    settings.HUB_STRANGER_REQUESTS_PER_MINUTE, settings.HUB_PROXIES = 2, 1
    one = _stranger(hub_server, {"X-Forwarded-For": "192.0.2.1", **IDS})
    other = _stranger(hub_server, {"X-Forwarded-For": "192.0.2.2"})
    forged = _stranger(hub_server, {"X-Forwarded-For": "198.51.100.7, 192.0.2.1"})
    six = _stranger(hub_server, {"X-Forwarded-For": "2001:db8:1:2::1"})
    neighbour = _stranger(hub_server, {"X-Forwarded-For": "2001:db8:1:2:ffff::9"})

    assert _statuses(one, 4) == [401, 401, 429, 429]
    assert other() == 401
    assert forged() == 429
    assert [six(), six(), neighbour()] == [401, 401, 429]


def test_a_lost_token_uses_up_nobodys_rate(cast: Cast, settings: LazySettings) -> None:
    """Who presents a platform's withdrawn token is a stranger; the platform goes on."""
    settings.HUB_STRANGER_REQUESTS_PER_MINUTE = settings.HUB_REQUESTS_PER_MINUTE = 5
    cpo = cast["P1"]
    buckets.forget()
    lost = _stranger(HubServer(cast.versions_url.removesuffix("/ocpi/versions")), _lost_token())

    assert _statuses(lost, 7) == [401] * 5 + [429] * 2
    assert push(cpo, a_location()).http_status == 201


def _lost_token() -> dict[str, str]:
    """Return the header of a token A that was used."""
    used = Credentials.objects.get(platform__name="P1", kind=TokenKind.A)
    lost = "a-lost-token"
    Credentials.objects.filter(pk=used.pk).update(digest=tokens.digest(lost))
    return {"Authorization": header(lost)}


def test_without_redis_nobody_is_held_up(pair: Pair, settings: LazySettings) -> None:
    """Limits fail open: a hub without its broker still takes messages."""
    settings.HUB_REQUESTS_PER_MINUTE = 1
    with _away(lambda: redis.Redis(port=1, socket_connect_timeout=0.2)):
        results = [push(pair[0], a_location()) for _ in range(4)]
    assert {each.http_status for each in results} <= {200, 201}


def test_a_redis_that_hangs_is_asked_once(settings: LazySettings) -> None:
    """Who waited for it in vain once does not wait with each request."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        asked = Buckets(partial(impatient_connection, f"redis://127.0.0.1:{port}/0"))
        assert [asked.wait("x", per_minute=1) for _ in range(50)] == [0.0] * 50
        silent.settimeout(0)
        taken = 0
        while _accepts(silent):
            taken += 1
    assert taken <= 2


def _accepts(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@contextmanager
def _away(elsewhere: "Callable[[], redis.Redis]") -> Iterator[None]:
    """Let the buckets look for Redis elsewhere."""
    there, buckets._connection = buckets._connection, elsewhere
    try:
        yield
    finally:
        buckets._connection = there
        buckets.forget()


def test_processes_and_threads_share_a_bucket(hub_server: HubServer) -> None:
    """However many take at once, no more than a minute's tokens are given."""
    others = [Buckets(connection) for _ in range(4)]
    passed: list[bool] = []

    def take(each: Buckets) -> None:
        passed.extend(each.wait("shared", per_minute=60) == 0 for _ in range(40))

    threads = [threading.Thread(target=take, args=(each,)) for each in others * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 60 <= sum(passed) <= 60 + 15  # what came in meanwhile, a second's each


class _Asked:
    """Redis, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> "redis.Redis":
        self.times += 1
        return connection()


def test_most_requests_ask_nobody(hub_server: HubServer) -> None:
    """A process leases tokens: a thousand requests cost some tens of round trips."""
    own = Buckets(asked := _Asked())
    assert [own.wait("busy", per_minute=6_000) for _ in range(1_000)] == [0.0] * 1_000
    assert asked.times <= 100


def test_a_flood_of_refused_requests_costs_no_round_trips(hub_server: HubServer) -> None:
    """How long there is no token is remembered."""
    own = Buckets(asked := _Asked())
    own.wait("flood", per_minute=1)
    assert min(own.wait("flood", per_minute=1) for _ in range(500)) > 0
    assert asked.times <= 5


def test_what_came_too_fast_is_counted(
    pair: Pair, hub_server: HubServer, logged: Logged, settings: LazySettings, admin_client: Client
) -> None:
    """By platform and for strangers: in the figures, by command, on dashboard and page."""
    settings.HUB_REQUESTS_PER_MINUTE, settings.HUB_STRANGER_REQUESTS_PER_MINUTE = 1, 1
    settings.HUB_STRANGER_ROWS_PER_MINUTE = 2
    _statuses(lambda: push(pair[0], a_location()).http_status, 10)
    _statuses(_stranger(hub_server, {}), 6)

    rows = logged()

    told_of = {each["platform"]: each["number"] for each in run_json("status")["throttled"]}
    assert told_of == {"P1": 9, "": 5}
    assert "P1 9, strangers 5" in run("status")
    assert len([row for row in rows if row.http_status == 429]) <= 2 * 3
    assert Throttled.objects.count() <= 4
    assert b"strangers" in admin_client.get("/admin/").content
    [platform] = [row for row in rows if row.platform == "P1"][:1]
    assert platform.sender == str(CPA)


def test_log_ins_have_a_rate_by_network(client: Client, settings: LazySettings, db: None) -> None:
    """The page where passwords are tried answers 429 to a network that asks too often."""
    settings.HUB_LOGIN_REQUESTS_PER_MINUTE, settings.HUB_PROXIES = 2, 1
    buckets.forget()
    answers = [
        client.get("/admin/login/", headers={"X-Forwarded-For": "192.0.2.7"}) for _ in range(3)
    ]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) >= 1
    elsewhere = client.get("/admin/login/", headers={"X-Forwarded-For": "192.0.2.8"})
    assert elsewhere.status_code == 200
    for page in ("/admin/two-factor/verify/", "/admin/oidc/", "/admin/oidc/callback/"):
        answer = client.get(page, headers={"X-Forwarded-For": "192.0.2.7"})
        assert answer.status_code == 429, page
