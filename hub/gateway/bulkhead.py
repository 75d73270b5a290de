"""The bulkhead: how many messages wait for each platform; a slow one must not hold every thread.

docs/architecture.md#a-message-comes-in. Counted in this process, since it is this process's threads
that wait.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from ocpi.errors import ReceiverNotConnected

_waiting: Counter[int] = Counter()
_lock = Lock()


@contextmanager
def slot(platform_id: int, *, most: int, in_all: int) -> Iterator[None]:
    """Take a slot among the messages that wait; 4003 at once when there is none.

    `most` bounds the slots of one platform, `in_all` those of all: some threads always answer
    what needs no peer.
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
