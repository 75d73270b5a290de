"""Sealed text: what the hub gives out and gets back, unreadable and unchangeable in between.

Keys are derived from `CREDENTIALS_KEYS`, one set for each purpose, so that a text sealed for one
purpose does not open for another. The newest key seals and any of them opens, so that texts
survive a rotation.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def sealed(purpose: str, text: str) -> str:
    """Seal a text; it grows by a third and about a hundred characters."""
    # Not compressed: a reader who chooses part of the text could infer the rest from the length.
    return _seal(purpose, tuple(settings.CREDENTIALS_KEYS)).encrypt(text.encode()).decode()


def opened(purpose: str, text: str, *, seconds: int | None = None) -> str:
    """Return a text sealed for this purpose, at most `seconds` ago; `ValueError` for any other."""
    try:
        seal = _seal(purpose, tuple(settings.CREDENTIALS_KEYS))
        plain = seal.decrypt(text.encode(), ttl=seconds).decode()
    except InvalidToken:
        raise ValueError("not sealed here, or too long ago") from None
    # Base64 has several spellings of the same bytes; only the one given out is accepted.
    if urlsafe_b64encode(urlsafe_b64decode(text)).decode() != text:
        raise ValueError("spelled otherwise than it was given out")
    return plain


@lru_cache(maxsize=128)
def _seal(purpose: str, keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key, purpose.encode())) for key in keys])


def _derived(key: str, purpose: bytes) -> bytes:
    secret = HKDF(SHA256(), length=32, salt=None, info=purpose).derive(urlsafe_b64decode(key))
    return urlsafe_b64encode(secret)
