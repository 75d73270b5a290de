"""Encryption of secrets that the hub has to read again: with the first of `CREDENTIALS_KEYS`.

The first is the newest; any of the keys decrypts. Encrypted are the tokens that the hub presents to
platforms, and the seeds of operators' second factors: the module lies below both packages.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Undecryptable(ValueError):
    """No key of `CREDENTIALS_KEYS` opens what is stored."""


def seal(text: str) -> str:
    """Encrypt with the first key."""
    return _fernet(tuple(settings.CREDENTIALS_KEYS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt with the key that fits."""
    try:
        return _fernet(tuple(settings.CREDENTIALS_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        message = "none of CREDENTIALS_KEYS opens a stored secret; was a key removed too early?"
        raise Undecryptable(message) from None


def reseal(sealed: str) -> str:
    """Encrypt anew with the first key."""
    return seal(unseal(sealed))


@lru_cache(maxsize=4)  # keys change only where tests override the setting
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
