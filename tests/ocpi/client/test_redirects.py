"""A redirect never carries the token to another host and never changes a method."""

import time

import pytest

from ocpi.client import AddressRefused, OcpiClient, Peer, PeerTimeout, RedirectRefused
from tests.ocpi.client.conftest import StartPeer
from tests.ocpi.client.raw_peer import SUCCESS, Conversation, always, http


def _redirect(location: str, status: str = "307 Temporary Redirect") -> bytes:
    return http(b"", f"Location: {location}", status=status)


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("location", ["/new/%2F?a=b", "new/%2F?a=b", "//{host}/new/%2F?a=b"])
def test_redirect_on_the_same_host_is_followed(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, status: str, location: str
) -> None:
    """Method, body and headers arrive unchanged at the new path."""

    def script(conversation: Conversation) -> None:
        target = location.format(host=f"127.0.0.1:{conversation.peer.port}")
        always(_redirect(target, status), http(SUCCESS))(conversation)

    receiver = start_peer(script)
    reply = client.request(
        "PUT", receiver.url("/old"), peer=peer, headers={"X-Request-ID": "7"}, body=b"{ }"
    )

    assert reply.ok
    old, new = receiver.requests
    assert (new.method, new.target, new.body) == ("PUT", "/new/%2F?a=b", b"{ }")
    assert new.lines == old.lines


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_host_is_refused(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, status: int
) -> None:
    """The other host never hears of the message."""
    other = start_peer(always(http(SUCCESS)))
    receiver = start_peer(always(_redirect(other.url("/x"), f"{status} Elsewhere")))

    with pytest.raises(RedirectRefused):
        client.request("GET", receiver.url(), peer=peer)

    assert other.connections == 0


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1:{port}/x",
        "http://localhost:{port}/x",
        "http://127.0.0.1:{port}@evil.example/",
        "http://evil.example@127.0.0.1:{port}/",
        "http://127.0.0.1/x",
        "//evil.example/x",
        "ftp://127.0.0.1:{port}/x",
        "http://[::1/x",
    ],
)
def test_redirect_to_another_origin_is_refused(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, location: str
) -> None:
    """Scheme, host and port stay, and a URL is no place for user information."""

    def script(conversation: Conversation) -> None:
        always(_redirect(location.format(port=conversation.peer.port)))(conversation)

    receiver = start_peer(script)
    with pytest.raises((RedirectRefused, AddressRefused)):
        client.request("GET", receiver.url(), peer=peer)

    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other"])
def test_redirect_that_changes_the_method_is_refused(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, status: str
) -> None:
    """A PUT must not become a GET, not even on the same host."""
    receiver = start_peer(always(_redirect("/new", status)))

    with pytest.raises(RedirectRefused):
        client.request("PUT", receiver.url(), peer=peer, body=b"{}")

    assert len(receiver.requests) == 1


def test_redirect_without_a_target_is_refused(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A 307 without Location leads nowhere."""
    receiver = start_peer(always(http(b"", status="307 Temporary Redirect")))

    with pytest.raises(RedirectRefused, match="nowhere"):
        client.request("GET", receiver.url(), peer=peer)


def test_redirect_in_circles_is_refused(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """Three steps are followed, no more."""
    receiver = start_peer(always(_redirect("/again")))

    with pytest.raises(RedirectRefused, match="more than 3"):
        client.request("GET", receiver.url(), peer=peer)

    assert len(receiver.requests) == 4


def test_redirects_share_the_total_time(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """Each step may be quick enough; together they are cut off at the total time."""

    def script(conversation: Conversation) -> None:
        while conversation.read() and not conversation.hang(0.3):
            conversation.send(_redirect("/again"))

    receiver = start_peer(script)
    began = time.perf_counter()

    with pytest.raises(PeerTimeout):
        client.request("GET", receiver.url(), peer=peer)

    assert time.perf_counter() - began < 1.5


@pytest.mark.parametrize("status", ["300 Multiple Choices", "304 Not Modified"])
def test_other_3xx_is_a_reply(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, status: str
) -> None:
    """What is no redirect is an answer like any other."""
    receiver = start_peer(always(http(b"", status=status)))

    reply = client.request("GET", receiver.url(), peer=peer)

    assert (reply.http_status, reply.ok) == (int(status[:3]), False)
