"""Token buckets in Redis, one for all processes: how many requests a minute somebody may send.

A bucket holds a minute's requests and fills evenly: whoever was quiet may send as many at once. It
is kept as the moment at which it will be full again (the generic cell rate algorithm), one number,
changed by one script: with 60 requests a minute each moves that moment on by a second, and once it
lies a minute ahead the bucket is empty. A process leases some tokens at a time, more the faster
they are used, and remembers a refusal until its end, so that few requests ask Redis. Without Redis
all requests pass.
"""

import logging
from dataclasses import dataclass
from functools import cache
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

import redis
from django.conf import settings

from database.redis_connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_PREFIX = "hub:rate:"
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local step, size = 60000000 / ARGV[1], 60000000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local room = math.floor((now + size - full) / step + 0.0001)
if room < 1 then return math.min(-1, math.floor(now + size - full - step)) end
local taken = math.min(room, tonumber(ARGV[2]))
full = full + taken * step
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return taken
"""
"""Takes at most `ARGV[2]` tokens of a bucket with `ARGV[1]` a minute; returns how many, or below
zero, the microseconds until there is one. 0.0001: no whole token is lost to rounding."""
_MICROSECONDS = 1_000_000
_TIMEOUT_SECONDS = 0.2
_SILENCE_SECONDS = 5.0
"""How long Redis is not asked after it did not answer: nobody waits for it again and again."""
_LEASE_SECONDS = 10.0
"""How long leased tokens are good."""
_QUICK_SECONDS = 1.0
"""A lease that was used up in less was too small."""
_LEASES_A_MINUTE = 240
"""A lease is at most this part, 1/240, of a minute's tokens: those of a quarter of a second."""
MOST_BUCKETS = 10_000
"""That a process remembers; those in Redis are bounded by the minute that each lasts."""


@dataclass(slots=True)
class _Lease:
    """The tokens a process has of one bucket, or how long it got none."""

    tokens: int = 0
    size: int = 1
    taken_at: float = 0.0
    refused_until: float = 0.0


class Buckets:
    """All buckets, and what this process has leased of each."""

    def __init__(self, connection: "Callable[[], redis.Redis]") -> None:
        """Ask Redis by this connection, made when first needed."""
        self._connection = connection
        self._leases: dict[str, _Lease] = {}
        self._silent_until = 0.0
        self._lock = Lock()

    def wait(self, bucket: str, *, per_minute: int) -> float:
        """Take a token and return 0; or return in how many seconds there is one."""
        seconds = self.leased(bucket, per_minute=per_minute)
        if seconds is not None:
            return seconds
        with self._lock:
            lease = self._lease(bucket)
            number = lease.size = _lease_size(lease, monotonic(), per_minute)
        found = self._take(bucket, per_minute, number)
        return 0.0 if found is None else self._noted(bucket, found)

    def leased(self, bucket: str, *, per_minute: int) -> float | None:
        """Do the same without asking Redis; None when that must be asked."""
        if not per_minute:
            return 0.0
        now = monotonic()
        with self._lock:
            lease = self._lease(bucket)
            if lease.refused_until > now:
                return lease.refused_until - now
            if lease.tokens and now - lease.taken_at < _LEASE_SECONDS:
                lease.tokens -= 1
                return 0.0
            return 0.0 if now < self._silent_until else None

    def forget(self) -> None:
        """Fill all buckets; what other processes have leased or refused lasts on."""
        with self._lock:
            self._leases.clear()
            self._silent_until = 0.0
        connection = self._connection()
        for key in connection.scan_iter(f"{_PREFIX}*", count=1_000):
            connection.delete(key)

    def _lease(self, bucket: str) -> _Lease:
        if bucket not in self._leases and len(self._leases) >= MOST_BUCKETS:
            self._leases.clear()
        return self._leases.setdefault(bucket, _Lease())

    def _take(self, bucket: str, per_minute: int, number: int) -> int | None:
        """Ask Redis; None when it does not answer."""
        try:
            script = _script(self._connection())
            return int(script(keys=[_PREFIX + bucket], args=[per_minute, number]))
        except redis.RedisError as error:
            with self._lock:
                self._silent_until = monotonic() + _SILENCE_SECONDS
            log.warning("rates are not limited, Redis does not answer: %s", error)
            return None

    def _noted(self, bucket: str, found: int) -> float:
        """Keep the tokens beyond the one in use, or until when there is none; return the wait."""
        with self._lock:
            lease, now = self._lease(bucket), monotonic()
            if found < 0:
                lease.refused_until = now - found / _MICROSECONDS
                return -found / _MICROSECONDS
            lease.tokens, lease.taken_at = found - 1, now
            return 0.0


def _lease_size(lease: _Lease, now: float, per_minute: int) -> int:
    """Return how many to lease: twice as many as last time if those were used up at once."""
    if now - lease.taken_at >= _QUICK_SECONDS:
        return 1
    return max(1, min(lease.size * 2, per_minute // _LEASES_A_MINUTE))


@cache
def _script(connection: "redis.Redis") -> "redis.commands.core.Script":
    return connection.register_script(_TAKE)


def impatient_connection(url: str) -> "redis.Redis":
    """Return a connection that gives up, with `redis.RedisError`, before a request waits long."""
    return connect(url, timeout=_TIMEOUT_SECONDS)


@cache
def _own() -> "redis.Redis":
    return impatient_connection(settings.REDIS_URL)


buckets = Buckets(_own)
"""The buckets as this process sees them."""
