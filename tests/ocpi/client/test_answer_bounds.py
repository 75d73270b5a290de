"""However a peer answers, its exchange ends within the bounds, and nobody else's waits for it."""

import gzip
import threading
import time
import tracemalloc
import zlib
from collections.abc import Sequence

import pytest

from ocpi.client import (
    Limits,
    OcpiClient,
    Peer,
    PeerError,
    PeerTimeout,
    PeerUnreachable,
    ReplyTooLarge,
    ReplyUnreadable,
)
from ocpi.client import answer_bounds as bounds
from ocpi.client.connector import MOST_LOOKUPS
from ocpi.client.limits import MOST_REDIRECTS
from ocpi.transport import envelope
from tests.ocpi.client.conftest import LOCAL, StartPeer
from tests.ocpi.client.raw_peer import SUCCESS, Conversation, Script, always, http

pytestmark = pytest.mark.security("S-05")

PATIENT = Limits(connect=2, total=4, max_bytes=2_000_000, per_host=4)
"""Loaded machines are slow; what ends by a bound ends long before."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _flood(head: bytes, piece: bytes) -> Script:
    """Send a head, then the same bytes for ever, as fast as they are taken."""

    def script(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(head)
        while not conversation.peer.over.is_set():
            conversation.send(piece)

    return script


def _before_asked(conversation: Conversation) -> None:
    """Answer before the request has arrived."""
    conversation.send(http(SUCCESS))
    conversation.read()


def _bomb(encoding: str) -> bytes:
    compressor = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    body = b"".join(compressor.compress(bytes(2**20)) for _ in range(64)) + compressor.flush()
    return http(body, f"Content-Encoding: {encoding}")


FLOODS = {
    "100 for ever": (_flood(b"", CONTINUE * 4_000), ReplyUnreadable),
    "103 for ever": (_flood(b"", HINTS * 2_000), ReplyUnreadable),
    "102 and 199 in turn": (
        _flood(b"", b"HTTP/1.1 102 X\r\n\r\nHTTP/1.1 199 Y\r\n\r\n" * 2_000),
        ReplyUnreadable,
    ),
    "blank lines before the answer": (_flood(b"", b"\r\n" * 50_000), ReplyUnreadable),
    "noise before the answer": (_flood(b"", b"x" * 50_000), ReplyUnreadable),
    "headers for ever": (_flood(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 9_000), ReplyUnreadable),
    "one header for ever": (_flood(b"HTTP/1.1 200 OK\r\nA: ", b"b" * 50_000), ReplyUnreadable),
    "large headers": (
        _flood(b"HTTP/1.1 200 OK\r\n", b"A: " + b"b" * 8_000 + b"\r\n"),
        ReplyUnreadable,
    ),
    "a reason for ever": (_flood(b"HTTP/1.1 200 ", b"b" * 50_000), ReplyUnreadable),
    "a chunk's extension for ever": (_flood(CHUNKED + b"1;a=", b"b" * 50_000), ReplyUnreadable),
    "chunks of one byte": (_flood(CHUNKED, b"1\r\nx\r\n" * 9_000), ReplyUnreadable),
    "small chunks, long extensions": (
        _flood(CHUNKED, b"1;" + b"b" * 5_000 + b"\r\nx\r\n"),
        ReplyUnreadable,
    ),
    "trailers for ever": (_flood(CHUNKED + b"0\r\n", b"A: b\r\n" * 9_000), ReplyUnreadable),
    "one trailer for ever": (_flood(CHUNKED + b"0\r\nA: ", b"b" * 50_000), ReplyUnreadable),
    "a body for ever": (_flood(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"), ReplyTooLarge),
    "answers for ever": (_flood(b"", http(SUCCESS) * 500), None),
    "101 and noise": (
        _flood(b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"x" * 50_000),
        None,
    ),
    "before it was asked": (_before_asked, None),
    "a gzip bomb": (always(_bomb("gzip")), ReplyTooLarge),
    "a deflate bomb": (always(_bomb("deflate")), ReplyTooLarge),
    "a bomb of few bytes": (
        always(http(gzip.compress(bytes(1_900_000)), "Content-Encoding: gzip")),
        ReplyTooLarge,
    ),
    "an encoding nobody speaks": (
        always(http(b"\x0b\x02\x80x\x03", "Content-Encoding: br")),
        ReplyUnreadable,
    ),
}


@pytest.mark.parametrize("script, failure", FLOODS.values(), ids=FLOODS.keys())
def test_a_flooding_peer_holds_up_nobody(
    start_peer: StartPeer,
    peer: Peer,
    script: Script,
    failure: type[PeerError] | tuple[type[PeerError], ...] | None,
) -> None:
    """Its exchanges end with the right failure; fifty of another peer pass meanwhile."""
    bad, good = start_peer(script), start_peer(always(http(SUCCESS)))
    outcomes: list[object] = []

    def ask_bad(client: OcpiClient) -> None:
        for _ in range(2):
            try:
                outcomes.append(client.request("GET", bad.url(), peer=peer).http_status)
            except PeerError as error:
                outcomes.append(error)

    with OcpiClient(LOCAL, PATIENT) as client:
        asking = threading.Thread(target=ask_bad, args=(client,))
        asking.start()
        replies = [client.request("GET", good.url(), peer=peer).ok for _ in range(50)]
        asking.join(30)

    assert replies == [True] * 50
    assert len(outcomes) == 2
    for outcome in outcomes:
        assert isinstance(outcome, failure or (int, PeerError)), outcome
        assert failure is None or not isinstance(outcome, int)


@pytest.mark.parametrize("count", [1, bounds.MOST_INFORMATIONAL])
def test_a_few_informational_answers_are_passed_over(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, count: int
) -> None:
    """Up to eight stand before an answer, again before the next one of the same connection."""
    receiver = start_peer(always(CONTINUE * count + http(SUCCESS)))

    assert all(client.request("PUT", receiver.url(), peer=peer, body=b"{}").ok for _ in range(3))
    assert receiver.connections == 1


def test_one_informational_answer_too_many_ends_the_exchange(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """The ninth is not waited beyond, whatever follows it; a POST is not repeated."""
    answer = CONTINUE * (bounds.MOST_INFORMATIONAL + 1) + http(SUCCESS)
    receiver = start_peer(always(answer))

    with pytest.raises(ReplyUnreadable, match="more than 8 informational"):
        client.request("POST", receiver.url(), peer=peer, body=b"{}")

    assert len(receiver.requests) == 1


def test_an_answer_nobody_asked_for_answers_no_later_request(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """What arrives on an idle connection ends it: it is not taken for the answer to the next."""
    sent = threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(http(SUCCESS))
        conversation.hang(0.1)
        conversation.send(http(b"stale"))
        sent.set()
        always(http(SUCCESS))(conversation)

    receiver = start_peer(script)
    client.request("GET", receiver.url("/1"), peer=peer)
    sent.wait(5)
    time.sleep(0.1)

    assert client.request("GET", receiver.url("/2"), peer=peer).body == SUCCESS
    assert receiver.connections == 2


def test_a_second_answer_in_the_same_breath_is_never_used(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """Two answers to one request: the first counts, the connection ends."""
    receiver = start_peer(always(http(SUCCESS) + http(b"stale")))

    assert [client.request("GET", receiver.url(), peer=peer).body for _ in range(3)] == [
        SUCCESS
    ] * 3
    assert receiver.connections == 3


def test_redirects_end(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """Each redirect of a chain to ever new places counts, also with informational answers."""
    numbers = iter(range(1_000))

    def script(conversation: Conversation) -> None:
        while conversation.read():
            location = f"Location: /{next(numbers)}"
            conversation.send(CONTINUE * 3 + http(b"", location, status="307 Elsewhere"))

    receiver = start_peer(script)
    with pytest.raises(PeerError, match="redirects"):
        client.request("GET", receiver.url(), peer=peer)

    assert len(receiver.requests) == MOST_REDIRECTS + 1


def test_what_compresses_well_is_read(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """Lists of similar objects shrink thirtyfold and more: that is no bomb."""
    body = b'{"status_code":1000,"data":[' + b'{"id":"L1","evses":[]},' * 4_000 + b"0]}"
    receiver = start_peer(always(http(gzip.compress(body), "Content-Encoding: gzip")))

    assert client.request("GET", receiver.url(), peer=peer).body == body


def test_a_large_answer_in_small_chunks_is_read(start_peer: StartPeer, peer: Peer) -> None:
    """A server that flushes every hundred bytes is odd, not hostile."""
    chunks = CHUNKED + (b"64\r\n" + b"x" * 100 + b"\r\n") * 19_000 + b"0\r\n\r\n"
    receiver = start_peer(always(chunks))

    with OcpiClient(LOCAL, PATIENT) as client:
        assert len(client.request("GET", receiver.url(), peer=peer).body) == 1_900_000


def test_names_that_nobody_answers_hold_up_no_other_name(start_peer: StartPeer, peer: Peer) -> None:
    """Lookups that hang, of many names and of one, leave room for everybody else's."""
    over = threading.Event()
    asked: list[str] = []

    def lookup(host: str) -> Sequence[str]:
        if host.endswith(".dead.example"):
            asked.append(host)
            over.wait(20)
        return ["127.0.0.1"]

    good = start_peer(always(http(SUCCESS)))
    limits = Limits(connect=0.5, total=1)
    names = [f"n{number}.dead.example" for number in range(40)] + ["same.dead.example"] * 40
    try:
        with OcpiClient(LOCAL, limits, lookup=lookup) as client:
            waiting = [
                client.submit(client.send("GET", f"http://{name}/", peer=peer)) for name in names
            ]
            for future in waiting:
                with pytest.raises(PeerError):
                    future.result(10)
            with pytest.raises(PeerError):
                client.request("GET", "http://same.dead.example/", peer=peer)
            assert client.request("GET", good.url(host="good.example"), peer=peer).ok
    finally:
        over.set()

    assert asked.count("same.dead.example") == 1
    assert len(set(asked)) == 41 < MOST_LOOKUPS


@pytest.mark.parametrize(
    "member", [b'"status_code":', b'"status_message":', b'"x":', b'"timestamp":']
)
def test_an_envelope_costs_what_it_says(member: bytes) -> None:
    """A member that is no code, no message and no data is passed over, not made into objects."""
    body = b'{"status_code":1000,' + member + b"[" + b"[]," * 300_000 + b"[]]}"
    tracemalloc.start()
    try:
        read = envelope.read(body)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body)
    finally:
        tracemalloc.stop()
    assert read is None or read.status_code == 1000


@pytest.mark.parametrize("size", [10, 4_000_000])
def test_an_answer_before_the_end_of_the_message_counts(
    start_peer: StartPeer, peer: Peer, size: int
) -> None:
    """A peer that refuses a message without reading it to its end is heard, or has hung up."""

    def script(conversation: Conversation) -> None:
        conversation.sock.recv(100)
        conversation.send(http(b"", "Connection: close", status="413 Too Large"))
        conversation.hang(0.2)

    bad, good = start_peer(script), start_peer(always(http(SUCCESS)))
    with OcpiClient(LOCAL, PATIENT) as client:
        try:
            reply = client.request("POST", bad.url(), peer=peer, body=b"x" * size)
            assert reply.http_status == 413
        except PeerUnreachable:
            assert size > 10
        assert client.request("PUT", good.url(), peer=peer, body=b"{}").ok
    assert bad.connections == 1


def test_a_peer_that_never_reads_holds_up_nobody(start_peer: StartPeer, peer: Peer) -> None:
    """Its exchange ends with its time; messages to another are sent and answered meanwhile."""
    bad = start_peer(lambda conversation: conversation.hang())
    good = start_peer(always(http(SUCCESS)))
    limits = Limits(connect=1, total=1.5, max_bytes=100_000, per_host=4)

    with OcpiClient(LOCAL, limits) as client:
        sending = [
            client.submit(client.send("PUT", bad.url(), peer=peer, body=b"x" * 8_000_000))
            for _ in range(6)
        ]
        assert all(client.request("PUT", good.url(), peer=peer, body=b"{}").ok for _ in range(20))
        for future in sending:
            with pytest.raises(PeerTimeout):
                future.result(10)
