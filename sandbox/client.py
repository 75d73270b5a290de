"""The client of a simulated platform: one message out, its answer as it came.

It uses `requests`, so that no hub is ever tested only by its own client.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partialmethod
from itertools import islice
from types import NoneType
from typing import Any, cast
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from ocpi.transport.authorization import header
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.pagination import read_link
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from sandbox.quirks import Quirks

Body = bytes | str | Mapping[str, Any] | list[Any] | None
"""Bytes and text are sent as they are; anything else is rendered as JSON."""

PAGES_AT_MOST = 10_000
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Result:
    """An answer: `status_code` is OCPI's, `http_status` is HTTP's."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the peer sent
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def status_code(self) -> int | None:
        """The OCPI status code; None without an envelope."""
        return cast("int | None", self._member("status_code"))

    @property
    def data(self) -> Any:  # noqa: ANN401 - whatever the peer sent
        """The envelope's data; None when there is none."""
        return self._member("data")

    @property
    def message(self) -> str | None:
        """The envelope's status_message."""
        return cast("str | None", self._member("status_message"))

    @property
    def location(self) -> str | None:
        """Where what was posted is found."""
        return self.headers.get("Location")

    @property
    def succeeded(self) -> bool:
        """Whether OCPI says success."""
        return self.status_code is not None and self.status_code // 1000 == 1

    def _member(self, name: str) -> object:
        value = self.json
        return value.get(name) if isinstance(value, dict) else None

    def __str__(self) -> str:
        # A success may carry a token, which must not turn up in what people read.
        text = self.message or (b"" if self.succeeded else self.body[:200]).decode(errors="replace")
        return f"HTTP {self.http_status}, status_code {self.status_code}: {text}"


class Refused(Exception):
    """The other side answered, but not with what was needed."""

    def __init__(self, what: str, result: Result) -> None:
        super().__init__(f"{what}: {result}")
        self.result = result


@dataclass(frozen=True, slots=True)
class Connection:
    """The other side as the handshake found it."""

    versions_url: str
    version: str
    endpoints: Mapping[tuple[str, str], str]
    token: str = field(repr=False)
    roles: tuple[Mapping[str, Any], ...] = ()

    @property
    def party(self) -> PartyRef:
        """The first party of the other side: the hub itself when it is one."""
        role = self.roles[0]
        return PartyRef(role["country_code"], role["party_id"])

    def endpoint(self, module: str, role: str) -> str:
        """Give the URL of an endpoint; LookupError when it is not offered."""
        try:
            return self.endpoints[module, role]
        except KeyError:
            message = f"the other side offers no {role} {module}"
            raise LookupError(message) from None


@dataclass(frozen=True, slots=True)
class Crawl:
    """The pages of a list, in order."""

    pages: tuple[Result, ...]

    @property
    def data(self) -> list[Any]:
        """The objects of all pages."""
        return [each for page in self.pages for each in page.data or []]


class HubClient:
    """A platform's side of its connection to the hub."""

    def __init__(self, quirks: Quirks) -> None:
        self.timeout = 10.0
        self.connection: Connection | None = None
        self._quirks = quirks
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(CONNECTIONS, CONNECTIONS))

    @property
    def connected(self) -> Connection:
        """The connection; LookupError before the handshake."""
        if self.connection is None:
            message = "not registered"
            raise LookupError(message)
        return self.connection

    @property
    def party(self) -> PartyRef:
        """The hub's own party."""
        return self.connected.party

    @property
    def token(self) -> str:
        """The token used towards the hub."""
        return self.connected.token

    def endpoint(self, module: str, role: str) -> str:
        """Give the URL of one of the hub's endpoints."""
        return self.connected.endpoint(module, role)

    def call(
        self,
        method: str,
        url: str,
        body: Body = None,
        *,
        token: str | None = None,
        **headers: str | None,
    ) -> Result:
        """Send one message to an absolute URL; a header given as None is left out.

        Message ids, Authorization and Content-Type are added. Redirects are not followed, the URL
        is sent as it is spelled.
        """
        content = body if isinstance(body, bytes | NoneType) else _rendered(body)
        usual: dict[str, str | None] = {
            "Authorization": header(token or self.token, base64=self._quirks.base64),
            **MessageIds.new().as_headers(),
            **({} if content is None else {"Content-Type": "application/json"}),
        }
        given = CaseInsensitiveDict({**CaseInsensitiveDict(usual), **CaseInsensitiveDict(headers)})
        sent = {name: value for name, value in given.items() if value is not None}
        prepared = requests.Request(method, url, headers=sent, data=content).prepare()
        prepared.url = url
        started = time.monotonic()
        answer = self._session.send(prepared, timeout=self.timeout, allow_redirects=False)
        elapsed = time.monotonic() - started
        return Result(answer.status_code, answer.headers, answer.content, elapsed)

    def send(
        self,
        method: str,
        module: str,
        role: str,
        suffix: str = "",
        body: Body = None,
        *,
        query: Mapping[str, object] | None = None,
        to: PartyRef | None = None,
        sender: PartyRef | None = None,
        **headers: str | None,
    ) -> Result:
        """Send one message to an endpoint of the hub.

        `suffix` is the raw path after the endpoint's URL, with a raw query if there is no `query`;
        `to` and `sender` are the routing headers, left out when None.
        """
        url = self.endpoint(module, role)
        if suffix:
            url = url + suffix if suffix.startswith("?") else f"{url.rstrip('/')}/{suffix}"
        if query:
            url = f"{url}?{urlencode(query)}"
        routing = RoutingHeaders(to=to, sender=sender).as_headers()
        return self.call(method, url, body, **{**routing, **headers})

    get = partialmethod(send, "GET")
    put = partialmethod(send, "PUT")
    patch = partialmethod(send, "PATCH")
    post = partialmethod(send, "POST")
    delete = partialmethod(send, "DELETE")

    def list(
        self,
        module: str,
        query: Mapping[str, object] | None = None,
        *,
        role: str = "SENDER",
        follow: bool = True,
        to: PartyRef | None = None,
        sender: PartyRef | None = None,
        **headers: str | None,
    ) -> Crawl:
        """Get a list page by page, following `Link` until there is none; or its first page only."""
        suffix = f"?{urlencode(query)}" if query else ""
        routing = RoutingHeaders(to=to, sender=sender).as_headers()
        pages = self._crawl(self.endpoint(module, role) + suffix, **{**routing, **headers})
        return Crawl(tuple(islice(pages, PAGES_AT_MOST if follow else 1)))

    def read(
        self,
        url: str,
        *,
        to: PartyRef | None = None,
        sender: PartyRef | None = None,
        **headers: str | None,
    ) -> Result:
        """Get what a URL the other side gave leads to: a `Location`, a page."""
        routing = RoutingHeaders(to=to, sender=sender).as_headers()
        return self.call("GET", url, **{**routing, **headers})

    def close(self) -> None:
        """Close the connections kept open."""
        self._session.close()

    def _crawl(self, url: str | None, **headers: str | None) -> Iterator[Result]:
        while url:
            page = self.call("GET", url, **headers)
            yield page
            url = read_link(page.headers.get("Link"), base_url=url)


def _rendered(body: object) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return text.encode()
