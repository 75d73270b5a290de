"""The Configuration Modules' endpoints: versions, version details and credentials.

Spec: 2.2.1 versions; credentials, Interfaces and endpoints. Each view parses, calls one function
and answers.
"""

from typing import TypedDict, cast

from rest_framework.request import Request

from ocpi.errors import MethodNotAllowed
from ocpi.modules import Version
from ocpi.server import OcpiResponse, OcpiView
from parties import hub_identity
from parties.caller import Caller
from parties.registration import credentials_object, inbound
from parties.view_authentication import TokenAuthentication


class _Exchange(TypedDict):
    """What `parties.registration.inbound` takes besides the caller."""

    version: Version
    body: bytes
    correlation_id: str


class PlatformView(OcpiView):
    """A view that registered platforms may call."""

    authentication_classes = [TokenAuthentication]

    @property
    def caller(self) -> Caller:
        return cast("Caller", self.request.auth)


class ConfigurationView(PlatformView):
    """A view that both token A and the final token open."""

    http_method_names = ["get", "post", "put", "patch", "delete"]
    accepts_token_a = True


class VersionsView(ConfigurationView):
    """The versions the hub speaks."""

    def get(self, _request: Request) -> OcpiResponse:
        """List them; no side effects, platforms use this as a ping."""
        return OcpiResponse(hub_identity.versions())


class VersionDetailsView(ConfigurationView):
    """The endpoints of one version."""

    def get(self, _request: Request, version: str) -> OcpiResponse:
        """List them; HTTP 404 and 3002 for a version the hub does not speak."""
        served = hub_identity.served_version(version)
        roles = credentials_object.listed_roles(self.caller.platform_id)
        details = hub_identity.version_details(served, roles=roles, quirks=self.caller.quirks)
        return OcpiResponse(details)


class CredentialsView(ConfigurationView):
    """Registration, its changes and its end."""

    repeatable = ("POST", "PUT")

    def get(self, _request: Request, version: str) -> OcpiResponse:
        """Return the hub's credentials with the token this call was made with (A-81)."""
        hub_identity.served_version(version)
        return OcpiResponse(hub_identity.credentials(self.caller.presented_token))

    def post(self, _request: Request, version: str) -> OcpiResponse:
        """Register the caller."""
        return OcpiResponse(inbound.register(self.caller, **self._exchange(version)))

    def put(self, _request: Request, version: str) -> OcpiResponse:
        """Change the caller's registration."""
        return OcpiResponse(inbound.update(self.caller, **self._exchange(version)))

    def patch(self, _request: Request, version: str) -> OcpiResponse:
        """Credentials are replaced as a whole, never patched."""
        hub_identity.served_version(version)
        allowed = inbound.allowed_methods(self.caller)
        message = "credentials cannot be patched: PUT the whole object"
        raise MethodNotAllowed(message, allowed=allowed)

    def delete(self, _request: Request, version: str) -> OcpiResponse:
        """End the caller's registration."""
        hub_identity.served_version(version)
        inbound.unregister(self.caller)
        return OcpiResponse()

    def _exchange(self, version: str) -> _Exchange:
        """Return what a POST or PUT brings."""
        return {
            "version": hub_identity.served_version(version),
            "body": self.body(),
            "correlation_id": self.message_ids.correlation_id,
        }
