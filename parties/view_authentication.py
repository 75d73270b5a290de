"""Authentication and rate limits as REST framework's views ask for them.

Spec: 2.2.1 transport and format, Authorization header.
"""

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.throttling import BaseThrottle

from ocpi.errors import Unauthenticated
from parties import epoch, rate_limits
from parties.authentication import Presented, authenticate, count_stranger
from parties.caller import Caller

if TYPE_CHECKING:  # REST framework's views import their throttle, which is here
    from rest_framework.request import Request
    from rest_framework.views import APIView


class TokenAuthentication(BaseAuthentication):
    """Sets `request.user` and `request.auth` to the `Caller`.

    A view with `accepts_token_a = True` belongs to the Configuration Modules. Those of its methods
    that are `repeatable` are open to a token that was replaced, until its successor is used.
    """

    def authenticate(self, request: "Request") -> tuple[Caller, Caller]:
        """Identify the platform or answer 401; even then `token_of` may say whose token it was."""
        view = request.parser_context["view"]
        presented = Presented(
            headers=request.headers,
            address=request.META.get("REMOTE_ADDR", ""),
            configuring=getattr(view, "accepts_token_a", False),
            repeatable=request.method in getattr(view, "repeatable", ()),
        )
        # Who registers, or asks what there is, changes or precedes what could be remembered.
        now = None if presented.configuring else epoch.current()
        try:
            caller = authenticate(presented, now)
        except Unauthenticated:
            count_stranger(presented)
            raise
        finally:
            request.token_of = presented.token_of  # type: ignore[attr-defined]
        return caller, caller

    def authenticate_header(self, request: "Request") -> str:
        """Name the scheme."""
        del request
        return "Token"


class PlatformRate(BaseThrottle):
    """Asked by each view once it knows who calls."""

    def allow_request(self, request: "Request", view: "APIView") -> bool:
        """Count a request of a platform; raises `TooManyRequests`."""
        del view
        if isinstance(request.auth, Caller):
            rate_limits.check_platform(request.auth)
        return True
