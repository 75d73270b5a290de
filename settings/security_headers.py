"""What stands on every answer, whoever gave it: a browser that gets one does nothing clever.

Answers of OCPI and pages of the console have personal data and keys in them, so nobody between
keeps a copy; static files say themselves how long they last.
"""

from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=8)
def always(hsts_seconds: int, referrer_policy: str) -> Mapping[str, str]:
    """Return the headers, none of them in place of what an answer says itself."""
    secure = {"Strict-Transport-Security": f"max-age={hsts_seconds}"} if hsts_seconds else {}
    return {
        **secure,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": referrer_policy,
        "Cache-Control": "no-store",
    }
