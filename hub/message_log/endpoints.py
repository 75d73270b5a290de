"""The endpoint that a logged URL belongs to: of the hub, by its form; of a peer, as registered."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import starmap
from time import monotonic
from urllib.parse import urlsplit

import psycopg

from database.sql import Query
from hub.message_log import sql as statements
from hub.message_log.sql import RegisteredEndpoint
from ocpi.errors import OcpiError
from ocpi.modules import Match
from ocpi.transport.paths import segments
from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import VERSIONS, declared

_REFRESH_SECONDS = 5.0
_OF_MODULE = re.compile(r"(/ocpi/([0-9][0-9.]*)/(sender|receiver)/([A-Za-z]+))(?=[/?]|$)/?(.*)")
_CONFIGURATION = re.compile(r"/ocpi/(?:versions|([0-9][0-9.]*)(/credentials)?)/?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL taken apart: the endpoint it begins with, what that is, and the path behind it."""

    endpoint: str = ""
    path: str = ""
    platform: str = ""
    version: str = ""
    module: str = ""
    interface: str = ""

    def match(self, method: str = "") -> Match | None:
        """Return what the path leads to in the module's declaration, if anything."""
        with suppress(OcpiError, KeyError, ValueError):
            module = VERSIONS[self.version].modules[ModuleID(self.module)]
            steps = segments(self.path.partition("?")[0].rstrip("/"))
            return module.interfaces[InterfaceRole(self.interface)].match(steps, method)
        return None

    def object_id(self) -> str:
        """Return the id of the object the URL names, if any."""
        match = self.match()
        return next(iter(match.ids), "") if match else ""

    def posted_id(self, method: str) -> str:
        """Return the member with the id of an object that is POSTed here, if any is."""
        match = self.match(method) if method == "POST" else None
        kind = match.resource.object if match else None
        return kind.id_field if kind and kind.posted else ""


def endpoint_of_hub(url: str, method: str = "GET") -> Endpoint:
    """Take apart a path of the hub; anything but a GET of its versions is about credentials."""
    functional = _OF_MODULE.match(url)
    if functional and declared(functional[4]):
        endpoint, version, interface, module, path = functional.groups()
        return Endpoint(endpoint, path, "", version, module, interface.upper())
    path = url.partition("?")[0]
    configuring = _CONFIGURATION.fullmatch(path)
    if configuring:
        version, credentials = configuring.groups()
        reads = method == "GET" and not credentials
        return Endpoint(path, "", "", version or "", "versions" if reads else "credentials")
    return Endpoint(path=url)


@dataclass(slots=True)
class Endpoints:
    """The endpoints of all platforms by URL, read from the database every few seconds."""

    endpoints: Mapping[str, list[Endpoint]] = field(default_factory=dict)
    platforms: Mapping[str, str] = field(default_factory=dict)
    """By party, `NL-CPA`: the name of its platform."""
    versions: Mapping[str, Endpoint] = field(default_factory=dict)
    """By versions URL."""
    valid_until: float = 0.0
    """On the clock of `monotonic`."""
    _longest: int = field(init=False, default=0)
    """Characters of the longest endpoint."""

    def __post_init__(self) -> None:
        self._measure()

    def refresh(self, connection: psycopg.Connection, urls: Iterable[str]) -> None:
        """Read them again if they are old, or if one of the URLs has no endpoint among them."""
        if monotonic() < self.valid_until and all(map(self._is_known, urls)):
            return
        found: dict[str, list[Endpoint]] = defaultdict(list)
        for endpoint in _registered(connection, statements.ENDPOINTS):
            found[endpoint.endpoint].append(endpoint)
        self.endpoints = dict(found)
        self._measure()
        versions_urls = _registered(connection, statements.VERSIONS_URLS)
        self.versions = {endpoint.endpoint: endpoint for endpoint in versions_urls}
        self.platforms = dict(connection.execute(statements.PLATFORM_OF_PARTIES).fetchall())
        self.valid_until = monotonic() + _REFRESH_SECONDS

    def of_peer(self, url: str, *, method: str, receiver: str) -> Endpoint:
        """Take apart a URL of a peer, by the longest endpoint that it begins with.

        Platforms may share an endpoint, as tenants of one installation: the receiver decides.
        """
        platform = self.platforms.get(receiver, "")
        endpoint = self._endpoint(url)
        if not endpoint:
            return Endpoint(path=url, platform=platform or _host(url))
        found = self.endpoints[endpoint]
        side = "SENDER" if method == "GET" else "RECEIVER"
        best = max(found, key=lambda each: (each.platform == platform, each.interface == side))
        path = url[len(endpoint) :].removeprefix("/")
        return Endpoint(endpoint, path, best.platform, best.version, best.module, best.interface)

    def of_configuration_call(self, url: str, *, method: str) -> Endpoint:
        """Take apart the URL of a call about versions or credentials, which has no routing headers.

        Most URLs of a peer begin with its versions URL, so only that very URL is known by it.
        """
        reads = method == "GET" and not _plain(url).endswith("credentials")
        elsewhere = Endpoint(path=url, platform=_host(url))
        if not reads:
            return replace(elsewhere, module="credentials")
        return self.versions.get(_plain(url)) or replace(elsewhere, module="versions")

    def _measure(self) -> None:
        self._longest = max(map(len, self.endpoints), default=0)

    def _is_known(self, url: str) -> bool:
        return _plain(url) in self.versions or self._endpoint(url) != ""

    def _endpoint(self, url: str) -> str:
        """Return the longest endpoint a URL begins with, if any."""
        # Cut to the longest endpoint first: a URL may have thousands of steps.
        endpoint = _plain(url)[: self._longest + 1]
        while endpoint and endpoint not in self.endpoints:
            endpoint = endpoint.rpartition("/")[0]
        return endpoint


def _registered(
    connection: psycopg.Connection, query: Query[RegisteredEndpoint]
) -> Iterator[Endpoint]:
    for row in starmap(query.row, connection.execute(query.text.encode())):
        url = _plain(row.url)
        yield Endpoint(url, "", row.platform, row.version, row.module, row.interface)


def _host(url: str) -> str:
    """Return host and port of a URL; empty if it is malformed."""
    with suppress(ValueError):
        return urlsplit(url).netloc
    return ""


def _plain(url: str) -> str:
    return url.partition("?")[0].rstrip("/")
