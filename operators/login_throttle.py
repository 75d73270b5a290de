"""A throttle of log-ins: how often they may fail, counted in Redis for all processes together.

An attempt is counted before the password is looked at, so that a thousand at once are no more than
the allowed few. Where an account has logged in before, its failures are counted for that browser or
network alone: what strangers do elsewhere does not lock it out. Without Redis each process counts
for itself.
"""

import hashlib
import logging
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

import redis
from django.conf import settings

from database.redis_connection import connection

log = logging.getLogger(__name__)

MOST_COUNTED_WITHOUT_REDIS = 10_000
"""Accounts, browsers and addresses that a process counts itself; then it forgets the oldest."""
_WINDOW_SECONDS = 900
"""From the first attempt counted until the counter is empty again."""
_PER_ADDRESS = 5
"""An address, which an office may share, may fail five times as often as an account."""
_counts_without_redis: dict[str, tuple[int, float]] = {}


@dataclass(frozen=True, slots=True)
class _Counter:
    key: str
    most: int
    of: str
    """Whose failures it counts, in words."""


def refusal(account: str, address: str, known: str = "") -> str | None:
    """Count an attempt; return the sentence that refuses it, if there were too many."""
    refused = max(_refusals(_counters(account, address, known)), default=None)
    if refused is None:
        return None
    seconds, of = refused
    log.warning("log-in refused: too many failures of %s", of)
    minutes = max(1, math.ceil(seconds / 60))
    return f"Too many failed log-ins of {of}. Try again in {minutes} min."


def succeeded(account: str, address: str, known: str = "") -> None:
    """Uncount the attempt; in a known browser or network, forget earlier failures too."""
    own, *others = _counters(account, address, known)
    try:
        pipeline = connection().pipeline()
        if known:
            pipeline.delete(own.key)
        for counter in others if known else (own, *others):
            pipeline.decr(counter.key)
            pipeline.expire(counter.key, _WINDOW_SECONDS, nx=True)
        pipeline.execute()
    except redis.RedisError as error:
        log.warning("a log-in's attempts are not forgotten: %s", error)
    for counter in (own, *others):
        _counts_without_redis.pop(counter.key, None)


def attempted(address: str) -> str | None:
    """Count a log-in by the provider, whose account is not known yet; return why it is refused."""
    refused = max(_refusals([_of_address(address)]), default=None)
    return None if refused is None else f"Too many log-ins of {refused[1]}. Try again later."


def completed(address: str) -> None:
    """Uncount a log-in by the provider that succeeded."""
    try:
        connection().decr(_of_address(address).key)
    except redis.RedisError:
        _counts_without_redis.pop(_of_address(address).key, None)


def unlock(account: str) -> bool:
    """Let an account try again at once; return whether anything had failed."""
    name = _account_hash(account)
    known = connection().scan_iter(f"hub:log-in:known:{name}:*")
    return bool(connection().delete(f"hub:log-in:account:{name}", *known))


def _refusals(counters: Iterable[_Counter]) -> Iterable[tuple[int, str]]:
    for counter in counters:
        tried, seconds = _count(counter.key)
        if tried > counter.most:
            yield seconds, counter.of


def _count(key: str) -> tuple[int, int]:
    """Count one more; return how many there are, and for how many seconds."""
    try:
        pipeline = connection().pipeline()
        pipeline.incr(key)
        pipeline.expire(key, _WINDOW_SECONDS, nx=True)
        pipeline.ttl(key)
        tried, _, seconds = pipeline.execute()
    except redis.RedisError as error:
        # Redis down is when the console is needed: people can log in, and guesses stay bounded.
        log.warning("each process counts log-ins for itself, Redis does not answer: %s", error)
        return _count_here(key)
    return tried, seconds


def _count_here(key: str) -> tuple[int, int]:
    now = time.monotonic()
    tried, end = _counts_without_redis.pop(key, (0, now + _WINDOW_SECONDS))
    if end <= now:
        tried, end = 0, now + _WINDOW_SECONDS
    while len(_counts_without_redis) >= MOST_COUNTED_WITHOUT_REDIS:
        _counts_without_redis.pop(next(iter(_counts_without_redis)), None)
    _counts_without_redis[key] = (tried + 1, end)
    return tried + 1, int(end - now)


def _counters(account: str, address: str, known: str) -> list[_Counter]:
    """Return the counters of an attempt; a known browser has one of its own and no other."""
    most, name = settings.HUB_LOGIN_FAILURES, _account_hash(account)
    if known.startswith("browser:"):
        return [_Counter(f"hub:log-in:known:{name}:{known}", most, "this account in this browser")]
    if known:
        own = _Counter(f"hub:log-in:known:{name}:{known}", most, "this account from here")
    else:
        own = _Counter(f"hub:log-in:account:{name}", most, "this account")
    return [own, _of_address(address)]


def _of_address(address: str) -> _Counter:
    most = settings.HUB_LOGIN_FAILURES * _PER_ADDRESS
    return _Counter(f"hub:log-in:address:{address}", most, "this address")


def _account_hash(account: str) -> str:
    return hashlib.sha256(account.casefold().encode()).hexdigest()[:32]
