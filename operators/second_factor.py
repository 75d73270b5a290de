"""The second factor of a log-in: a code of an app (TOTP), or one of ten codes on paper.

Spec: RFC 6238. Recovery codes are kept as keyed hashes, so that a copy of the table opens no door.
"""

import secrets
from base64 import b32encode
from enum import Enum
from typing import Any

import segno
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from operators.auditing import record

_CODES = 10
_CODE_BYTES = 10
_NAME = "app"


class Owed(Enum):
    """What a person who gave the password still has to do."""

    CODE = "verify"
    ENROLMENT = "two_factor"


def owed(user: Any) -> Owed | None:  # noqa: ANN401 - a user with what django-otp adds
    """Return what keeps this session from the console."""
    if user.is_verified():
        return None
    if is_enrolled(user):
        return Owed.CODE
    return Owed.ENROLMENT if settings.HUB_CONSOLE_2FA == "required" else None


def is_enrolled(user: User) -> bool:
    """Tell whether the user has an app that was confirmed."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def prepared(user: User) -> TOTPDevice:
    """Return the app that is about to be enrolled."""
    waiting = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return waiting or TOTPDevice.objects.create(user=user, name=_NAME, confirmed=False)


def picture(device: TOTPDevice) -> SafeString:
    """Draw what the app reads, here and without any other host."""
    drawn = segno.make(device.config_url, micro=False)
    return SafeString(drawn.svg_inline(scale=4, dark="#000", light="#fff", title="QR code"))


def secret_text(device: TOTPDevice) -> str:
    """Return what is typed into an app that has no camera."""
    return b32encode(device.bin_key).decode()


@transaction.atomic
def enrol(user: User, code: str) -> TOTPDevice | None:
    """Confirm the app by its first code; none if the code is wrong."""
    device = TOTPDevice.objects.select_for_update().get(pk=prepared(user).pk)
    if not device.verify_token(code.replace(" ", "")):
        return None
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
    record("enrolled a second factor", user)
    return device


@transaction.atomic
def recovery_codes(user: User) -> list[str]:
    """Make ten new codes in place of those before; the only moment they are known."""
    codes = [_grouped(secrets.token_bytes(_CODE_BYTES)) for _ in range(_CODES)]
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="paper")
    for code in codes:
        device.token_set.create(token=_hashed(code))
    record("made recovery codes", user)
    return codes


def verify(user: User, code: str) -> TOTPDevice | StaticDevice | None:
    """Return what the code is of; each is good once."""
    bare = code.strip().replace(" ", "")
    by_app = bare.isdigit()
    kind = TOTPDevice if by_app else StaticDevice
    with transaction.atomic():
        for device in kind.objects.select_for_update().filter(user=user, confirmed=True):
            if device.verify_token(bare if by_app else _hashed(bare)):
                if not by_app:
                    record("used a recovery code", user)
                return device
    return None


@transaction.atomic
def reset(user: User) -> bool:
    """Take the second factor away, with its recovery codes; tell whether there was one."""
    had = is_enrolled(user)
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    if had:
        record("reset the second factor", user)
    return had


def _grouped(noise: bytes) -> str:
    text = b32encode(noise).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))


def _hashed(code: str) -> str:
    bare = code.replace("-", "").lower()
    digest = salted_hmac("operators.recovery", bare, algorithm="sha256").digest()
    return b32encode(digest[:_CODE_BYTES]).decode()
