"""The hub recognises itself in every spelling of its own address (S-12)."""

import pytest
from yarl import URL

from ocpi.client import ITSELF, AddressPolicy, AddressRefused, OcpiClient, OwnAddress, Peer
from tests.ocpi.client.conftest import IMPATIENT, StartPeer
from tests.ocpi.client.raw_peer import always, http

pytestmark = pytest.mark.security("S-12")

HUB = OwnAddress.of(
    "https://hub.example.com", ["hub.example.com", "alias.example.com", "*", ".x.org"]
)
DEVELOPMENT = OwnAddress.of("http://127.0.0.1:8000", ["127.0.0.1"])
ODD = OwnAddress.of("https://bücher.example:8443/hub", [])


@pytest.mark.parametrize(
    "own, url",
    [
        (HUB, "https://hub.example.com"),
        (HUB, "https://hub.example.com/ocpi/versions"),
        (HUB, "https://HUB.Example.COM/ocpi/versions?x=1"),
        (HUB, "https://hub.example.com./ocpi/versions"),
        (HUB, "https://hub.example.com../"),
        (HUB, "https://hub.example.com:443/"),
        (HUB, "https://hub.example.com:0443/"),
        (HUB, "http://hub.example.com/"),
        (HUB, "http://hub.example.com:80/"),
        (HUB, "http://hub.example.com:443/"),
        (HUB, "https://alias.example.com/ocpi/versions"),
        (DEVELOPMENT, "http://127.0.0.1:8000/"),
        (DEVELOPMENT, "http://localhost:8000/"),
        (DEVELOPMENT, "http://LOCALHOST.:8000/"),
        (DEVELOPMENT, "http://a.localhost:8000/"),
        (DEVELOPMENT, "http://127.0.0.2:8000/"),
        (DEVELOPMENT, "http://[::1]:8000/"),
        (DEVELOPMENT, "http://[0:0:0:0:0:0:0:1]:8000/"),
        (DEVELOPMENT, "http://[::ffff:127.0.0.1]:8000/"),
        (ODD, "https://xn--bcher-kva.example:8443/hub/ocpi/versions"),
        (ODD, "https://XN--BCHER-KVA.example.:8443/hub"),
    ],
)
def test_each_spelling_is_the_hub(own: OwnAddress, url: str) -> None:
    """Case, dots at the end, usual ports, either scheme, IDN, addresses of the machine itself."""
    assert own.includes(URL(url, encoded=True))
    policy = AddressPolicy(allow_private=True, allow_http=True, own=lambda: own)
    with pytest.raises(AddressRefused):
        policy.check_url(url)


@pytest.mark.parametrize(
    "own, url",
    [
        (HUB, "https://hub.example.com:8443/"),
        (HUB, "https://cpo.example.com/hub.example.com"),
        (HUB, "https://hub.example.com.evil.example/"),
        (HUB, "https://xhub.example.com/"),
        (HUB, "https://cpo.x.org/"),
        (DEVELOPMENT, "http://127.0.0.1:8001/"),
        (ODD, "https://xn--bcher-kva.example:8443/cpo"),
        (ODD, "https://xn--bcher-kva.example:8443/hubs"),
        (OwnAddress(), "https://hub.example.com/"),
    ],
)
def test_a_neighbour_is_a_peer(own: OwnAddress, url: str) -> None:
    """Another port, another name, another path of a shared host."""
    assert not own.includes(URL(url, encoded=True))


def test_the_sentence_says_why() -> None:
    """What is refused is called what it is."""
    policy = AddressPolicy(own=lambda: HUB)
    with pytest.raises(AddressRefused, match=ITSELF):
        policy.screen("https://hub.example.com/ocpi/versions")


def test_no_redirect_leads_to_the_hub(start_peer: StartPeer, peer: Peer) -> None:
    """On a host that a peer shares with it."""
    redirect = http(b"", "Location: /hub/ocpi/versions", status="307 Temporary Redirect")
    neighbour = start_peer(always(redirect))
    own = OwnAddress.of(neighbour.url("/hub"), [])
    policy = AddressPolicy(allow_private=True, allow_http=True, own=lambda: own)
    with OcpiClient(policy, IMPATIENT) as client, pytest.raises(AddressRefused, match=ITSELF):
        client.request("GET", neighbour.url("/cpo/versions"), peer=peer)
    assert [each.target for each in neighbour.requests] == ["/cpo/versions"]


def test_a_request_that_comes_back_is_known_by_its_line() -> None:
    """Among the lines that proxies add; no other hub's, and none where nobody has an address."""
    assert HUB.has_sent(HUB.via)
    assert HUB.has_sent(f"1.1 proxy, {HUB.via} ,1.1 Caddy")
    for via in ("", "1.1 hub.example.com", "1.1 Caddy", DEVELOPMENT.via, HUB.via[:-1]):
        assert not HUB.has_sent(via)
    assert not OwnAddress().has_sent("")
