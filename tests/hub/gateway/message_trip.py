"""The trip of one message through the project's own files, on the loop and in threads."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from dis import get_instructions
from functools import cache
from inspect import CO_COROUTINE, CO_ITERABLE_COROUTINE
from pathlib import Path
from types import CodeType, FrameType

from hub.gateway.steps import step
from tests.embedded_hub import on_its_loop, other_threads

Profile = Callable[[FrameType, str, object], None]
"""Is told of every call and return, as `sys.setprofile` has it."""

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
    """What threads did: the `whole` request, and the `answer`, once it was known who calls.

    A hop is a call of a function from another file of the project, whatever libraries lie between
    the two. Calls within a file and returns are none, nor is a coroutine that goes on; a generator
    is called each time. `calls` has every function by its file.
    """

    whole: Trip = field(default_factory=Trip)
    answer: Trip = field(default_factory=Trip)
    calls: Counter[str] = field(default_factory=Counter)

    def of_thread(self, *, is_loop: bool = False) -> Profile:
        """Return what is to be told of the calls and returns of one thread more."""
        here, doors = list[str](), set[str]()

        def follow(frame: FrameType, event: str, _argument: object) -> None:
            # Of the loop's thread only the steps of a message count.
            stands_by = is_loop and not here and frame.f_code is not step.__code__
            if stands_by or not frame.f_code.co_filename.startswith(_PACKAGES):
                return
            if event == "call":
                file = frame.f_code.co_filename.removeprefix(_ROOT)
                doors.update({file} & _DOORS)
                if not _goes_on(frame):
                    self._note(here[-1] if here else "", frame, counts=bool(doors))
                here.append(file)
            elif event == "return" and here:
                here.pop()

        return follow

    def _note(self, before: str, frame: FrameType, *, counts: bool) -> None:
        """Note a call, and whether it is a hop."""
        file = frame.f_code.co_filename.removeprefix(_ROOT)
        self.calls[f"{file}:{frame.f_code.co_name}"] += 1
        if before == file or not counts:
            return
        self.whole.hops[before, file] += 1
        if self.answer.hops or file in _ANSWERING:
            self.answer.hops[before, file] += 1


@contextmanager
def followed() -> Iterator[Followed]:
    """Follow one request: in the threads that begin meanwhile, and on the loop."""
    found = Followed()

    def begin(frame: FrameType, event: str, argument: object) -> None:
        follow = found.of_thread()
        sys.setprofile(follow)
        follow(frame, event, argument)

    threading.setprofile(begin)
    on_its_loop(lambda: sys.setprofile(found.of_thread(is_loop=True)))
    try:
        with other_threads():
            yield found
    finally:
        on_its_loop(lambda: sys.setprofile(None))
        threading.setprofile(None)


def _goes_on(frame: FrameType) -> bool:
    """Whether a coroutine that has waited is entered again."""
    is_coroutine = frame.f_code.co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE)
    return bool(is_coroutine) and frame.f_lasti > _beginning(frame.f_code)


@cache
def _beginning(code: CodeType) -> int:
    return next(each.offset for each in get_instructions(code) if each.opname == "RESUME")
