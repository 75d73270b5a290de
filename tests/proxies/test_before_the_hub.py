"""A real hub behind each of the documented proxies."""

import json
import re
import time

import pytest

from tests.proxies.proxy import CONSOLE, Proxy, exchange, head

pytestmark = [
    pytest.mark.security("S-28"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]


def test_a_hub_behind_a_proxy(before_hub: Proxy) -> None:
    """Peers reach OCPI alone, people the console alone; the hub's bounds hold behind the proxy."""
    _answers_peers(before_hub)
    _refuses_long_urls_in_its_own_words(before_hub)
    _reads_no_long_body_of_a_stranger(before_hub)
    _lets_people_log_in_on_their_own_host(before_hub)
    _survives_quiet_connections(before_hub)


def _answers_peers(found: Proxy) -> None:
    answer = found.ask("/ocpi/versions", headers={"X-Correlation-ID": "c1"})
    assert answer.status == 401
    assert json.loads(answer.content)["status_code"] >= 2000
    assert answer.headers["x-correlation-id"] == "c1"
    assert found.ask("/static/logo.png").status == 200
    assert found.ask("/admin/login/").status == 404


def _refuses_long_urls_in_its_own_words(found: Proxy) -> None:
    answer = found.ask(f"/ocpi/{'x' * 5_000}")
    assert answer.status == 414
    assert json.loads(answer.content)["status_code"] == 2001


def _reads_no_long_body_of_a_stranger(found: Proxy) -> None:
    assert found.ask("/ocpi/2.2.1/x", method="PUT", body=b"x" * 4_000_000).status == 401


def _lets_people_log_in_on_their_own_host(found: Proxy) -> None:
    page = found.ask("/admin/login/", host=CONSOLE)
    assert page.status == 200
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-csrf=")
    assert "Secure" in cookie
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.content)
    assert token
    body = f"csrfmiddlewaretoken={token[1].decode()}&username=nobody&password=wrong".encode()
    headers = {
        "Cookie": cookie.partition(";")[0],
        "Origin": f"https://{CONSOLE}",
        "Referer": f"https://{CONSOLE}/admin/login/",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    sent = found.ask("/admin/login/", host=CONSOLE, method="POST", body=body, headers=headers)
    assert sent.status == 200, "the form was refused, not the password"


def _survives_quiet_connections(found: Proxy) -> None:
    """The hub ends a quiet connection after five seconds; the proxy does not go on with it."""
    with found.tls() as connected:
        assert exchange(connected, head("/ocpi/versions", "hub.example.com")).status == 401
        time.sleep(5.5)
        assert exchange(connected, head("/ocpi/versions", "hub.example.com")).status == 401
