"""The addresses of a simulated platform: the URLs of its versions, details and endpoints.

Version information endpoint chapter. Tests may move or withdraw an endpoint, or add a foreign one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import unquote

from ocpi.errors import NotFound
from ocpi.types import InterfaceRole, ModuleID

BASE = "/ocpi"


class EndpointKind(StrEnum):
    """What lies under a URL."""

    VERSIONS = "VERSIONS"
    DETAILS = "DETAILS"
    ENDPOINT = "ENDPOINT"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL of the platform, and the decoded path segments after it."""

    kind: EndpointKind
    version: str = ""
    module: ModuleID = ModuleID.CREDENTIALS
    role: InterfaceRole = InterfaceRole.SENDER
    rest: tuple[str, ...] = ()


@dataclass(slots=True)
class Addresses:
    """The paths in use; `versions` and `modules` may be changed while the platform runs."""

    versions: list[str]
    modules: Mapping[ModuleID, Sequence[InterfaceRole]]
    trailing_slash: bool = False
    origin: str = ""
    moved: dict[tuple[ModuleID, InterfaceRole], str | None] = field(default_factory=dict)
    foreign: list[dict[str, str]] = field(default_factory=list)
    unlisted: set[tuple[ModuleID, InterfaceRole]] = field(default_factory=set)
    """What is there and not advertised."""

    def path(self, endpoint: Endpoint) -> str | None:
        """Give the path of one; None when it was withdrawn."""
        if endpoint.kind is EndpointKind.VERSIONS:
            return f"{BASE}/versions"
        if endpoint.kind is EndpointKind.DETAILS:
            return f"{BASE}/{endpoint.version}"
        if endpoint.module == ModuleID.CREDENTIALS:
            return f"{BASE}/{endpoint.version}/credentials"
        usual = f"{BASE}/{endpoint.version}/{endpoint.role.lower()}/{endpoint.module}"
        return self.moved.get((endpoint.module, endpoint.role), usual)

    def url(self, endpoint: Endpoint) -> str:
        """Give the advertised URL of one."""
        return f"{self.origin}{self.path(endpoint)}{'/' if self.trailing_slash else ''}"

    def endpoints(self, version: str) -> Iterator[Endpoint]:
        """List the endpoints offered in this version, credentials first."""
        yield Endpoint(EndpointKind.ENDPOINT, version)
        for module, roles in self.modules.items():
            for role in roles:
                endpoint = Endpoint(EndpointKind.ENDPOINT, version, module, role)
                if self.path(endpoint) is not None:
                    yield endpoint

    def listed(self, version: str) -> Iterator[Endpoint]:
        """List the endpoints that the details of this version advertise."""
        for each in self.endpoints(version):
            if (each.module, each.role) not in self.unlisted:
                yield each

    def find(self, route: str) -> Endpoint:
        """Find the one that a raw path leads to, by its longest match; NotFound otherwise."""
        segments = tuple(unquote(segment) for segment in route.rstrip("/").split("/"))
        found = [self._rest(endpoint, segments) for endpoint in self._all()]
        matching = [endpoint for endpoint in found if endpoint is not None]
        if not matching:
            raise NotFound("nothing under this URL")
        return min(matching, key=lambda endpoint: len(endpoint.rest))

    def _rest(self, endpoint: Endpoint, segments: tuple[str, ...]) -> Endpoint | None:
        prefix = tuple((self.path(endpoint) or "").rstrip("/").split("/"))
        rest = segments[len(prefix) :]
        takes_more = (
            endpoint.kind is EndpointKind.ENDPOINT and endpoint.module != ModuleID.CREDENTIALS
        )
        if segments[: len(prefix)] != prefix or (rest and not takes_more):
            return None
        return replace(endpoint, rest=rest)

    def _all(self) -> Iterator[Endpoint]:
        yield Endpoint(EndpointKind.VERSIONS)
        for version in self.versions:
            yield Endpoint(EndpointKind.DETAILS, version)
            yield from self.endpoints(version)
