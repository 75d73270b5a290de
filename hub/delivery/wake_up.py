"""Wake-ups of delivery: after a commit one PUBLISH names a module, and who delivers hears it.

docs/decisions/0009-the-worker-that-dispatches-delivers.md. Whoever writes only notes the module;
one thread in each process sends the wake-up to Redis. So a burst costs few of them, and a Redis
that does not answer slows no request down. Nothing is lost with a wake-up: beat looks every few
seconds anyway.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
from django.conf import settings

from database import redis_connection
from hub import broker
from hub.module_policy import POLICIES
from ocpi.types import ModuleID

log = logging.getLogger(__name__)

CHANNEL = "hub:wake-up"
"""Where wake-ups are published; the message is the name of a module."""
_PAUSE_SECONDS = 0.01
"""After a wake-up: in a burst, one for each change would cost more than the changes."""


class Waker:
    """Calls `send` with a module soon after `wake`, once for all calls of `wake` in between."""

    def __init__(self, send: Callable[[str], object]) -> None:
        """Keep `send`; the thread starts with the first wake-up of each process (after a fork)."""
        self._send = send
        self._modules: set[str] = set()
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._process = 0

    def wake(self, module: str) -> None:
        """Have `send` called soon."""
        if self._process != os.getpid():
            self._start()
        self._modules.add(module)
        self._due.set()

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._modules, self._due = set(), threading.Event()
                threading.Thread(target=self._run, name="waker", daemon=True).start()
                self._process = os.getpid()

    def _run(self) -> None:
        due = self._due
        while True:
            due.wait()
            due.clear()
            for module in list(self._modules):
                self._modules.discard(module)  # before it is sent: what comes now is sent again
                self._send_one(module)
            time.sleep(_PAUSE_SECONDS)

    def _send_one(self, module: str) -> None:
        try:
            self._send(module)
        except redis.RedisError as error:
            log.warning("delivery waits for beat, Redis does not answer: %s", error)
        except Exception:
            log.exception("delivery waits for beat, waking it failed")


def _publish(module: str) -> None:
    broker.connection().publish(CHANNEL, module)


publish = Waker(_publish).wake
"""Have a module's feed looked at soon, by every worker that delivers; neither waits nor fails."""


class Listener:
    """Hears wake-ups, from the first call of `hear` on; used by one thread."""

    def __init__(self, url: str | None = None) -> None:
        """Listen at a Redis, the hub's own unless another is named."""
        # Kept as long as the listener: a client that nobody holds takes its connections with it.
        self._client: Any = redis_connection.connect(url or settings.REDIS_URL)
        self._pubsub: Any = None

    def hear(self, seconds: float) -> set[ModuleID]:
        """Wait so long at most, and return the modules that were named meanwhile.

        All of them once it begins to hear, also after Redis was away: it may have missed some.
        """
        try:
            if self._pubsub is None:
                return self._begin()
            return self._drain(seconds)
        except (redis.RedisError, OSError) as error:
            log.warning("delivery waits for beat, Redis does not answer: %s", error)
            self.close()
            time.sleep(seconds)
            return set()

    def close(self) -> None:
        """Hear no more."""
        with suppress(redis.RedisError, OSError):
            if self._pubsub is not None:
                self._pubsub.close()
        self._pubsub = None

    def _begin(self) -> set[ModuleID]:
        pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe(CHANNEL)
        self._pubsub = pubsub
        return set(POLICIES)

    def _drain(self, seconds: float) -> set[ModuleID]:
        """Return the first message that comes in time, and whatever waits behind it."""
        found: set[bytes] = set()
        message = self._pubsub.get_message(timeout=seconds)
        while message is not None:
            found.add(message["data"])
            message = self._pubsub.get_message()
        return {module for module in POLICIES if module.encode() in found}
