"""Talking to the hub the way a stranger would: one HTTP request, its answer as it came."""

import json
from dataclasses import dataclass
from typing import Any

import requests

from ocpi.transport.authorization import header
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Endpoint, Party, Platform, TokenKind
from parties.registration.invitation import AllowedRole, Invitation, invite, prepare
from parties.registration.outbound import register
from sandbox.platform import SandboxPlatform

CPO = "CPO:NL:CPA"
EMSP = "EMSP:DE:MSA"


@dataclass(frozen=True)
class Wire:
    """A client that is not the hub's own."""

    versions_url: str

    def send(
        self,
        method: str,
        path: str = "versions",
        *,
        token: str | None = None,
        authorization: str | None = None,
        body: Any = None,
    ) -> requests.Response:
        """Send one request to a path below `/ocpi/`."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            headers["Authorization"] = header(token)
        if authorization is not None:
            headers["Authorization"] = authorization
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.versions_url.removesuffix('versions')}{path}"
        return requests.request(
            method,
            url,
            headers=headers,
            data=None if body is None else content,
            timeout=20,
            allow_redirects=False,
        )

    def get(self, path: str = "versions", *, token: str | None = None) -> requests.Response:
        """GET a path below `/ocpi/`."""
        return self.send("GET", path, token=token)

    def post(self, token: str, body: Any, *, version: str = "2.2.1") -> requests.Response:
        """POST credentials."""
        return self.send("POST", f"{version}/credentials", token=token, body=body)

    def put(self, token: str, body: Any, *, version: str = "2.2.1") -> requests.Response:
        """PUT credentials."""
        return self.send("PUT", f"{version}/credentials", token=token, body=body)


def invited(
    *roles: str, name: str = "P1", quirks: tuple[str, ...] = (), reset: bool = False
) -> Invitation:
    """Invite a platform with these parties."""
    allowed = [AllowedRole.parse(role) for role in roles or (CPO,)]
    return invite(name, roles=allowed, quirks=quirks, reset=reset)


def offer(platform: SandboxPlatform, **changes: Any) -> dict[str, Any]:
    """Return a platform's credentials object around a fresh token it accepts, with changes."""
    return {**platform.credentials(platform.tokens.issue()), **changes}


def code(response: requests.Response) -> tuple[int, int]:
    """Return HTTP status and OCPI status code."""
    return response.status_code, response.json()["status_code"]


def said(response: requests.Response) -> str:
    """Return the status message."""
    return str(response.json().get("status_message", ""))


def assert_untouched(token_a: str, wire: Wire) -> None:
    """Assert that nothing was stored and that token A is as good as before."""
    platform = Platform.objects.get(name="P1")
    assert platform.status == ConnectionStatus.PLANNED
    assert (platform.version, platform.versions_url, platform.handshake_until) == ("", "", None)
    assert not Endpoint.objects.exists()
    assert not Party.objects.filter(is_active=True).exists()
    assert [row.kind for row in Credentials.objects.filter(platform=platform)] == [TokenKind.A]
    assert code(wire.get(token=token_a)) == (200, 1000)


def planned(*roles: str) -> Platform:
    """Prepare P1, which may register these roles."""
    return prepare("P1", roles=[AllowedRole.parse(role) for role in roles or (CPO,)])


def connected(platform: SandboxPlatform) -> Platform:
    """Register the hub with a platform, as P1."""
    row = planned()
    register(row, versions_url=platform.url, token_a=platform.invite())
    return row
