"""Rate limits: how many requests a minute a platform may send, and a network of strangers.

Spec: none for the limit; transport and format for the answer, HTTP 429 with `Retry-After` and 2000.
A request with a token that opens nothing counts for the network it comes from, not for the platform
whose token it was: nobody uses up a platform's rate with a token that was lost.
"""

import math

from django.conf import settings

from ocpi.errors import TooManyRequests
from operators.client_ip import network_of
from operators.token_bucket import buckets
from parties.caller import Caller
from parties.quirks import Quirks


def per_minute(quirks: Quirks) -> int:
    """Return how many requests a minute a platform may send; 0: as many as it likes."""
    most: int = settings.HUB_REQUESTS_PER_MINUTE
    return quirks.requests_per_minute or most


def check_platform(caller: Caller) -> None:
    """Count a request of a platform, asking Redis; raises `TooManyRequests`."""
    most = per_minute(caller.quirks)
    _refuse_platform(most, buckets.wait(_bucket(caller), per_minute=most))


def is_counted(caller: Caller) -> bool:
    """Count a request of a platform without asking Redis, and return whether that was possible.

    Raises `TooManyRequests`.
    """
    most = per_minute(caller.quirks)
    seconds = buckets.leased(_bucket(caller), per_minute=most)
    _refuse_platform(most, seconds or 0)
    return seconds is not None


def _bucket(caller: Caller) -> str:
    return f"platform:{caller.platform_id}"


def _refuse_platform(most: int, seconds: float) -> None:
    _refuse(seconds, f"this platform may send {most:,} requests a minute")


def check_stranger(address: str | None) -> None:
    """Count a request from an address whose token opens nothing; raises `TooManyRequests`."""
    most: int = settings.HUB_STRANGER_REQUESTS_PER_MINUTE
    network = network_of(address)
    seconds = buckets.wait(f"stranger:{network}", per_minute=most)
    text = f"too many requests without a token the hub knows: {most:,} a minute from one network"
    _refuse(seconds, text)


def _refuse(seconds: float, why: str) -> None:
    if seconds > 0:
        wait = max(1, math.ceil(seconds))
        raise TooManyRequests(f"{why}; try again in {wait} s", retry_after=wait)
