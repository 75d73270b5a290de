"""Whatever a peer does, the hub gets a reply or one PeerError, in bounded time and memory."""

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ocpi.client import (
    OcpiClient,
    Peer,
    PeerError,
    PeerTimeout,
    PeerUnreachable,
    ReplyTooLarge,
    ReplyUnreadable,
)
from tests.ocpi.client.conftest import StartPeer
from tests.ocpi.client.raw_peer import SUCCESS, Conversation, Script, always, http, once, swallow

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_hanging_peer_times_out(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """A peer that reads the message and says nothing is a timeout at the total time."""
    receiver = start_peer(swallow)
    began = time.perf_counter()

    with pytest.raises(PeerTimeout):
        client.request("PUT", receiver.url(), peer=peer, body=b"{}")

    assert 0.4 < time.perf_counter() - began < 1.5
    assert len(receiver.requests) == 1


def _drip(conversation: Conversation, head: bytes, piece: bytes) -> None:
    conversation.read()
    conversation.send(head)
    while not conversation.hang(0.05):
        conversation.send(piece)


@pytest.mark.parametrize(
    "head, piece",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Header: ", b"x"),
        (b"", b"\r\n"),
    ],
)
def test_dripping_peer_times_out(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, head: bytes, piece: bytes
) -> None:
    """A peer that keeps sending little is cut off at the total time, not at the end."""
    receiver = start_peer(lambda conversation: _drip(conversation, head, piece))
    began = time.perf_counter()

    with pytest.raises(PeerTimeout):
        client.request("GET", receiver.url(), peer=peer)

    assert 0.4 < time.perf_counter() - began < 1.5


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
@pytest.mark.parametrize("hang_up", [Conversation.reset, Conversation.say_nothing])
def test_peer_that_hangs_up_gets_the_message_once(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, method: str, hang_up: Script
) -> None:
    """On a connection opened for it no message is repeated, whatever its method."""
    receiver = start_peer(lambda conversation: (conversation.read(), hang_up(conversation)))

    with pytest.raises(PeerUnreachable):
        client.request(method, receiver.url(), peer=peer, body=b"{}" if method != "GET" else None)

    assert len(receiver.requests) == 1


def _answer_once_then_read_and_hang_up(conversation: Conversation) -> None:
    """Keep the connection, take the next request and close without a word: a stale connection."""
    conversation.read()
    conversation.send(http(SUCCESS))
    conversation.read()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_stale_connection_is_replaced_for_idempotent_methods(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, method: str
) -> None:
    """A pooled connection that dies without a byte of answer costs one more attempt."""
    receiver = start_peer(_answer_once_then_read_and_hang_up)
    client.request("GET", receiver.url(), peer=peer)

    reply = client.request(method, receiver.url("/second"), peer=peer)

    assert reply.ok
    assert [request.target for request in receiver.requests] == ["/ocpi", "/second", "/second"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_stale_connection_fails_other_methods(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, method: str
) -> None:
    """What must not happen twice is not repeated: the peer may have acted on it."""
    receiver = start_peer(_answer_once_then_read_and_hang_up)
    client.request("GET", receiver.url(), peer=peer)

    with pytest.raises(PeerUnreachable):
        client.request(method, receiver.url(), peer=peer, body=b"{}")

    assert len(receiver.requests) == 2


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_connection_closed_while_idle_is_not_used(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, method: str
) -> None:
    """A peer that closes after each answer without saying so is simply connected to again."""
    receiver = start_peer(once(http(SUCCESS)))

    for _ in range(3):
        assert client.request(method, receiver.url(), peer=peer).ok
        time.sleep(0.05)

    assert (len(receiver.requests), receiver.connections) == (3, 3)


@pytest.mark.parametrize(
    "status, body",
    [
        ("500 Internal Server Error", b"<html><h1>Oops</h1></html>"),
        ("401 Unauthorized", b'{"detail":"Invalid token"}'),
        ("404 Not Found", b""),
        ("200 OK", b'{"status_code": 10'),
        ("200 OK", b"[1, 2"),
        ("429 Too Many Requests", b"\xff\xfe"),
    ],
)
def test_answer_without_envelope_is_a_reply(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, status: str, body: bytes
) -> None:
    """HTML, bare errors and broken JSON arrive as they are; there is just no envelope in them."""
    receiver = start_peer(always(http(body, status=status)))

    reply = client.request("GET", receiver.url(), peer=peer)

    assert (reply.http_status, reply.body) == (int(status[:3]), body)
    assert (reply.envelope, reply.status_code, reply.ok) == (None, None, False)


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status_code":1000',
        CHUNKED + b"5\r\nabc",
        CHUNKED + b"zz\r\nabc\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Big: " + b"x" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        http(b"not gzip", "Content-Encoding: gzip"),
    ],
)
def test_broken_answer_is_unreadable(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, answer: bytes
) -> None:
    """An answer that breaks off, or is not HTTP, is no reply."""
    receiver = start_peer(once(answer))

    with pytest.raises(ReplyUnreadable):
        client.request("POST", receiver.url(), peer=peer, body=b"{}")

    assert len(receiver.requests) == 1


@contextmanager
def _little_memory() -> Iterator[None]:
    """Expect what happens inside to stay below eight megabytes at any moment."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def _flood(head: bytes, piece: bytes) -> Script:
    def script(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(head)
        while not conversation.peer.over.is_set():
            conversation.send(piece)

    return script


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n",
        CHUNKED,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
)
def test_endless_answer_is_cut_off(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, head: bytes
) -> None:
    """Gigabytes, announced or not, end at the limit and take no memory."""
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    receiver = start_peer(_flood(head, piece))

    with _little_memory(), pytest.raises(ReplyTooLarge):
        client.request("GET", receiver.url(), peer=peer)


def test_compressed_answer_is_read(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """A peer that compresses although asked not to is understood."""
    receiver = start_peer(always(http(gzip.compress(SUCCESS), "Content-Encoding: gzip")))

    assert client.request("GET", receiver.url(), peer=peer).body == SUCCESS


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bomb_is_cut_off(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, encoding: str
) -> None:
    """The limit counts what comes out of the decompression, and memory stays flat meanwhile."""
    compressor = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    zeros = bytes(1_000_000)
    bomb = b"".join(compressor.compress(zeros) for _ in range(40)) + compressor.flush()
    assert len(bomb) < 100_000
    receiver = start_peer(always(http(bomb, f"Content-Encoding: {encoding}")))

    with _little_memory(), pytest.raises(ReplyTooLarge):
        client.request("GET", receiver.url(), peer=peer)


def test_answer_in_pieces_arrives_whole(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """However a body is cut up on its way, it is one body."""
    body = bytes(range(256)) * 350

    def script(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 20_000):
            conversation.hang(0.01)
            conversation.send(body[start : start + 20_000])

    receiver = start_peer(script)

    assert client.request("GET", receiver.url(), peer=peer).body == body


def test_answer_of_exactly_the_limit_is_read(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """The limit itself is allowed, one byte more is not."""
    receiver = start_peer(always(http(b"x" * 100_000), http(b"x" * 100_001)))

    assert len(client.request("GET", receiver.url(), peer=peer).body) == 100_000
    with pytest.raises(ReplyTooLarge):
        client.request("GET", receiver.url(), peer=peer)


def test_closed_port_is_unreachable(client: OcpiClient, peer: Peer) -> None:
    """Nobody listens: the receiver is not connected."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(PeerUnreachable):
        client.request("GET", f"http://127.0.0.1:{port}/", peer=peer)


def test_full_backlog_is_unreachable(client: OcpiClient, peer: Peer) -> None:
    """A machine that swallows the connection attempt is not connected: nothing was sent."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.create_connection(listener.getsockname()),
        pytest.raises(PeerUnreachable),
    ):
        client.request("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/", peer=peer)


def test_hanging_tls_handshake_is_unreachable(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A peer that accepts and never shakes hands was not reached either."""
    receiver = start_peer(swallow)

    with pytest.raises(PeerUnreachable):
        client.request("GET", receiver.url().replace("http:", "https:"), peer=peer)


def test_client_works_after_every_failure(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A bad peer leaves nothing behind: its connections are gone, the next request works."""
    bad = start_peer(_flood(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"))
    good = start_peer(always(http(SUCCESS)))

    for _ in range(6):
        with pytest.raises(PeerError):
            client.request("GET", bad.url(), peer=peer)

    assert client.request("GET", good.url(), peer=peer).ok
