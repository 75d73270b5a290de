"""One HTTP request exactly as it is spelled, which no client library sends."""

import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

from requests.structures import CaseInsensitiveDict

from ocpi.transport.authorization import header
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform


def send(
    platform: SandboxPlatform,
    method: str,
    target: bytes,
    body: bytes = b"",
    *,
    to: PartyRef,
    headers: bytes = b"",
) -> Result:
    """Send a request of a platform to what follows `/ocpi/2.2.1/`; `headers` are whole lines."""
    origin = urlsplit(platform.hub.connected.versions_url)
    routing = RoutingHeaders(to=to, sender=platform.party).as_headers()
    lines = {"Authorization": header(platform.hub.token), **routing, "Connection": "close"}
    head = b"%b /ocpi/2.2.1/%b HTTP/1.1\r\nHost: hub\r\n" % (method.encode(), target)
    head += "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
    head += b"%bContent-Length: %d\r\n\r\n" % (headers, len(body))
    with socket.create_connection((origin.hostname, origin.port), timeout=10) as connection:
        connection.sendall(head + body)
        answer = HTTPResponse(connection, method=method)
        answer.begin()
        content = answer.read()
    return Result(answer.status, CaseInsensitiveDict(answer.getheaders()), content, 0.0)
