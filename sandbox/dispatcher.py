"""The way from a request to the answer of a simulated platform that behaves.

Every request must carry a token the platform issued, in the form it takes.
"""

from dataclasses import dataclass, replace

from ocpi.errors import MethodNotAllowed, OcpiError, Unauthenticated
from ocpi.types import ModuleID
from sandbox.credentials_tokens import TokenState
from sandbox.endpoints import Addresses, Endpoint, EndpointKind
from sandbox.interfaces import Interfaces
from sandbox.quirks import Quirks
from sandbox.recorder import Seen
from sandbox.registration import Handshake
from sandbox.server import Answer


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """From a request to its answer."""

    addresses: Addresses
    handshake: Handshake
    interfaces: Interfaces

    def answer(self, seen: Seen) -> Answer:
        """Answer a request, errors included."""
        try:
            answer = self._answer(seen)
        except OcpiError as error:
            answer = self._quirks.refusal(error)
        return replace(answer, headers={**answer.headers, **self._quirks.headers(seen)})

    @property
    def _quirks(self) -> Quirks:
        return self.interfaces.quirks

    def _answer(self, seen: Seen) -> Answer:
        tokens = self.handshake.tokens
        token = tokens.find(seen.headers.get("Authorization"), forms=self._quirks.token_forms)
        if token is None:
            raise Unauthenticated("unknown token")
        endpoint = self.addresses.find(seen.route)
        if endpoint.kind is not EndpointKind.ENDPOINT:
            return self._describe(endpoint, seen)
        if endpoint.module == ModuleID.CREDENTIALS:
            return self.handshake.answer(seen, endpoint.version, token)
        if tokens.valid.get(token) is TokenState.INVITED:
            raise Unauthenticated("token A is for the registration only")
        return self.interfaces.answer(
            endpoint, seen, self.addresses.url(replace(endpoint, rest=()))
        )

    def _describe(self, endpoint: Endpoint, seen: Seen) -> Answer:
        if seen.method != "GET":
            raise MethodNotAllowed(allowed=("GET",))
        if endpoint.kind is EndpointKind.VERSIONS:
            return self._quirks.success(
                [
                    {
                        "version": version,
                        "url": self.addresses.url(Endpoint(EndpointKind.DETAILS, version)),
                    }
                    for version in self.addresses.versions
                ]
            )
        endpoints = [
            {
                "identifier": str(each.module),
                "role": str(each.role),
                "url": self.addresses.url(each),
            }
            for each in self.addresses.listed(endpoint.version)
        ]
        foreign = self.addresses.foreign
        return self._quirks.success({"version": endpoint.version, "endpoints": endpoints + foreign})
