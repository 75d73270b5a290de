"""The hub is never its own peer, whoever names it as one (S-12)."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from yarl import URL

from hub.models import Callback
from ocpi.client import ITSELF
from ocpi.server import answered as answered_signal
from ocpi.transport import envelope
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Platform
from sandbox.misbehaviour import say
from tests.cast import Cast
from tests.conftest import HubServer
from tests.hub.gateway.commands import answered, emsp_and_cpo
from tests.parties.wire import Wire, code, invited, said

pytestmark = pytest.mark.security("S-12")


@pytest.fixture
def wire(hub_server: HubServer) -> Wire:
    """Return a stranger's HTTP client."""
    return Wire(hub_server.versions_url)


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Count the requests that reach the hub."""
    paths: list[str] = []

    def note(view: Any, **_: Any) -> None:
        paths.append(view.request.path)

    answered_signal.connect(note)
    yield paths
    answered_signal.disconnect(note)


def _offer(url: str, token: str = "token-of-the-platform") -> dict[str, Any]:
    role = {"role": "CPO", "country_code": "NL", "party_id": "CPA"}
    return {"token": token, "url": url, "roles": [{**role, "business_details": {"name": "A"}}]}


def test_credentials_that_name_the_hub_are_refused(
    wire: Wire, asked: list[str], settings: LazySettings
) -> None:
    """3001 in one sentence; nothing is asked, nothing stored, the token A stays good."""
    settings.ALLOWED_HOSTS = ["127.0.0.1", "alias.example"]
    token_a = invited().token
    for spelled in ("127.0.0.1", "localhost", "LOCALHOST.", "127.0.0.9", "alias.example"):
        asked.clear()
        body = _offer(wire.versions_url.replace("127.0.0.1", spelled), token_a)
        response = wire.post(token_a, body)
        assert code(response) == (200, 3001), spelled
        assert ITSELF in said(response)
        assert len(asked) == 1
    assert Platform.objects.get().status == ConnectionStatus.PLANNED
    assert Credentials.objects.count() == 1


def test_a_name_that_leads_to_the_hub_is_refused_at_its_own_door(
    wire: Wire, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name nobody told the hub about: its own request comes back, and is answered 3001."""
    monkeypatch.setattr(socket, "getaddrinfo", _looked_up)
    token_a = invited().token

    response = wire.post(
        token_a, _offer(wire.versions_url.replace("127.0.0.1", "a.example"), token_a)
    )

    assert code(response) == (200, 3001)
    assert f"a.example:{URL(wire.versions_url).port}/ocpi/versions: {ITSELF}" in said(response)
    assert len(asked) == 2
    assert Credentials.objects.get().first_used_at is not None
    assert Platform.objects.get().status == ConnectionStatus.PLANNED


def test_version_details_that_name_the_hub_are_refused(
    wire: Wire, cast: Cast, asked: list[str]
) -> None:
    """As version details, or as the endpoint of a module: 3001, nothing is stored."""
    platform = cast["P1"]
    token = platform.tokens.issue()
    endpoint = {"identifier": "locations", "role": "SENDER"}
    url = f"{wire.versions_url.removesuffix('versions')}2.2.1"
    offered = (
        ("GET /ocpi/versions", [{"version": "2.2.1", "url": url}]),
        (
            "GET /ocpi/2.2.1",
            {"version": "2.2.1", "endpoints": [{**endpoint, "url": f"{url}/sender/locations"}]},
        ),
    )
    for where, data in offered:
        with platform.answer(where, say(200, envelope.render(data=json.dumps(data).encode()))):
            asked.clear()
            response = wire.put(platform.hub.token, platform.credentials(token))
        assert code(response) == (200, 3001), where
        assert ITSELF in said(response)
        assert len(asked) == 1


def test_results_are_not_sent_to_the_hub(cast: Cast, asked: list[str]) -> None:
    """A `response_url` at the hub is 2001: nothing is forwarded, nothing remembered."""
    asking = emsp_and_cpo(cast)
    origin = asking.asker.hub.connected.versions_url.removesuffix("/ocpi/versions")
    for url in (f"{origin}/ocpi/2.2.1/sender/commands/x", origin.replace("127.0.0.1", "localhost")):
        result = asking.command("STOP_SESSION", asking.body("STOP_SESSION", response_url=url))
        assert answered(result) == (200, 2001)
        assert ITSELF in str(result.message)
    assert (asking.asked.seen, Callback.objects.count()) == ([], 0)


def test_the_operator_cannot_register_the_hub_with_itself(
    wire: Wire, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own versions URL, or a token A of its own making: one sentence, nothing is asked."""
    monkeypatch.setattr(socket, "getaddrinfo", _looked_up)
    own = invited(name="own").token
    for url, token, sentence in (
        (wire.versions_url, "foreign-token", ITSELF),
        ("http://a.example:1/ocpi/versions", own, "made by this hub"),
    ):
        options = ("--role=EMSP:DE:MSA", "--versions-url", url, "--token-a", token)
        with pytest.raises(CommandError, match=sentence):
            call_command("register_platform", "P2", *options)
    assert asked == []


_usual = socket.getaddrinfo


def _looked_up(host: str, *args: Any, **options: Any) -> Any:
    """Give names this machine's address."""
    return _usual("127.0.0.1" if host.endswith(".example") else host, *args, **options)
