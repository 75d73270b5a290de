"""The credentials handshake of a simulated platform, on either side.

Credentials chapter. A platform that receives credentials fetches versions and details before it
answers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from requests import RequestException

from ocpi.errors import (
    InvalidParameters,
    MethodNotAllowed,
    NoMatchingEndpoints,
    OcpiError,
    UnsupportedVersion,
    UnusableApi,
)
from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import latest_mutual
from sandbox.client import Connection, HubClient, Refused, Result
from sandbox.credentials_tokens import Tokens, TokenState
from sandbox.object_store import read_object
from sandbox.quirks import Quirks
from sandbox.recorder import Seen
from sandbox.server import Answer

Pick = Callable[[Iterable[str]], str | None]
CREDENTIALS = (ModuleID.CREDENTIALS, InterfaceRole.SENDER)
METHODS = {TokenState.INVITED: ("GET", "POST"), TokenState.REGISTERED: ("DELETE", "GET", "PUT")}


@dataclass(frozen=True, slots=True)
class Handshake:
    """Both sides of the handshake over one platform's tokens and connection.

    `describe` makes the platform's credentials object around a token; `versions` are its own.
    """

    quirks: Quirks
    tokens: Tokens
    hub: HubClient
    describe: Callable[[str], dict[str, Any]]
    versions: list[str]

    # --- as receiver ---------------------------------------------------------------------------

    def answer(self, seen: Seen, version: str, token: str) -> Answer:
        """Answer a call of the credentials endpoint made with this valid token."""
        allowed = METHODS[self.tokens.valid.get(token, TokenState.REGISTERED)]
        if seen.method not in allowed:
            raise MethodNotAllowed(f"{seen.method} is not for this token", allowed=allowed)
        if seen.method == "GET":
            return self.quirks.success(self.describe(token))
        if seen.method == "DELETE":
            self.hub.connection = None
            self.tokens.revoke()
            return self.quirks.success()
        return self._accept(seen, version, token)

    def _accept(self, seen: Seen, version: str, token: str) -> Answer:
        theirs = _checked(read_object(seen.body))
        try:
            found = self._discover(theirs["url"], theirs["token"], partial(_same, version))
        except (RequestException, Refused, LookupError, TypeError, ValueError) as error:
            raise UnusableApi(f"the versions could not be used: {error}") from error
        self.hub.connection = replace(found, roles=tuple(theirs["roles"]))
        fresh = self.tokens.issue()
        if seen.method == "POST":
            self.tokens.revoke(token)
        else:
            self.tokens.supersede(fresh)
        return self.quirks.success(self.describe(fresh))

    # --- as sender -----------------------------------------------------------------------------

    def register(self, versions_url: str, token_a: str) -> Result:
        """Register with the platform behind this versions URL, by the latest mutual version."""
        found = self._discover(versions_url, token_a, self._latest)
        return self._offer("POST", found)

    def update(self, version: str | None = None) -> Result:
        """Renew tokens and endpoints by PUT, in this version or the current one."""
        current = self.hub.connected
        pick = partial(_same, version or current.version)
        return self._offer("PUT", self._discover(current.versions_url, current.token, pick))

    def unregister(self) -> Result:
        """End the connection by DELETE."""
        current = self.hub.connected
        result = self.hub.call("DELETE", current.endpoints[CREDENTIALS])
        if not result.succeeded:
            raise Refused("DELETE credentials", result)
        self.tokens.revoke()
        self.hub.connection = None
        return result

    def _offer(self, method: str, found: Connection) -> Result:
        # Valid before it is sent: the other side calls back with it while this call is open.
        ours = self.tokens.issue()
        url, described = found.endpoints[CREDENTIALS], self.describe(ours)
        try:
            result = self.hub.call(method, url, described, token=found.token)
            theirs = _granted(method, result)
        except (RequestException, Refused):
            self.tokens.revoke(ours)
            raise
        self.hub.connection = replace(found, token=theirs["token"], roles=tuple(theirs["roles"]))
        self.tokens.supersede(ours)
        return result

    # --- versions and details ------------------------------------------------------------------

    def _latest(self, numbers: Iterable[str]) -> str | None:
        mutual = latest_mutual(set(numbers) & set(self.versions))
        return mutual.number if mutual else None

    def _discover(self, versions_url: str, token: str, pick: Pick) -> Connection:
        versions = {each["version"]: each["url"] for each in self._data(versions_url, token)}
        number = pick(versions)
        if number is None:
            raise UnsupportedVersion(f"no mutual version among {', '.join(versions)}")
        details = single(self._data(versions[number], token))
        endpoints = dict(_endpoints(details, self.quirks))
        if CREDENTIALS not in endpoints:
            raise NoMatchingEndpoints("no credentials endpoint")
        return Connection(versions_url, number, endpoints, token)

    def _data(self, url: str, token: str) -> Any:  # noqa: ANN401 - whatever the peer sent
        result = self.hub.call("GET", url, token=token)
        if not result.succeeded:
            raise Refused(f"GET {url}", result)
        return result.data


def single(data: Any) -> Any:  # noqa: ANN401 - whatever the peer sent
    """Unwrap an object that some platforms send as a list of one."""
    return data[0] if isinstance(data, list) and len(data) == 1 else data


def _same(number: str, numbers: Iterable[str]) -> str | None:
    return number if number in numbers else None


def _endpoints(details: dict[str, Any], quirks: Quirks) -> Iterable[tuple[tuple[str, str], str]]:
    """List the endpoints by module and role; the role of credentials says nothing."""
    for each in details["endpoints"]:
        module, role, url = each["identifier"], each["role"], each["url"]
        if module == ModuleID.CREDENTIALS:
            if quirks.credentials_side in {None, role}:
                yield CREDENTIALS, url
        elif quirks.role_blind:
            yield from (((module, side.value), url) for side in InterfaceRole)
        else:
            yield (module, role), url


def _checked(credentials: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("token", "url", "roles") if not credentials.get(name)]
    if missing:
        raise InvalidParameters(f"missing: {', '.join(missing)}")
    return credentials


def _granted(method: str, result: Result) -> dict[str, Any]:
    if not result.succeeded:
        raise Refused(f"{method} credentials", result)
    try:
        return _checked(single(result.data))
    except (OcpiError, AttributeError) as error:
        raise Refused(f"{method} credentials: {error}", result) from error
