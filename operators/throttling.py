"""How often a log-in may fail, counted in Redis for all processes together.

Spec: none; architecture chapter 10. An attempt is counted before the password is looked at, so
that a thousand at once are no more than the allowed few.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings

log = logging.getLogger(__name__)

_WINDOW_SECONDS = 900
_PER_ADDRESS = 5
"""An address, which an office shares, may fail so many times as often as an account."""
_TIMEOUT_SECONDS = 1


@dataclass(frozen=True, slots=True)
class _Counter:
    key: str
    most: int
    of: str


def refusal(account: str, address: str) -> str | None:
    """Count an attempt; return the sentence that refuses it, if there were too many."""
    try:
        refused = max(_refusals(_counters(account, address)), default=None)
    except redis.RedisError as error:
        # Who can do without Redis is an attacker less likely than an operator who is to mend it.
        log.warning("log-ins are not throttled, Redis does not answer: %s", error)
        return None
    if refused is None:
        return None
    seconds, of = refused
    log.warning("log-in refused: too many failures of %s", of)
    minutes = max(1, -(-seconds // 60))
    return f"Too many failed log-ins of {of}. Try again in {minutes} min."


def succeeded(account: str, address: str) -> None:
    """Forget what failed before of this account, and take back that the address tried."""
    of_account, of_address = _counters(account, address)
    try:
        pipeline = _connection().pipeline()
        pipeline.delete(of_account.key)
        pipeline.decr(of_address.key)
        pipeline.expire(of_address.key, _WINDOW_SECONDS, nx=True)
        pipeline.execute()
    except redis.RedisError as error:
        log.warning("a log-in's attempts are not forgotten: %s", error)


def unlock(account: str) -> bool:
    """Let an account try again at once; tell whether anything had failed."""
    return bool(_connection().delete(_counters(account, "")[0].key))


def _refusals(counters: Iterable[_Counter]) -> Iterable[tuple[int, str]]:
    for counter in counters:
        pipeline = _connection().pipeline()
        pipeline.incr(counter.key)
        pipeline.expire(counter.key, _WINDOW_SECONDS, nx=True)
        pipeline.ttl(counter.key)
        tried, _, seconds = pipeline.execute()
        if tried > counter.most:
            yield seconds, counter.of


def _counters(account: str, address: str) -> tuple[_Counter, _Counter]:
    most = settings.HUB_LOGIN_FAILURES
    name = hashlib.sha256(account.casefold().encode()).hexdigest()[:32]
    return (
        _Counter(f"hub:log-in:account:{name}", most, "this account"),
        _Counter(f"hub:log-in:address:{address}", most * _PER_ADDRESS, "this address"),
    )


@cache
def _connection() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
    )
