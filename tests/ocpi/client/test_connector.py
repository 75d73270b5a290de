"""Names, addresses and TLS: what the hub connects to is what it has checked."""

import datetime as dt
import ssl
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from ocpi.client import AddressPolicy, AddressRefused, OcpiClient, Peer, PeerUnreachable
from ocpi.client.wire import Message, Wire
from tests.ocpi.client.conftest import IMPATIENT, LOCAL, StartPeer
from tests.ocpi.client.raw_peer import SUCCESS, RawPeer, always, http

PUBLIC_ONLY = AddressPolicy(allow_http=True)


def _answering(*answers: Sequence[str]) -> Callable[[str], Sequence[str]]:
    """Make a name server that gives these answers in turn."""
    queue = list(answers)
    return lambda _host: queue.pop(0) if len(queue) > 1 else queue[0]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"]
)
def test_name_of_an_internal_address_is_refused(
    start_peer: StartPeer, peer: Peer, address: str
) -> None:
    """A public name that stands for an internal address is not called."""
    receiver = start_peer(always(http(SUCCESS)))

    with (
        OcpiClient(PUBLIC_ONLY, IMPATIENT, lookup=_answering([address])) as client,
        pytest.raises(AddressRefused, match=r"peer\.example"),
    ):
        client.request("GET", receiver.url(host="peer.example"), peer=peer)

    assert receiver.connections == 0


def test_name_is_looked_up_once_per_connection(start_peer: StartPeer, peer: Peer) -> None:
    """The address checked is the address connected to: a second answer is never asked for."""
    receiver = start_peer(always(http(SUCCESS)))
    asked: list[str] = []

    def rebinding(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with OcpiClient(LOCAL, IMPATIENT, lookup=rebinding) as client:
        reply = client.request("GET", receiver.url(host="peer.example"), peer=peer)

    assert reply.ok
    assert asked == ["peer.example"]


def test_name_that_changes_is_judged_anew(start_peer: StartPeer, peer: Peer) -> None:
    """An address that was good yesterday says nothing about the answer of today."""
    receiver = start_peer(always(http(SUCCESS, "Connection: close")))
    lookup = _answering(["127.0.0.1"], ["169.254.169.254"])

    with OcpiClient(LOCAL, IMPATIENT, lookup=lookup) as client:
        assert client.request("GET", receiver.url(host="peer.example"), peer=peer).ok
        with pytest.raises(AddressRefused):
            client.request("GET", receiver.url(host="other.example"), peer=peer)

    assert receiver.connections == 1


def test_bad_address_among_good_ones_is_not_tried(start_peer: StartPeer, peer: Peer) -> None:
    """Only the permitted answers of a lookup are connected to."""
    receiver = start_peer(always(http(SUCCESS)))
    lookup = _answering(["169.254.169.254", "127.0.0.1", "fe80::1"])

    with OcpiClient(LOCAL, IMPATIENT, lookup=lookup) as client:
        assert client.request("GET", receiver.url(host="peer.example"), peer=peer).ok


def test_odd_spelling_that_only_the_system_reads_is_refused(peer: Peer) -> None:
    """A host the library would hand to the system as a name is judged before."""
    with OcpiClient(LOCAL, IMPATIENT) as client, pytest.raises(AddressRefused):
        client.request("GET", "http://0x7f.1:9/", peer=peer)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://10.0.0.1/"])
def test_literal_address_is_refused_before_connecting(peer: Peer, url: str) -> None:
    """An address in the URL needs no lookup and gets no connection."""
    with OcpiClient(PUBLIC_ONLY, IMPATIENT) as client, pytest.raises(AddressRefused):
        client.request("GET", url, peer=peer)


def test_every_socket_is_checked_once_more(start_peer: StartPeer, peer: Peer) -> None:
    """Even a URL nobody screened opens no socket the policy does not allow."""
    receiver = start_peer(always(http(SUCCESS)))

    async def unscreened() -> None:
        lookup = _answering(["127.0.0.1"])
        wire = Wire(PUBLIC_ONLY, IMPATIENT, lookup=lookup, tls=None, product="test")
        try:
            await wire.exchange(Message("GET", {}, None, 0.0), URL(receiver.url()))
        finally:
            await wire.close()

    with OcpiClient(LOCAL, IMPATIENT) as client, pytest.raises(AddressRefused):
        client.run(unscreened())

    assert receiver.connections == 0


def test_second_address_is_tried(start_peer: StartPeer, peer: Peer) -> None:
    """A peer with two addresses of which one is down is reached."""
    receiver = start_peer(always(http(SUCCESS)))

    with OcpiClient(LOCAL, IMPATIENT, lookup=_answering(["127.0.0.9", "127.0.0.1"])) as client:
        assert client.request("GET", receiver.url(host="peer.example"), peer=peer).ok


@pytest.mark.parametrize("host", ["peer.invalid", "x" * 64 + ".example", "-.invalid"])
def test_unknown_name_is_unreachable(client: OcpiClient, peer: Peer, host: str) -> None:
    """A name that does not exist, or cannot, is a receiver that is not connected."""
    with pytest.raises(PeerUnreachable):
        client.request("GET", f"http://{host}/ocpi", peer=peer)


def test_name_is_found_by_the_operating_system(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """Without a name server of its own the client asks the system's."""
    receiver = start_peer(always(http(SUCCESS)))

    assert client.request("GET", receiver.url(host="localhost"), peer=peer).ok


def test_name_without_address_is_unreachable(peer: Peer) -> None:
    """An empty answer of the name server is no address."""
    with (
        OcpiClient(LOCAL, IMPATIENT, lookup=_answering([])) as client,
        pytest.raises(PeerUnreachable),
    ):
        client.request("GET", "http://peer.example/", peer=peer)


def test_hanging_name_server_is_unreachable(start_peer: StartPeer, peer: Peer) -> None:
    """Nothing was sent, so it is no timeout of the receiver; other names go on being found."""
    receiver = start_peer(always(http(SUCCESS)))

    def lookup(host: str) -> Sequence[str]:
        if host == "slow.example":
            time.sleep(0.6)
        return ["127.0.0.1"]

    with OcpiClient(LOCAL, IMPATIENT, lookup=lookup) as client:
        with pytest.raises(PeerUnreachable):
            client.request("GET", "http://slow.example/", peer=peer)
        assert client.request("GET", receiver.url(host="fast.example"), peer=peer).ok


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for peer.example: the contexts of the server and of who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer.example")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("peer.example"), x509.IPAddress(IPv4Address("127.0.0.2"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "peer.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


def test_tls_name_is_verified(tmp_path: Path, peer: Peer) -> None:
    """The certificate must be trusted and must be the one of the name that was called."""
    server, trusting = _certificate(tmp_path)
    lookup = _answering(["127.0.0.1"])

    with RawPeer(always(http(SUCCESS)), tls=server) as receiver:
        with OcpiClient(LOCAL, IMPATIENT, lookup=lookup, tls=trusting) as client:
            assert client.request("GET", receiver.url(host="peer.example"), peer=peer).ok
            with pytest.raises(PeerUnreachable):
                client.request("GET", receiver.url(host="other.example"), peer=peer)
        with OcpiClient(LOCAL, IMPATIENT, lookup=lookup) as client, pytest.raises(PeerUnreachable):
            client.request("GET", receiver.url(host="peer.example"), peer=peer)

    assert len(receiver.requests) == 1


def test_tls_with_a_plain_server_is_unreachable(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A peer that does not speak TLS behind an https URL is not connected."""
    receiver = start_peer(always(http(SUCCESS)))

    with pytest.raises(PeerUnreachable):
        client.request("GET", receiver.url().replace("http:", "https:"), peer=peer)
