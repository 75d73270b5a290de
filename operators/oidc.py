"""Log-in by an identity provider (OpenID Connect), where `HUB_OIDC_ISSUER` names one.

Spec: OpenID Connect Core 1.0, chapters 3.1 and 5.3; RFC 7636. Code flow with state, nonce and PKCE.
The library checks neither issuer and audience of an ID token nor that the user info is about the
same subject, and would take a code sent with any log-in form: all that is done here.
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
from operators.oidc_provider import SECONDS_TO_ANSWER, fetch_json, provider

log = logging.getLogger(__name__)
REFUSAL = "oidc_refusal"
"""The attribute of a request that says why its log-in was refused."""
_CLOCK_SKEW_SECONDS = 60
_REQUIRED_CLAIMS = ["exp", "iat", "aud", "iss", "sub"]
_LONGEST_USERNAME = 150
"""Characters of a username in Django."""
_PROVIDER = Actor("identity provider", Channel.HUB)


class Backend(OIDCAuthenticationBackend):  # type: ignore[misc] # published without types
    """Exchanges a code of the provider for its claims, and finds whose account that is."""

    def __init__(self) -> None:
        # The library's own reads endpoints from settings; here the provider names them.
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
        """Return a setting of the library."""
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
        """Return whose session it is; nobody's, once `HUB_OIDC_ISSUER` is not set any more."""
        found: User | None = super().get_user(user_id) if settings.HUB_OIDC_ISSUER else None
        return found if found is not None and self.user_can_authenticate(found) else None

    def get_token(self, payload: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON of another
        """Send the code with the address that the provider knows, whatever the Host header."""
        return super().get_token({**payload, "redirect_uri": callback_url()})

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """Find the key of a token by its id; without an id, the provider must have only one."""
        named = jwt.get_unverified_header(token).get("kid")
        kind = "EC" if settings.HUB_OIDC_ALGORITHM.startswith("ES") else "RSA"
        found = [
            key
            for key in fetch_json(provider().keys)["keys"]
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
            leeway=_CLOCK_SKEW_SECONDS,
            options={"require": _REQUIRED_CLAIMS},
        )
        if claims.get("azp", settings.HUB_OIDC_CLIENT_ID) != settings.HUB_OIDC_CLIENT_ID:
            raise SuspiciousOperation("the ID token is for another client")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> dict[str, Any]:
        """Return the claims of the user info and of the ID token, if both are of one person."""
        user_info = super().get_userinfo(access_token, id_token, payload)
        if user_info.get("sub") != payload["sub"]:
            raise SuspiciousOperation("the user info is about another person than the ID token")
        return {**user_info, **payload}

    def verify_claims(self, claims: Claims) -> bool:
        """Whether these claims let somebody in; if not, the request says why."""
        sentence = refusal(claims)
        if sentence is not None:
            self._refuse(sentence)
        return sentence is None

    def filter_users_by_claims(self, claims: Claims) -> QuerySet[User]:
        """Find the account by subject; by e-mail address, if none has the subject yet."""
        issuer = provider().issuer
        linked = User.objects.filter(identity__issuer=issuer, identity__subject=claims["sub"])
        if linked.exists():
            return linked
        return User.objects.filter(email__iexact=claims["email"]).exclude(identity__issuer=issuer)

    def create_user(self, claims: Claims) -> User | None:
        """Make an account that has no password."""
        name = str(claims["email"]).lower()[:_LONGEST_USERNAME]
        if User.objects.filter(username=name).exists():
            self._refuse(f"There is an account {name} that is not yours.")
            return None
        with acting(_PROVIDER):
            return self._brought_in_line(
                User.objects.create_user(name, name, is_staff=True), claims
            )

    def update_user(self, user: User, claims: Claims) -> User | None:
        """Give an account the groups that follow from the claims."""
        if not (user.is_active and user.is_staff):
            self._refuse("Your account may not log in.")
            return None
        with acting(_PROVIDER):
            return self._brought_in_line(user, claims)

    def get_or_create_user(self, *tokens: Any) -> User | None:  # noqa: ANN401 - of the library
        """Return the account; if there is none, the request says so."""
        found: User | None = super().get_or_create_user(*tokens)
        if found is None and not getattr(self.request, REFUSAL, ""):
            self._refuse("You have no account here: ask an administrator for one.")
        return found

    def _brought_in_line(self, user: User, claims: Claims) -> User:
        """Link an account to the subject, and give it the groups that follow from the claims."""
        link = {"issuer": provider().issuer, "subject": claims["sub"]}
        if not Identity.objects.filter(user=user, **link).exists():
            Identity.objects.update_or_create(user=user, defaults=link)
            record(Event.LINKED, user, after=link)
        if settings.HUB_OIDC_GROUPS:
            kept = user.groups.exclude(name__in=[role.group for role in Role])
            user.groups.set([*kept, *Group.objects.filter(name__in=roles(claims))])
        return user

    def _refuse(self, sentence: str) -> None:
        setattr(self.request, REFUSAL, sentence)


def library_setting(attr: str, *default: object) -> Any:  # noqa: ANN401 - of any setting
    """Return a setting of the library, from those of the hub."""
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
    """Return where the provider sends people back to."""
    return f"{settings.HUB_CONSOLE_URL}{reverse('oidc:callback')}"
