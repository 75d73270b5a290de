"""Encryption of secrets that the hub needs again: with the newest of `CREDENTIALS_KEYS`.

Any of the keys decrypts. Sealed are the tokens that peers gave the hub, and the seeds of second
factors.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Undecryptable(ValueError):
    """No key of `CREDENTIALS_KEYS` opens what is stored."""


def seal(text: str) -> str:
    """Encrypt with the newest key."""
    return _fernet(tuple(settings.CREDENTIALS_KEYS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt with the key that fits."""
    try:
        return _fernet(tuple(settings.CREDENTIALS_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        message = "none of CREDENTIALS_KEYS opens a stored token; was a key removed too early?"
        raise Undecryptable(message) from None


def reseal(sealed: str) -> str:
    """Encrypt anew with the newest key."""
    return seal(unseal(sealed))


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
