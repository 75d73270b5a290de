"""Credentials tokens: how they are made, recognised and kept.

Spec: 2.2.1 credentials, Credentials object (`token`). Tokens others present to the hub are kept as
a SHA-256 of a random value; tokens the hub presents are encrypted with the newest of
`CREDENTIALS_KEYS`.
"""

import hashlib
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

RANDOM_BYTES = 32
TELLING_LENGTH = 16


class Undecryptable(ValueError):
    """No key of `CREDENTIALS_KEYS` opens a stored token."""


def new_token() -> str:
    """Make a token of 256 random bits in hexadecimal: no command line takes it for an option."""
    return secrets.token_hex(RANDOM_BYTES)


def digest(token: str) -> str:
    """Return the form in which an inbound token is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def last_four(token: str) -> str:
    """Return what people may see of a token; nothing of one that is too short for that."""
    return token[-4:] if len(token) >= TELLING_LENGTH else ""


def seal(token: str) -> str:
    """Encrypt an outbound token with the newest key."""
    return _fernet(tuple(settings.CREDENTIALS_KEYS)).encrypt(token.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt an outbound token with whichever key it was sealed."""
    try:
        return _fernet(tuple(settings.CREDENTIALS_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        message = "none of CREDENTIALS_KEYS opens a stored token; was a key removed too early?"
        raise Undecryptable(message) from None


def reseal(sealed: str) -> str:
    """Encrypt a stored token anew with the newest key."""
    return seal(unseal(sealed))


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
