"""The Configuration Modules' endpoints: versions, version details and credentials.

Spec: 2.2.1 versions; credentials, Interfaces and endpoints. Each view parses, calls one function
and answers.
"""

from typing import TypedDict

from rest_framework.request import Request

from ocpi.errors import MethodNotAllowed
from ocpi.modules import Version
from ocpi.server import OcpiResponse, OcpiView
from parties import hub_identity
from parties.authentication import TokenAuthentication, caller_of
from parties.registration import credentials_object, inbound


class _Exchange(TypedDict):
    """What `parties.registration.inbound` takes besides the caller."""

    version: Version
    body: bytes
    correlation_id: str


class ConfigurationView(OcpiView):
    """A view that both token A and the final token open."""

    authentication_classes = [TokenAuthentication]
    http_method_names = ["get", "post", "put", "patch", "delete"]
    accepts_token_a = True


class VersionsView(ConfigurationView):
    """The versions the hub speaks."""

    def get(self, request: Request) -> OcpiResponse:
        """List them; no side effects, platforms use this as a ping."""
        del request
        return OcpiResponse(hub_identity.versions())


class VersionDetailsView(ConfigurationView):
    """The endpoints of one version."""

    def get(self, request: Request, version: str) -> OcpiResponse:
        """List them; HTTP 404 and 3002 for a version the hub does not speak."""
        served = hub_identity.served_version(version)
        to_hub = credentials_object.may_be_hub(caller_of(request).platform_id)
        return OcpiResponse(hub_identity.version_details(served, to_hub=to_hub))


class CredentialsView(ConfigurationView):
    """Registration, its changes and its end."""

    repeatable = ("POST", "PUT")

    def get(self, request: Request, version: str) -> OcpiResponse:
        """Return the hub's credentials with the token this call was made with (A-81)."""
        hub_identity.served_version(version)
        return OcpiResponse(hub_identity.credentials(caller_of(request).presented_token))

    def post(self, request: Request, version: str) -> OcpiResponse:
        """Register the caller."""
        return OcpiResponse(inbound.register(caller_of(request), **self._exchange(version)))

    def put(self, request: Request, version: str) -> OcpiResponse:
        """Change the caller's registration."""
        return OcpiResponse(inbound.update(caller_of(request), **self._exchange(version)))

    def patch(self, request: Request, version: str) -> OcpiResponse:
        """Credentials are replaced as a whole, never patched."""
        hub_identity.served_version(version)
        allowed = inbound.allowed_methods(caller_of(request))
        message = "credentials cannot be patched: PUT the whole object"
        raise MethodNotAllowed(message, allowed=allowed)

    def delete(self, request: Request, version: str) -> OcpiResponse:
        """End the caller's registration."""
        hub_identity.served_version(version)
        inbound.unregister(caller_of(request))
        return OcpiResponse()

    def _exchange(self, version: str) -> _Exchange:
        """Return what a POST or PUT brings."""
        return {
            "version": hub_identity.served_version(version),
            "body": self.body(),
            "correlation_id": self.message_ids.correlation_id,
        }
