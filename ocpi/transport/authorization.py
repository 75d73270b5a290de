"""The Authorization header: the credentials token, in Base64 or as older platforms send it.

Specification: transport_and_format (authorization header).
"""

import base64 as rfc4648
import binascii
import re
from enum import StrEnum

LONGEST_TOKEN = 1_024
"""Characters in a header; a longer one is taken for none."""
_HEADER = re.compile(rf"[Tt][Oo][Kk][Ee][Nn][ \t]+([!-~]{{1,{LONGEST_TOKEN}}})")
_TOKEN = re.compile(r"[^\s\x00-\x1f\x7f]+")
_URL_SAFE = str.maketrans("-_", "+/")


class TokenForm(StrEnum):
    """How a platform writes its token into the header."""

    RAW = "RAW"
    BASE64 = "BASE64"


def header(token: str, *, base64: bool = True) -> str:
    """Write the header's value: Base64 since 2.2, or the bare token for a platform that errs."""
    written = rfc4648.b64encode(token.encode()).decode("ascii") if base64 else token
    return f"Token {written}"


def candidates(header_value: str | None) -> tuple[tuple[str, TokenForm], ...]:
    """List the tokens a header may mean, most likely first; nothing when it carries none.

    What decodes to a token may still be a bare token that only looks like Base64, so both are
    offered. The specification's own example ends in an encoded newline: line ends are cut.
    """
    match = _HEADER.fullmatch((header_value or "").strip())
    if match is None:
        return ()
    raw = (match[1], TokenForm.RAW)
    decoded = _decoded(match[1])
    return (raw,) if decoded is None else ((decoded, TokenForm.BASE64), raw)


def _decoded(written: str) -> str | None:
    digits = written.rstrip("=").translate(_URL_SAFE)
    padded = digits + "=" * (-len(digits) % 4)
    try:
        token = rfc4648.b64decode(padded, validate=True).decode().rstrip("\r\n ")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return token if _TOKEN.fullmatch(token) else None
