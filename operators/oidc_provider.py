"""The identity provider of `HUB_OIDC_ISSUER`: its endpoints, as its metadata name them.

Spec: OpenID Connect Discovery 1.0, chapters 3 and 4.
"""

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

SECONDS_TO_ANSWER = 5
"""That the provider has for each request."""
MOST_BYTES_OF_PROVIDER = 200_000
"""Bytes read of the provider's metadata, and of its keys."""
_KEPT_SECONDS = 3_600
"""How long metadata are used before they are fetched again."""
_AUTH_METHODS = "token_endpoint_auth_methods_supported"
_cache: dict[str, tuple[float, "Provider"]] = {}


class ProviderTrouble(OSError):
    """The identity provider does not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What is known of it: its endpoints, and whether it takes HTTP Basic from clients."""

    issuer: str
    authorization: str
    token: str
    userinfo: str
    keys: str
    end_session: str
    takes_basic: bool


def provider() -> Provider:
    """Return what is known of the provider; it is asked once an hour."""
    issuer: str = settings.HUB_OIDC_ISSUER
    until, known = _cache.get(issuer, (0.0, None))
    if known is not None and time.monotonic() < until:
        return known
    known = read(issuer, fetch_json(f"{issuer}/.well-known/openid-configuration"))
    _cache[issuer] = (time.monotonic() + _KEPT_SECONDS, known)
    return known


def read(issuer: str, metadata: Any) -> Provider:  # noqa: ANN401 - JSON of another
    """Read an issuer's metadata; no endpoint may be http if the issuer is https."""
    try:
        if metadata["issuer"].rstrip("/") != issuer:
            raise ProviderTrouble(f"{issuer} says that it is {metadata['issuer']}")
        return Provider(
            issuer=metadata["issuer"],
            authorization=_checked(issuer, metadata["authorization_endpoint"]),
            token=_checked(issuer, metadata["token_endpoint"]),
            userinfo=_checked(issuer, metadata["userinfo_endpoint"]),
            keys=_checked(issuer, metadata["jwks_uri"]),
            end_session=_checked(issuer, metadata["end_session_endpoint"])
            if "end_session_endpoint" in metadata
            else "",
            takes_basic="client_secret_basic"
            in metadata.get(_AUTH_METHODS, ["client_secret_basic"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ProviderTrouble(f"the metadata of {issuer} lack {error}") from error


def _checked(issuer: str, url: str) -> str:
    if urlsplit(url).scheme not in {"https", urlsplit(issuer).scheme}:
        raise ProviderTrouble(f"{url} is not https")
    return url


def fetch_json(url: str) -> Any:  # noqa: ANN401 - JSON of another
    """Fetch and decode JSON of the provider."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310 - the operator's own setting
            return json.loads(answer.read(MOST_BYTES_OF_PROVIDER))
    except (OSError, ValueError) as error:
        raise ProviderTrouble(f"{url}: {error}") from error
