"""Credentials tokens: how they are made, recognised and kept.

Spec: 2.2.1 credentials, Credentials object (`token`). Of tokens that platforms present to the hub
only the SHA-256 is kept: no salt is needed, as the hub makes them of 256 random bits. Tokens that
the hub presents to platforms are encrypted by `operators.encryption`, whose functions are found
here beside the others.
"""

import hashlib
import secrets

from operators.encryption import Undecryptable, reseal, seal, unseal

__all__ = [
    "Undecryptable",
    "digest",
    "last_four",
    "new_token",
    "reseal",
    "seal",
    "unseal",
]

_RANDOM_BYTES = 32
_LEAST_SHOWN = 16
"""Of a token with fewer characters the last four would give away too much."""


def new_token() -> str:
    """Make a token of 256 random bits, in hexadecimal.

    It never begins with `-`, which a command line would take for an option.
    """
    return secrets.token_hex(_RANDOM_BYTES)


def digest(token: str) -> str:
    """Return the form in which a token that platforms present is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def last_four(token: str) -> str:
    """Return what people may see of a token; nothing of one that is too short for that."""
    return token[-4:] if len(token) >= _LEAST_SHOWN else ""
