"""What a request looks like on the wire and how the reply comes back."""

import asyncio
import base64
import threading

import pytest

from ocpi.client import AddressRefused, Limits, OcpiClient, Peer, PeerError, PeerTimeout
from tests.ocpi.client.conftest import LOCAL, StartPeer
from tests.ocpi.client.raw_peer import SUCCESS, Conversation, always, http, swallow


@pytest.mark.conformance("TF-03")
def test_token_is_sent_in_base64(client: OcpiClient, start_peer: StartPeer) -> None:
    """The header is `Token`, one space, then the padded Base64 of exactly the token."""
    receiver = start_peer(always(http(SUCCESS)))

    client.request("GET", receiver.url(), peer=Peer("example-token"))

    value = receiver.requests[0].header("Authorization") or ""
    scheme, _, credentials = value.partition(" ")
    assert scheme == "Token"
    assert base64.b64decode(credentials, validate=True) == b"example-token"


def test_token_is_sent_raw_where_the_peer_wants_it(
    client: OcpiClient, start_peer: StartPeer
) -> None:
    """Platforms of before Base64 get the token as it is."""
    receiver = start_peer(always(http(SUCCESS)))

    client.request("GET", receiver.url(), peer=Peer("example-token", base64=False))

    assert receiver.requests[0].header("Authorization") == "Token example-token"


def test_token_never_shows_in_a_repr() -> None:
    """Logs and tracebacks print values; the secret is not among them."""
    shown = repr(Peer("example-token"))

    assert "example-token" not in shown
    assert base64.b64encode(b"example-token").decode() not in shown


@pytest.mark.conformance("TF-12")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_body_goes_out_as_json_byte_for_byte(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, method: str
) -> None:
    """A body is `application/json` and not one byte of it changes."""
    receiver = start_peer(always(http(SUCCESS)))
    body = b'{ "b" : 1.50,\t"a":null , "\xc3\xa9": "\\u00e9" }\n'

    client.request(method, receiver.url(), peer=peer, body=body)

    assert receiver.requests[0].header("Content-Type") == "application/json"
    assert receiver.requests[0].body == body


@pytest.mark.parametrize("method, body", [("GET", None), ("DELETE", None), ("POST", b"")])
def test_no_body_has_no_content_type(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, method: str, body: bytes | None
) -> None:
    """Where nothing is sent nothing is described."""
    receiver = start_peer(always(http(SUCCESS)))

    client.request(method, receiver.url(), peer=peer, body=body)

    assert receiver.requests[0].header("Content-Type") is None


def test_large_body_arrives_whole(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """A body of some megabytes is written in pieces and announced with its length."""
    receiver = start_peer(always(http(SUCCESS)))
    body = bytes(range(256)) * 12_000

    client.request("PUT", receiver.url(), peer=peer, body=body)

    assert receiver.requests[0].body == body


def test_headers_keep_the_spelling_of_the_specification(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """Some platforms compare header names exactly, so they leave as they were given."""
    receiver = start_peer(always(http(SUCCESS)))
    given = {"OCPI-to-party-id": "MSA", "OCPI-to-country-code": "DE", "X-Request-ID": "1-2"}

    client.request("GET", receiver.url(), peer=peer, headers=given)

    seen = receiver.requests[0]
    assert {name: seen.header(name) for name in given} == given
    assert seen.header("Accept") == "application/json"
    assert seen.header("Accept-Encoding") == "identity"


def test_caller_cannot_replace_the_token(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A relayed Authorization header would hand one platform's secret to another."""
    receiver = start_peer(always(http(SUCCESS)))

    client.request("GET", receiver.url(), peer=peer, headers={"authorization": "Token stolen"})

    lines = [x for x in receiver.requests[0].lines if x.lower().startswith("authorization")]
    assert lines == [f"Authorization: {peer.authorization}"]


@pytest.mark.parametrize(
    "path", ["/a%2Fb/%41/NL*CPA:1?x=%2b+&y=%zz", "/ocpi//2.2.1/../x/", "/?a=b&a=c", "/a?b?c"]
)
def test_url_goes_out_as_spelled(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, path: str
) -> None:
    """Identifiers hold reserved characters: no escape is decoded, added or reordered."""
    receiver = start_peer(always(http(SUCCESS)))

    client.request("GET", receiver.url(path), peer=peer)

    assert receiver.requests[0].target == path


@pytest.mark.conformance("ST-16")
def test_envelope_counts_whatever_the_http_status(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """An HTTP 400 with an envelope is an OCPI answer, and not a success."""
    body = b'{"status_code":2001,"status_message":"no","timestamp":"2026-11-21T05:32:00Z"}'
    receiver = start_peer(always(http(body, "X-Request-ID: 7", status="400 Bad Request")))

    reply = client.request("PUT", receiver.url(), peer=peer, body=b"{}")

    assert (reply.http_status, reply.status_code, reply.ok) == (400, 2001, False)
    assert reply.headers["x-request-id"] == "7"
    assert reply.body == body
    assert 0 < reply.elapsed < 1


def test_cookies_are_not_kept(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """A peer cannot mark the hub's requests."""
    receiver = start_peer(always(http(SUCCESS, "Set-Cookie: a=b; Path=/")))

    for _ in range(2):
        client.request("GET", receiver.url(), peer=peer)

    assert receiver.requests[1].header("Cookie") is None


def test_environment_names_no_proxy(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would connect on the hub's behalf to addresses the policy never saw."""
    proxy, receiver = start_peer(always(http(b"proxy"))), start_peer(always(http(SUCCESS)))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url(""))

    reply = client.request("GET", receiver.url(), peer=peer)

    assert reply.ok
    assert proxy.requests == []


def test_connections_are_reused(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """Messages in a row share one connection."""
    receiver = start_peer(always(http(SUCCESS)))

    for _ in range(5):
        client.request("GET", receiver.url(), peer=peer)

    assert (len(receiver.requests), receiver.connections) == (5, 1)


def test_connections_to_one_host_are_bounded(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """Twenty messages at once go through four connections, none is refused."""
    receiver = start_peer(always(http(SUCCESS)))

    async def burst() -> list[int]:
        calls = (client.send("GET", receiver.url(), peer=peer) for _ in range(20))
        return [reply.http_status for reply in await asyncio.gather(*calls)]

    assert client.run(burst()) == [200] * 20
    assert receiver.connections == 4


def test_many_hosts_at_once(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """A hanging peer keeps nobody else waiting."""
    hanging = start_peer(Conversation.hang)
    receivers = [start_peer(always(http(SUCCESS))) for _ in range(12)]

    async def burst() -> list[bool]:
        stuck = [client.send("GET", hanging.url(), peer=peer) for _ in range(8)]
        calls = [client.send("GET", receiver.url(), peer=peer) for receiver in receivers]
        results = await asyncio.gather(*calls, *stuck, return_exceptions=True)
        return [not isinstance(result, BaseException) for result in results]

    assert client.run(burst()) == [True] * 12 + [False] * 8


def _loops() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "ocpi-client"}


def test_threads_share_one_loop(client: OcpiClient, start_peer: StartPeer, peer: Peer) -> None:
    """Many threads that begin together start one event loop between them."""
    receiver = start_peer(always(http(SUCCESS)))
    before = _loops()
    seen: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: seen.append(client.request("GET", receiver.url(), peer=peer).ok)
        )
        for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [True] * 8
    assert len(_loops() - before) == 1


def test_send_refuses_a_foreign_loop(client: OcpiClient, peer: Peer) -> None:
    """Connections belong to one loop; a coroutine on another fails with that."""
    with pytest.raises(RuntimeError, match="own loop"):
        asyncio.run(client.send("GET", "http://127.0.0.1:9/", peer=peer))


def test_an_adopted_loop_has_connections_of_its_own(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A server's loop sends as well once it is adopted; threads do so as before."""
    receiver = start_peer(always(http(SUCCESS)))

    async def send() -> bool:
        client.adopt()
        reply = await client.send("GET", receiver.url(), peer=peer)
        await client._close_wire()
        return reply.ok

    assert asyncio.run(send())
    assert client.request("GET", receiver.url(), peer=peer).ok


def test_closing_ends_what_is_under_way(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A thread that waits for a hanging peer gets a PeerError when the client is closed."""
    receiver = start_peer(swallow)
    outcome: list[BaseException] = []

    def wait() -> None:
        try:
            client.request("GET", receiver.url(), peer=peer)
        except PeerError as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    receiver.wait_for_request()
    client.close()
    thread.join()

    assert len(outcome) == 1


def test_closing_ends_a_lookup(peer: Peer) -> None:
    """A thread that waits for a name server gets a PeerError when the client is closed."""
    asked, answer = threading.Event(), threading.Event()
    outcome: list[BaseException] = []

    def lookup(_host: str) -> list[str]:
        asked.set()
        answer.wait(1)
        return ["127.0.0.1"]

    def wait(client: OcpiClient) -> None:
        try:
            client.request("GET", "http://slow.example/", peer=peer)
        except PeerError as error:
            outcome.append(error)

    with OcpiClient(LOCAL, Limits(total=5), lookup=lookup) as client:
        thread = threading.Thread(target=wait, args=(client,))
        thread.start()
        asked.wait(1)
    thread.join()
    answer.set()

    assert len(outcome) == 1


def test_thread_does_not_wait_for_a_stuck_loop(
    client: OcpiClient, start_peer: StartPeer, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the loop ever fail to report, the calling thread goes on by itself."""
    monkeypatch.setattr("ocpi.client.client._GRACE", -0.4)
    receiver = start_peer(swallow)

    with pytest.raises(PeerTimeout, match="loop"):
        client.request("GET", receiver.url(), peer=peer)


def test_client_checks_urls_by_its_policy(client: OcpiClient) -> None:
    """A URL to be registered is judged like one to be called."""
    client.check_url("http://127.0.0.1:8000/ocpi")
    with pytest.raises(AddressRefused):
        client.check_url("https://169.254.169.254/ocpi")


def test_header_that_would_split_the_request_is_refused(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A line break in a header value never reaches the wire."""
    receiver = start_peer(always(http(SUCCESS)))

    with pytest.raises(PeerError):
        client.request("GET", receiver.url(), peer=peer, headers={"X-Request-ID": "a\r\nb: c"})

    assert receiver.requests == []
