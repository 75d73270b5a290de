"""Log-in by an identity provider (OpenID Connect), where `HUB_OIDC_ISSUER` names one.

Spec: OpenID Connect Core 1.0, chapters 3.1 and 5.3; RFC 7636. Code flow with state, nonce and PKCE.
The library neither looks at issuer and audience of an ID token nor compares its subject with that
of the user info, and would take a code with any log-in form: all that is done here.
"""

import logging
from collections.abc import Mapping
from typing import Any

import jwt
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, logout
from django.contrib.auth.models import Group, User
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from operators import login_events, login_throttle
from operators.actor import Actor, Channel, acting
from operators.audit import record
from operators.client_ip import address_of, subscriber
from operators.groups import Role
from operators.login_events import Event
from operators.models import Identity
from operators.oidc_provider import SECONDS_TO_ANSWER, fetched, provider

log = logging.getLogger(__name__)
Claims = Mapping[str, Any]
_REFUSAL = "oidc_refusal"
_FOR_WHAT = "Sec-Fetch-Dest"
_CLOCKS_DIFFER_SECONDS = 60
_NEEDED = ["exp", "iat", "aud", "iss", "sub"]


def refusal(claims: Claims) -> str | None:
    """Return all that keeps the provider's word from letting somebody in."""
    email = str(claims.get("email") or "")
    verified = claims.get("email_verified") is True or settings.HUB_OIDC_TRUST_EMAIL
    here = not settings.HUB_OIDC_DOMAINS or _domain(email) in settings.HUB_OIDC_DOMAINS
    wrong = {
        "tells no e-mail address": "@" not in email,
        "has not verified your e-mail address": not verified,
        f"knows you by an address of {_domain(email)[:100]}, whose people may not log in": not here,
        "does not say that a second factor was used": not _says(claims, "amr"),
        "does not say that you were authenticated well enough": not _says(claims, "acr"),
        "knows you in no group that may log in": bool(settings.HUB_OIDC_GROUPS)
        and not roles(claims),
    }
    said = [sentence for sentence, is_so in wrong.items() if is_so]
    return f"Your identity provider {'; '.join(said)}." if said else None


def roles(claims: Claims) -> set[str]:
    """Return the hub's groups that the provider's groups stand for."""
    told = claims.get(settings.HUB_OIDC_GROUPS_CLAIM) or []
    groups = told if isinstance(told, list) else [told]
    return {
        settings.HUB_OIDC_GROUPS[group]
        for group in map(str, groups)
        if group in settings.HUB_OIDC_GROUPS
    }


class Backend(OIDCAuthenticationBackend):  # type: ignore[misc] # published without types
    """Judges a code that the provider gave, and finds whose account it is."""

    def __init__(self) -> None:
        self.UserModel = get_user_model()
        self.OIDC_RP_CLIENT_ID = settings.HUB_OIDC_CLIENT_ID
        self.OIDC_RP_CLIENT_SECRET = settings.HUB_OIDC_CLIENT_SECRET
        self.OIDC_RP_SIGN_ALGO = settings.HUB_OIDC_ALGORITHM
        self.OIDC_RP_IDP_SIGN_KEY = None

    OIDC_OP_TOKEN_ENDPOINT = property(lambda _: provider().token)
    OIDC_OP_USER_ENDPOINT = property(lambda _: provider().userinfo)
    OIDC_OP_JWKS_ENDPOINT = property(lambda _: provider().keys)

    @staticmethod
    def get_settings(attr: str, *default: object) -> Any:  # noqa: ANN401 - of any setting
        """Return what the library asks for."""
        return _setting(attr, *default)

    def authenticate(  # the library takes any credentials, those of the password form too
        self, request: HttpRequest | None, nonce: str, code_verifier: str
    ) -> User | None:
        """Exchange the code of a log-in that began here."""
        if not (settings.HUB_OIDC_ISSUER and nonce and code_verifier):
            return None
        try:
            found: User | None = super().authenticate(
                request, nonce=nonce, code_verifier=code_verifier
            )
        except (OSError, jwt.PyJWTError, SuspiciousOperation, KeyError, ValueError) as error:
            log.warning("log-in by OIDC failed: %s", error)
            return None
        return found

    def get_user(self, user_id: int) -> User | None:
        """Return whose session it is; nobody's, once the provider is not asked any more."""
        found: User | None = super().get_user(user_id) if settings.HUB_OIDC_ISSUER else None
        return found if found is not None and self.user_can_authenticate(found) else None

    def get_token(self, payload: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON of another
        """Name the address that the provider knows, whatever Host the request had."""
        return super().get_token({**payload, "redirect_uri": _callback()})

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """Find the key of a token: by its id; without one, the provider may have a single key."""
        named = jwt.get_unverified_header(token).get("kid")
        kind = "EC" if settings.HUB_OIDC_ALGORITHM.startswith("ES") else "RSA"
        found = [
            key
            for key in fetched(provider().keys)["keys"]
            if (key["kty"], key.get("use", "sig")) == (kind, "sig")
            and named in {None, key.get("kid")}
        ]
        if len(found) != 1:
            raise SuspiciousOperation("the provider has no key, or several, for the ID token")
        return jwt.PyJWK(found[0], algorithm=settings.HUB_OIDC_ALGORITHM)

    def _verify_jws(self, payload: str, key: Any) -> dict[str, Any]:  # noqa: ANN401 - of the library
        """Check the signature, and that the token is of this provider for this hub."""
        told: dict[str, Any] = jwt.decode(
            payload,
            key,
            algorithms=[settings.HUB_OIDC_ALGORITHM],
            audience=settings.HUB_OIDC_CLIENT_ID,
            issuer=provider().issuer,
            leeway=_CLOCKS_DIFFER_SECONDS,
            options={"require": _NEEDED},
        )
        if told.get("azp", settings.HUB_OIDC_CLIENT_ID) != settings.HUB_OIDC_CLIENT_ID:
            raise SuspiciousOperation("the ID token is for another client")
        return told

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> dict[str, Any]:
        """Add to the ID token what the provider knows besides of the same person."""
        told = super().get_userinfo(access_token, id_token, payload)
        if told.get("sub") != payload["sub"]:
            raise SuspiciousOperation("the user info is about another person than the ID token")
        return {**told, **payload}

    def verify_claims(self, claims: Claims) -> bool:
        """Tell whether the provider's word is enough."""
        return self._is_taken(refusal(claims))

    def filter_users_by_claims(self, claims: Claims) -> QuerySet[User]:
        """Find the account by subject; by address, if it has no subject yet."""
        issuer = provider().issuer
        linked = User.objects.filter(identity__issuer=issuer, identity__subject=claims["sub"])
        if linked.exists():
            return linked
        return User.objects.filter(email__iexact=claims["email"]).exclude(identity__issuer=issuer)

    def create_user(self, claims: Claims) -> User | None:
        """Make an account that has no password."""
        name = str(claims["email"]).lower()[:150]
        if User.objects.filter(username=name).exists():
            self._is_taken(f"There is an account {name} that is not yours.")
            return None
        with acting(_PROVIDER):
            return self._brought_in_line(
                User.objects.create_user(name, name, is_staff=True), claims
            )

    def update_user(self, user: User, claims: Claims) -> User | None:
        """Give an account the groups that the provider says."""
        if not (user.is_active and user.is_staff):
            self._is_taken("Your account may not log in.")
            return None
        with acting(_PROVIDER):
            return self._brought_in_line(user, claims)

    def get_or_create_user(self, *told: Any) -> User | None:  # noqa: ANN401 - of the library
        """Say so, if there is no account."""
        found: User | None = super().get_or_create_user(*told)
        if found is None and not getattr(self.request, _REFUSAL, ""):
            self._is_taken("You have no account here: ask an administrator for one.")
        return found

    def _brought_in_line(self, user: User, claims: Claims) -> User:
        link = {"issuer": provider().issuer, "subject": claims["sub"]}
        if not Identity.objects.filter(user=user, **link).exists():
            Identity.objects.update_or_create(user=user, defaults=link)
            record(Event.LINKED, user, after=link)
        if settings.HUB_OIDC_GROUPS:
            kept = user.groups.exclude(name__in=[role.group for role in Role])
            user.groups.set([*kept, *Group.objects.filter(name__in=roles(claims))])
        return user

    def _is_taken(self, sentence: str | None) -> bool:
        if sentence is not None:
            setattr(self.request, _REFUSAL, sentence)
        return sentence is None


class Start(OIDCAuthenticationRequestView):  # type: ignore[misc] # published without types
    """Sends a browser to the provider, a bounded number of times for each address."""

    def __init__(self, **options: object) -> None:
        super(OIDCAuthenticationRequestView, self).__init__(**options)
        self.OIDC_RP_CLIENT_ID = settings.HUB_OIDC_CLIENT_ID

    OIDC_OP_AUTH_ENDPOINT = property(lambda _: provider().authorization)

    @staticmethod
    def get_settings(attr: str, *default: object) -> Any:  # noqa: ANN401 - of any setting
        """Return what the library asks for."""
        return _setting(attr, *default)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Go there; a picture in somebody else's page begins nothing, nor uses attempts up."""
        if not settings.HUB_OIDC_ISSUER or request.headers.get(_FOR_WHAT, "document") != "document":
            raise Http404
        sentence = login_throttle.attempted(subscriber(address_of(request)))
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
        """Name the address that the provider knows, and how well people are to be authenticated."""
        del request
        asked = {"acr_values": " ".join(settings.HUB_OIDC_ACR)} if settings.HUB_OIDC_ACR else {}
        return {"redirect_uri": _callback(), **asked}


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
        login_throttle.completed(subscriber(address_of(self.request)))
        answer: HttpResponse = super().login_success()
        return answer

    def login_failure(self) -> HttpResponse:
        """Lead back to the log-in page."""
        login_events.record_failure(Event.PROVIDER_REFUSED, None, self.request)
        sentence = getattr(self.request, _REFUSAL, "The identity provider did not let you in.")
        return _back(self.request, sentence)


def end_session(request: HttpRequest) -> HttpResponse | None:
    """End a session here, and lead to where the provider ends its own; nowhere, if it does not."""
    target = provider().end_session
    if not target:
        return None
    logout(request)
    back = f"{settings.HUB_CONSOLE_URL}{reverse('admin:login')}"
    query = urlencode({"client_id": settings.HUB_OIDC_CLIENT_ID, "post_logout_redirect_uri": back})
    return HttpResponseRedirect(f"{target}?{query}")


_PROVIDER = Actor("identity provider", Channel.HUB)


def _setting(attr: str, *default: object) -> Any:  # noqa: ANN401 - of any setting
    ours = {
        "OIDC_RP_SCOPES": settings.HUB_OIDC_SCOPES,
        "OIDC_USE_PKCE": True,
        "OIDC_USE_NONCE": True,
        "OIDC_CREATE_USER": settings.HUB_OIDC_CREATE,
        "OIDC_TIMEOUT": SECONDS_TO_ANSWER,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "oidc:callback",
    }
    if attr == "OIDC_TOKEN_USE_BASIC_AUTH":
        return provider().takes_basic
    return ours[attr] if attr in ours else default[0]


def _callback() -> str:
    return f"{settings.HUB_CONSOLE_URL}{reverse('oidc:callback')}"


def _back(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return HttpResponseRedirect(reverse("admin:login"))


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()


def _says(claims: Claims, name: str) -> bool:
    """Tell whether a claim has one of the wanted words; wanting none it has."""
    told, wanted = claims.get(name), getattr(settings, f"HUB_OIDC_{name.upper()}")
    words = told if isinstance(told, list) else [told]
    return not wanted or any(word in wanted for word in words)
