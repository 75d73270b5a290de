"""The headers of every answer of the hub: browsers are to guess nothing and keep nothing.

OCPI answers and pages of the console contain personal data and keys, so no cache on the way may
keep a copy; static files say themselves how long they may be kept.
"""

from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=8)
def always(hsts_seconds: int, referrer_policy: str) -> Mapping[str, str]:
    """Return the headers; where an answer sets one itself, that one is to remain."""
    secure = {"Strict-Transport-Security": f"max-age={hsts_seconds}"} if hsts_seconds else {}
    return {
        **secure,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": referrer_policy,
        "Cache-Control": "no-store",
    }
