"""Credentials tokens: how they are made, recognised and kept.

Spec: 2.2.1 credentials, Credentials object (`token`). Tokens others present to the hub are kept as
a SHA-256 of a random value; tokens the hub presents are sealed (`operators.encryption`).
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
    """Make a token of 256 random bits, in hexadecimal: no command line takes it for an option."""
    return secrets.token_hex(_RANDOM_BYTES)


def digest(token: str) -> str:
    """Return the form in which an inbound token is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def last_four(token: str) -> str:
    """Return what people may see of a token; nothing of one that is too short for that."""
    return token[-4:] if len(token) >= _LEAST_SHOWN else ""
