"""From which address a request comes, and what of it a client cannot change at will."""

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from operators.client_ip import address_of, network_of


@pytest.mark.parametrize(
    "seen, address",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
        ("unknown", None),
        ("192.0.2.1:x", None),
    ],
)
def test_a_proxy_names_an_address_in_its_own_way(
    settings: LazySettings, seen: str, address: str | None
) -> None:
    """With a port or without; one of IPv4 is the same through a dual-stack socket."""
    settings.HUB_PROXIES = 1
    assert address_of(RequestFactory().get("/", headers={"X-Forwarded-For": seen})) == address


def test_clients_of_ipv4_are_told_apart_and_those_of_ipv6_by_their_half() -> None:
    """One attacker has a whole /64, and a single address of IPv4."""
    assert network_of("::ffff:192.0.2.1") != network_of("::ffff:192.0.2.2")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    assert network_of("2001:db8::1") == network_of("2001:db8::2") == "2001:db8::"
