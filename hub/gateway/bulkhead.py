"""The bulkhead: how many messages may wait for one platform, so that some threads stay free.

Counted in each process, because the threads that wait are its own.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from ocpi.errors import ReceiverNotConnected

_waiting: Counter[int] = Counter()
"""By whom they wait for: a platform's id; 0 for many platforms at once; minus the id of a sender
whose POST waits for another one of its own (`posts_in_flight`)."""
_lock = Lock()


@contextmanager
def slot(platform_id: int, *, most: int, in_all: int) -> Iterator[None]:
    """Hold a slot while waiting for a peer; raises `ReceiverNotConnected` when all are taken.

    `most` bounds the slots of one key of `_waiting`, `in_all` those of all together: callers leave
    some threads for messages that need no peer.
    """
    with _lock:
        if _waiting[platform_id] >= most or _waiting.total() >= in_all:
            message = "too many messages wait for answers; this one was not sent, try again"
            raise ReceiverNotConnected(message)
        _waiting[platform_id] += 1
    try:
        yield
    finally:
        with _lock:
            _waiting[platform_id] -= 1
            if not _waiting[platform_id]:
                del _waiting[platform_id]
