"""Known devices: where an account has logged in before, so that no stranger can lock it out there.

OWASP "Device cookies". A browser that logged in keeps a signed cookie, and the hub remembers its
network: a new browser at the same desk and the old one elsewhere are both known.
"""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from operators.client_ip import address_of, network_of
from operators.models import KnownNetwork

MOST_NETWORKS = 50
"""Networks remembered of an account: those used last."""
MOST_DAYS_KNOWN = 180
"""Days after which a browser or network that was not used is forgotten."""
_DAY_SECONDS = 86_400
_SALT = "operators.device"
_NEW_COOKIE = "_new_device"
"""The attribute of a request for the cookie that its response is to set."""


def recognised_by(request: HttpRequest | None, account: str) -> str:
    """Return the browser, or else the network, of a former log-in of the account; "" if neither."""
    if request is None:
        return ""
    signed = request.COOKIES.get(_cookie_name(), "")
    try:
        whose, device = signing.loads(signed, salt=_SALT, max_age=MOST_DAYS_KNOWN * _DAY_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        whose, device = "", ""
    if whose == _account_hash(account):
        return f"browser:{device}"
    network = _network(request)
    rows = KnownNetwork.objects.filter(user__username=account, network=network)
    return f"network:{network}" if network and rows.exists() else ""


def remember(request: HttpRequest, user: User) -> None:
    """Remember where somebody logged in."""
    device = (_account_hash(user.get_username()), secrets.token_hex(8))
    setattr(request, _NEW_COOKIE, signing.dumps(device, salt=_SALT))
    network = _network(request)
    if network is None:
        return
    KnownNetwork.objects.update_or_create(
        user=user, network=network, defaults={"at": timezone.now()}
    )
    newest = KnownNetwork.objects.filter(user=user).order_by("-at").values("pk")[:MOST_NETWORKS]
    KnownNetwork.objects.filter(user=user).exclude(pk__in=newest).delete()


def set_cookie(request: HttpRequest, response: HttpResponseBase) -> None:
    """Give a browser that has just logged in its cookie."""
    signed = getattr(request, _NEW_COOKIE, None)
    if signed is not None:
        response.set_cookie(
            _cookie_name(),
            signed,
            max_age=MOST_DAYS_KNOWN * _DAY_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def prune() -> int:
    """Forget networks that were not used for long; return how many."""
    oldest = timezone.now() - timedelta(days=MOST_DAYS_KNOWN)
    return KnownNetwork.objects.filter(at__lt=oldest).delete()[0]


def _network(request: HttpRequest) -> str | None:
    address = address_of(request)
    return network_of(address) if address else None


def _account_hash(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:16]


def _cookie_name() -> str:
    return "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"
