"""The claims of an identity provider: whether they let somebody in, and into which groups.

Spec: OpenID Connect Core 1.0, chapters 2 and 5.1.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

Claims = Mapping[str, Any]


def refusal(claims: Claims) -> str | None:
    """Return every reason why these claims let nobody in, as one sentence; None if they do."""
    email = str(claims.get("email") or "")
    verified = claims.get("email_verified") is True or settings.HUB_OIDC_TRUST_EMAIL
    here = not settings.HUB_OIDC_DOMAINS or _domain(email) in settings.HUB_OIDC_DOMAINS
    wrong = {
        "gives no e-mail address": "@" not in email,
        "has not verified your e-mail address": not verified,
        f"knows you by an address of {_domain(email)[:100]}, whose people may not log in": not here,
        "does not say that a second factor was used": not _says(claims, "amr"),
        "does not say that you were authenticated well enough": not _says(claims, "acr"),
        "knows you in no group that may log in": bool(settings.HUB_OIDC_GROUPS)
        and not roles(claims),
    }
    reasons = [sentence for sentence, is_so in wrong.items() if is_so]
    return f"Your identity provider {'; '.join(reasons)}." if reasons else None


def roles(claims: Claims) -> set[str]:
    """Return the hub's groups that the provider's groups stand for."""
    claimed = claims.get(settings.HUB_OIDC_GROUPS_CLAIM) or []
    groups = claimed if isinstance(claimed, list) else [claimed]
    return {
        settings.HUB_OIDC_GROUPS[group]
        for group in map(str, groups)
        if group in settings.HUB_OIDC_GROUPS
    }


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()


def _says(claims: Claims, name: str) -> bool:
    """Whether a claim has one of the words that its setting asks for, if it asks for any."""
    claimed, accepted = claims.get(name), getattr(settings, f"HUB_OIDC_{name.upper()}")
    words = claimed if isinstance(claimed, list) else [claimed]
    return not accepted or any(word in accepted for word in words)
