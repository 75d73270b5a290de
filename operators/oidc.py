"""Log-in by an identity provider (OpenID Connect), where `HUB_OIDC_ISSUER` names one.

Spec: OpenID Connect Core 1.0, chapters 3.1 and 5.3; RFC 7636. Code flow with state, nonce and PKCE.
The library neither looks at issuer and audience of an ID token nor compares its subject with that
of the user info, and would take a code with any log-in form: all that is done here.
"""

import logging
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from operators.actor import Actor, Channel, acting
from operators.audit import record
from operators.groups import Role
from operators.login_events import Event
from operators.models import Identity
from operators.oidc_claims import Claims, refusal, roles
from operators.oidc_provider import SECONDS_TO_ANSWER, fetched, provider

log = logging.getLogger(__name__)
REFUSAL = "oidc_refusal"
"""The attribute of a request that says why its log-in was refused."""
_CLOCKS_DIFFER_SECONDS = 60
_NEEDED = ["exp", "iat", "aud", "iss", "sub"]
_PROVIDER = Actor("identity provider", Channel.HUB)


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
        return library_setting(attr, *default)

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
        return super().get_token({**payload, "redirect_uri": callback_url()})

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
        claims: dict[str, Any] = jwt.decode(
            payload,
            key,
            algorithms=[settings.HUB_OIDC_ALGORITHM],
            audience=settings.HUB_OIDC_CLIENT_ID,
            issuer=provider().issuer,
            leeway=_CLOCKS_DIFFER_SECONDS,
            options={"require": _NEEDED},
        )
        if claims.get("azp", settings.HUB_OIDC_CLIENT_ID) != settings.HUB_OIDC_CLIENT_ID:
            raise SuspiciousOperation("the ID token is for another client")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> dict[str, Any]:
        """Add to the ID token what the provider knows besides of the same person."""
        user_info = super().get_userinfo(access_token, id_token, payload)
        if user_info.get("sub") != payload["sub"]:
            raise SuspiciousOperation("the user info is about another person than the ID token")
        return {**user_info, **payload}

    def verify_claims(self, claims: Claims) -> bool:
        """Whether the provider's word is enough."""
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

    def get_or_create_user(self, *tokens: Any) -> User | None:  # noqa: ANN401 - of the library
        """Say so, if there is no account."""
        found: User | None = super().get_or_create_user(*tokens)
        if found is None and not getattr(self.request, REFUSAL, ""):
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
            setattr(self.request, REFUSAL, sentence)
        return sentence is None


def library_setting(attr: str, *default: object) -> Any:  # noqa: ANN401 - of any setting
    """Return what the library asks for, from the settings of the hub."""
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


def callback_url() -> str:
    """Return the address of the console that the provider knows."""
    return f"{settings.HUB_CONSOLE_URL}{reverse('oidc:callback')}"
