"""Where results may be sent: only to addresses the hub may call, judged when they are called too.

Spec: 2.2.1 mod_commands, `response_url`; A-107.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.models import Callback
from ocpi.client import AddressPolicy
from tests.cast import Cast
from tests.hub.gateway.commands import Asking, answered, emsp_and_cpo
from tests.other_client import other_client

DONE = {"result": "ACCEPTED"}
REFUSED = (
    "https://169.254.169.254/x",
    "http://169.254.169.254/latest/meta-data",
    "https://[fe80::1]/",
    "https://[::ffff:169.254.169.254]/x",
    "https://2852039166/x",
    "https://user:password@example.com/",
    "https://exa mple.com/",
    "https://example.com/\r\nX-A: b",
    "https://example.com/\x00",
    "https:///x",
    "ftp://example.com/x",
    "file:///etc/passwd",
    "/relative",
    "x",
    "",
    f"https://example.com/{'x' * 240}",
)


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA, that has asked NL-CPA to start a session."""
    asking = emsp_and_cpo(cast)
    assert answered(asking.command("START_SESSION")) == (200, 1000)
    return asking


@pytest.mark.conformance("TF-46")
@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_must_not_be_called_is_refused(asking: Asking, url: str) -> None:
    """Internal addresses, odd spellings and other schemes: 2001, nothing is forwarded."""
    asking.asked.forget()

    result = asking.command("START_SESSION", asking.body("START_SESSION", response_url=url))

    assert answered(result) == (200, 2001)
    assert "response_url" in str(result.message)
    assert (asking.asked.seen, Callback.objects.count()) == ([], 1)


@pytest.mark.conformance("TF-46")
def test_only_https_and_public_addresses_unless_allowed(asking: Asking) -> None:
    """As in production: plain http, and this machine, are refused from the start."""
    with _as_in_production():
        for url in ("http://example.com/x", "https://127.0.0.1/x", "https://localhost/x"):
            result = asking.command("STOP_SESSION", asking.body("STOP_SESSION", response_url=url))
            assert answered(result) == (200, 2001), url
    assert len(asking.asked.seen) == 1


@pytest.mark.conformance("TF-46")
def test_a_name_that_moves_into_the_hubs_network_is_not_called(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was fine when the command came; what it stands for counts when it is called."""
    url = f"http://moving.example:{asking.asker.port}/results/7"
    asking.command("STOP_SESSION", asking.body("STOP_SESSION", response_url=url))
    monkeypatch.setattr(socket, "getaddrinfo", _looked_up("169.254.169.254"))

    assert answered(asking.result(DONE)) == (200, 4000)
    monkeypatch.setattr(socket, "getaddrinfo", _looked_up("127.0.0.1"))
    assert answered(asking.result(DONE)) == (200, 1000)


def _looked_up(address: str) -> Callable[..., Any]:
    """Give every name this address; addresses stay what they are."""
    usual = socket.getaddrinfo

    def look_up(host: str, *args: Any, **options: Any) -> Any:
        return usual(address if host.endswith(".example") else host, *args, **options)

    return look_up


@contextmanager
def _as_in_production() -> Iterator[None]:
    """Let the hub call public addresses by https only."""
    with other_client(AddressPolicy()):
        yield
