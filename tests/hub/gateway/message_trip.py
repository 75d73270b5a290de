"""The trip of one message through the project's own files, as the thread that answers it goes."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from hub.gateway.steps import step
from tests.embedded_hub import on_its_loop, other_threads

_ROOT = f"{Path(__file__).parents[3]}/"
_PACKAGES = tuple(
    f"{_ROOT}{name}/" for name in ("hub", "parties", "operators", "ocpi", "database", "settings")
)
_DOORS = {"hub/exchange.py", "settings/middleware.py"}
"""Where a request to the hub enters the project: a message to a functional module, and all else."""
_ANSWERING = {"hub/gateway/message.py", "parties/views.py"}


@dataclass(frozen=True, slots=True)
class Trip:
    """Hops between the project's files: from where, into which."""

    hops: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def files(self) -> list[str]:
        """The files that were entered, in this order."""
        return list(dict.fromkeys(into for _, into in self.hops))

    def __str__(self) -> str:
        return f"{len(self.files)} files, {self.hops.total()} hops"


@dataclass(slots=True)
class Followed:
    """What one thread did: the `whole` request, and the `answer`, once it was known who calls.

    Of the loop's thread only the steps of a message count.

    A hop is a call of a function from another file of the project, whatever libraries lie between
    the two. Calls within a file and returns are none; a generator is called each time it goes on.
    `calls` has every function by its file.
    """

    whole: Trip = field(default_factory=Trip)
    answer: Trip = field(default_factory=Trip)
    calls: Counter[str] = field(default_factory=Counter)
    on_loop: bool = False
    _here: list[str] = field(default_factory=list)

    def follow(self, frame: FrameType, event: str, _argument: object) -> None:
        """Be told of every call and return, as `sys.setprofile` has it."""
        name = frame.f_code.co_filename
        if not name.startswith(_PACKAGES):
            return
        if self.on_loop and not self._here and frame.f_code is not step.__code__:
            return
        if event == "call":
            file = name.removeprefix(_ROOT)
            self.calls[f"{file}:{frame.f_code.co_name}"] += 1
            self._enter(file)
        elif event == "return" and self._here:
            self._here.pop()

    def add(self, other: "Followed") -> None:
        """Add what another thread did for the same request."""
        self.whole.hops.update(other.whole.hops)
        self.answer.hops.update(other.answer.hops)
        self.calls.update(other.calls)

    def _enter(self, file: str) -> None:
        before = self._here[-1] if self._here else ""
        self._here.append(file)
        if before == file or not (self.on_loop or self.whole.hops or file in _DOORS):
            return
        self.whole.hops[before, file] += 1
        if self.on_loop or self.answer.hops or file in _ANSWERING:
            self.answer.hops[before, file] += 1


@contextmanager
def followed() -> Iterator[list[Followed]]:
    """Follow the threads that begin meanwhile, and the loop's; of those that answered a request."""
    loop = Followed(on_loop=True)
    threads: list[Followed] = []
    answering: list[Followed] = []

    def begin(frame: FrameType, event: str, argument: object) -> None:
        threads.append(Followed())
        sys.setprofile(threads[-1].follow)
        threads[-1].follow(frame, event, argument)

    threading.setprofile(begin)
    on_its_loop(lambda: sys.setprofile(loop.follow))
    try:
        with other_threads():
            yield answering
    finally:
        on_its_loop(lambda: sys.setprofile(None))
        threading.setprofile(None)
        answering += [each for each in threads if each.whole.hops]
        for each in answering:
            each.add(loop)
