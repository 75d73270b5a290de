"""What the hub hands out and takes back, sealed: who holds it reads nothing, and changes nothing.

The keys are derived from `CREDENTIALS_KEYS`, one for each purpose: what is sealed for one opens
nothing else. The newest closes, any of them opens: a rotation ends nothing at once.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def sealed(purpose: str, text: str) -> str:
    """Close a text; it is longer by a third and some."""
    # Not compressed: beside what a reader chose itself, the length would betray the rest.
    return _seal(purpose, tuple(settings.CREDENTIALS_KEYS)).encrypt(text.encode()).decode()


def opened(purpose: str, text: str, *, seconds: int | None = None) -> str:
    """Open a text closed for this purpose, lately if `seconds` says so; else `ValueError`."""
    try:
        seal = _seal(purpose, tuple(settings.CREDENTIALS_KEYS))
        plain = seal.decrypt(text.encode(), ttl=seconds).decode()
    except InvalidToken:
        raise ValueError("not sealed here, or too long ago") from None
    if urlsafe_b64encode(urlsafe_b64decode(text)).decode() != text:
        raise ValueError("spelled otherwise than it was given out")
    return plain


@lru_cache(maxsize=128)
def _seal(purpose: str, keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key, purpose.encode())) for key in keys])


def _derived(key: str, purpose: bytes) -> bytes:
    secret = HKDF(SHA256(), length=32, salt=None, info=purpose).derive(urlsafe_b64decode(key))
    return urlsafe_b64encode(secret)
