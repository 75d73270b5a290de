"""`python -m bench.sampled MODULE [ARGUMENT…]`: runs a module, and notes where its CPU time goes.

Every millisecond a thread looks at what the others are at, and adds the CPU time that each has used
since the last look to the layer of the hub that it is in. What libraries do counts for the layer
that called them; what no Python thread used is the server's own. Every process that is forked does
the same; each keeps its sums in a file of its own.
"""

import json
import os
import runpy
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import FrameType

PROFILES = Path(".local/bench/profiles")
_EVERY_SECONDS = 0.001
_KEPT_EVERY_SECONDS = 0.25
_SWITCH_SECONDS = 0.0001
"""So soon a thread that computes lets the one that looks at it go on."""


class Layer(StrEnum):
    """The layers that a message passes."""

    SERVER = "server"
    AUTHENTICATION = "authentication"
    DIRECTORY = "directory"
    MESSAGE = "message"
    VALIDATION = "validation"
    STORE = "store"
    SENDING = "sending"
    DELIVERY = "delivery"
    ANSWER = "answer"
    LOG = "log"


LAYERS = {
    "settings": Layer.SERVER,
    "settings.answers": Layer.ANSWER,
    "hub.views": Layer.SERVER,
    "hub.broker": Layer.DELIVERY,
    "hub.delivery": Layer.DELIVERY,
    "hub.tasks": Layer.DELIVERY,
    "hub.feed": Layer.STORE,
    "hub.store": Layer.STORE,
    "hub.message_log": Layer.LOG,
    "hub.exchange": Layer.SERVER,
    "hub.gateway": Layer.MESSAGE,
    "hub.gateway.endpoint": Layer.SERVER,
    "hub.gateway.http": Layer.SERVER,
    "hub.gateway.body_check": Layer.VALIDATION,
    "hub.gateway.directory": Layer.DIRECTORY,
    "hub.gateway.forwarding": Layer.SENDING,
    "hub.gateway.outbound": Layer.SENDING,
    "hub.gateway.posts_in_flight": Layer.STORE,
    "hub.gateway.stored_answers": Layer.ANSWER,
    "parties": Layer.DIRECTORY,
    "parties.authentication": Layer.AUTHENTICATION,
    "parties.rate_limits": Layer.AUTHENTICATION,
    "parties.tokens": Layer.AUTHENTICATION,
    "ocpi": Layer.VALIDATION,
    "ocpi.client": Layer.SENDING,
    "ocpi.modules": Layer.MESSAGE,
    "ocpi.server": Layer.ANSWER,
    "ocpi.transport": Layer.MESSAGE,
    "ocpi.transport.authorization": Layer.AUTHENTICATION,
    "ocpi.transport.envelope": Layer.ANSWER,
}
"""By the module that is the innermost of ours, or the longest beginning of its name."""


def layer_of(modules: list[str]) -> Layer:
    """Return the layer of a stack, given the modules of its frames from the innermost on."""
    for module in modules:
        name = module
        while name:
            if name in LAYERS:
                return LAYERS[name]
            name = name.rpartition(".")[0]
    return Layer.SERVER


def totals() -> dict[Layer, float]:
    """Return the seconds of all processes that were sampled so far."""
    found = dict.fromkeys(Layer, 0.0)
    for path in PROFILES.glob("*.json"):
        for name, seconds in json.loads(path.read_text(encoding="ascii")).items():
            found[Layer(name)] += seconds
    return found


class Sampler(threading.Thread):
    """The thread that looks at the others of its process."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__(name="sampler", daemon=True)
        self._seconds: defaultdict[Layer, float] = defaultdict(float)
        self._used: dict[int, float] = {}

    def run(self) -> None:
        """Look until the process ends."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        kept = time.monotonic()
        while True:
            time.sleep(_EVERY_SECONDS)
            self._look()
            if time.monotonic() - kept > _KEPT_EVERY_SECONDS:
                self._keep()
                kept = time.monotonic()

    def _look(self) -> None:
        frames = sys._current_frames()  # noqa: SLF001 - a documented name
        for thread in threading.enumerate():
            frame, number = frames.get(thread.ident or 0), thread.native_id
            if thread is self or frame is None or number is None:
                continue
            # It has ended meanwhile; or went on while its frames were looked at, and left one.
            with suppress(OSError, AttributeError):
                used = time.clock_gettime(_clock(number))
                spent = used - self._used.get(number, used)
                self._used[number] = used
                if spent > 0:
                    self._seconds[layer_of(_modules(frame))] += spent

    def _keep(self) -> None:
        own = time.thread_time()
        python = sum(self._seconds.values())
        native = max(time.process_time() - own - python, 0.0)
        found = {**self._seconds, Layer.SERVER: self._seconds[Layer.SERVER] + native}
        part = PROFILES / f"{os.getpid()}.part"
        part.write_text(json.dumps(found), encoding="ascii")
        part.replace(part.with_suffix(".json"))


def _clock(thread: int) -> int:
    """Return Linux's clock of a thread's CPU time; one that is gone is an `OSError` there."""
    return (~thread << 3) | 6


def _modules(frame: FrameType) -> list[str]:
    found: list[str] = []
    at: FrameType | None = frame
    while at is not None:
        names: dict[str, str] | None = at.f_globals  # None of one that ends just now
        found.append((names or {}).get("__name__") or "")
        at = at.f_back
    return found


def _begin() -> None:
    PROFILES.mkdir(parents=True, exist_ok=True)
    Sampler().start()


def main() -> None:
    """Sample this process and its children, and run the module in it."""
    os.register_at_fork(after_in_child=_begin)
    _begin()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
