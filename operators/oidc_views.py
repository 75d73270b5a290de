"""The pages of a log-in by an identity provider: to it, back from it, and out of both.

Spec: OpenID Connect Core 1.0, chapter 3.1.2; RP-Initiated Logout 1.0.
"""

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from operators import login_events, login_throttle
from operators.client_ip import address_of, network_of
from operators.login_events import Event
from operators.oidc import REFUSAL, callback_url, library_setting
from operators.oidc_provider import provider

log = logging.getLogger(__name__)
_DESTINATION = "Sec-Fetch-Dest"


class Start(OIDCAuthenticationRequestView):  # type: ignore[misc] # published without types
    """Sends a browser to the provider, a bounded number of times for each network."""

    def __init__(self, **options: object) -> None:
        # Past the library's own: it reads endpoints from settings; here the provider names them.
        super(OIDCAuthenticationRequestView, self).__init__(**options)
        self.OIDC_RP_CLIENT_ID = settings.HUB_OIDC_CLIENT_ID

    OIDC_OP_AUTH_ENDPOINT = property(lambda _: provider().authorization)

    @staticmethod
    def get_settings(attr: str, *default: object) -> Any:  # noqa: ANN401 - of any setting
        """Return a setting of the library."""
        return library_setting(attr, *default)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Redirect; an image in somebody's page neither begins a log-in nor uses attempts up."""
        if (
            not settings.HUB_OIDC_ISSUER
            or request.headers.get(_DESTINATION, "document") != "document"
        ):
            raise Http404
        sentence = login_throttle.attempted(network_of(address_of(request)))
        if sentence is not None:
            login_events.record_failure(Event.LOCKED_OUT, None, request)
            return _back(request, sentence)
        try:
            provider()
        except OSError as error:
            log.error("the identity provider cannot be asked: %s", error)  # noqa: TRY400 - one line
            return _back(request, "The identity provider does not answer.")
        answer: HttpResponse = super().get(request)
        return answer

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """Name the address to come back to, and how well people are to be authenticated."""
        del request
        asked = {"acr_values": " ".join(settings.HUB_OIDC_ACR)} if settings.HUB_OIDC_ACR else {}
        return {"redirect_uri": callback_url(), **asked}


class Callback(OIDCAuthenticationCallbackView):  # type: ignore[misc] # published without types
    """Takes a browser back from the provider."""

    @property
    def success_url(self) -> str:
        """Where the person was going."""
        return self.request.session.get("oidc_login_next") or reverse("admin:index")

    def get(self, request: HttpRequest) -> HttpResponse:
        """Let the person in, or say why not; nobody is logged out by a link."""
        if not settings.HUB_OIDC_ISSUER:
            raise Http404
        if request.GET.get("error"):
            return self.login_failure()
        try:
            answer: HttpResponse = super().get(request)
        except SuspiciousOperation as error:
            log.warning("log-in by OIDC failed: %s", error)
            return self.login_failure()
        return answer

    def login_success(self) -> HttpResponse:
        """Begin the session."""
        login_throttle.completed(network_of(address_of(self.request)))
        answer: HttpResponse = super().login_success()
        return answer

    def login_failure(self) -> HttpResponse:
        """Lead back to the log-in page."""
        login_events.record_failure(Event.PROVIDER_REFUSED, None, self.request)
        sentence = getattr(self.request, REFUSAL, "The identity provider did not let you in.")
        return _back(self.request, sentence)


def end_session(request: HttpRequest) -> HttpResponse | None:
    """End a session here, and redirect to where the provider ends its own, if it does."""
    target = provider().end_session
    if not target:
        return None
    logout(request)
    back = f"{settings.HUB_CONSOLE_URL}{reverse('admin:login')}"
    query = urlencode({"client_id": settings.HUB_OIDC_CLIENT_ID, "post_logout_redirect_uri": back})
    return HttpResponseRedirect(f"{target}?{query}")


def _back(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return HttpResponseRedirect(reverse("admin:login"))
