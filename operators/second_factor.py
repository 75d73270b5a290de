"""The second factor of a log-in: a code of an app (TOTP), or one of ten codes on paper.

Spec: RFC 6238; OWASP ASVS 2.6, 2.8. Recovery codes have 120 random bits and are kept as hashes, so
that a copy of the table gives no access, and no change of `SECRET_KEY` voids them.
"""

import hashlib
import secrets
from base64 import b32encode
from collections.abc import Iterator
from enum import Enum
from typing import Any

import segno
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString
from django_otp.plugins.otp_static.models import StaticDevice

from operators.audit import record
from operators.encryption import Undecryptable, reseal, seal, unseal
from operators.login_events import Event
from operators.models import Authenticator

_CODES = 10
_CODE_BYTES = 15
_HASH_BYTES = 10
"""Of a hash: in Base32 they fill the 16 characters that the table has for a code."""
_SEED_BYTES = 20
"""As RFC 4226 recommends."""
_PENDING = "console_seed"
"""The key of a session's data for the sealed seed of an app that is not enrolled yet."""


class Owed(Enum):
    """What a person who gave the password still has to do."""

    CODE = "verify"
    ENROLMENT = "two_factor"


def owed(request: HttpRequest) -> Owed | None:
    """Return what is still to be done before this session opens the console."""
    user: Any = request.user
    if user.is_verified() or came_by_provider(request):
        return None
    if is_enrolled(user):
        return Owed.CODE
    return Owed.ENROLMENT if settings.HUB_CONSOLE_2FA == "required" else None


def came_by_provider(request: HttpRequest) -> bool:
    """Return whether the provider let this session in: it asks for a second factor itself."""
    # The backend is `operators.oidc.Backend`, or Django's own for passwords.
    return str(request.session.get(BACKEND_SESSION_KEY, "")).startswith("operators.")


def is_enrolled(user: User) -> bool:
    """Return whether the user has an app."""
    return bool(Authenticator.objects.filter(user=user).exists())


def pending_device(request: HttpRequest, user: User) -> Authenticator:
    """Return the app that may be enrolled, not saved; only this session has its seed."""
    try:
        seed = bytes.fromhex(unseal(request.session.get(_PENDING, "")))
    except Undecryptable:
        seed = secrets.token_bytes(_SEED_BYTES)
        request.session[_PENDING] = seal(seed.hex())
    return Authenticator.from_seed(seed, user=user)


def qr_code(device: Authenticator) -> SafeString:
    """Draw the QR code for the app as SVG; no other host is asked."""
    drawn = segno.make(device.config_url, micro=False)
    return SafeString(drawn.svg_inline(scale=4, dark="#000", light="#fff", title="QR code"))


def secret_text(device: Authenticator) -> str:
    """Return the seed to type into an app that has no camera."""
    return b32encode(device.bin_key).decode()


def enrol(request: HttpRequest, user: User, code: str) -> Authenticator | None:
    """Save the app that gave its first code; return None if the code is wrong."""
    with transaction.atomic():
        device = pending_device(request, user)
        device.save()
        if not device.verify_token(code.replace(" ", "")):
            transaction.set_rollback(True)
            return None
        Authenticator.objects.filter(user=user).exclude(pk=device.pk).delete()
        record(Event.ENROLLED, user)
    del request.session[_PENDING]
    return device


@transaction.atomic
def recovery_codes(user: User) -> list[str]:
    """Make ten new codes in place of the former ones; their texts are known only now."""
    codes = [_grouped(secrets.token_bytes(_CODE_BYTES)) for _ in range(_CODES)]
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="paper")
    for code in codes:
        device.token_set.create(token=_hashed(_bare(code)))
    record(Event.MADE_CODES, user)
    return codes


def verify(user: User, code: str) -> Authenticator | StaticDevice | None:
    """Return the device whose code this is, if any; each code is good once."""
    bare = _bare(code)
    by_app = bare.isdecimal()
    kind = Authenticator if by_app else StaticDevice
    with transaction.atomic():
        for device in kind.objects.select_for_update().filter(user=user, confirmed=True):
            if device.verify_token(bare if by_app else _stored_hash(device, bare)):
                if not by_app:
                    record(Event.USED_RECOVERY_CODE, user)
                return device
    return None


@transaction.atomic
def reset(user: User) -> bool:
    """Take the second factor away, with its recovery codes; return whether there was one."""
    had = is_enrolled(user)
    Authenticator.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    if had:
        record(Event.RESET_FACTOR, user)
    return had


def forgive(account: str) -> None:
    """Let an account try its next code at once, in spite of wrong ones."""
    for kind in (Authenticator, StaticDevice):
        kind.objects.filter(user__username=account).update(
            throttling_failure_count=0, throttling_failure_timestamp=None
        )


def reencrypt() -> int:
    """Seal every seed with the newest key; return how many."""
    rows = list(Authenticator.objects.select_for_update())
    for row in rows:
        row.sealed = reseal(row.sealed)
        row.save(update_fields=["sealed"])
    return len(rows)


def _grouped(random: bytes) -> str:
    text = b32encode(random).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _bare(code: str) -> str:
    return code.strip().replace(" ", "").replace("-", "").lower()


def _stored_hash(device: StaticDevice, code: str) -> str:
    """Return the hash as which the table has a code; if it has none, one that it lacks too."""
    forms = [_hashed(code), *_hashed_formerly(code)]
    found = device.token_set.filter(token__in=forms).values_list("token", flat=True).first()
    return found or forms[0]


def _hashed(code: str) -> str:
    return _cut(hashlib.sha256(f"operators.recovery:{code}".encode()).digest())


def _hashed_formerly(code: str) -> Iterator[str]:
    """Yield the hashes of earlier releases, which depended on `SECRET_KEY`."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield _cut(salted_hmac("operators.recovery", code, secret=key, algorithm="sha256").digest())


def _cut(digest: bytes) -> str:
    return b32encode(digest[:_HASH_BYTES]).decode()
