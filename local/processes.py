"""Child processes: started with a log, watched, and never left behind.

Three nets keep a child from outliving us: `stop()` ends it (and its process group) in reverse
order of starting; on Linux the kernel signals it when we die without a word (SIGKILL); and what
does not listen is killed. The kernel's signal follows the *thread* that started the child, so
children are started from the main thread only.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Self

from local.errors import Trouble, last_lines
from local.unprivileged import UnprivilegedAccount

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to start, and by which signals it is ended."""

    name: str
    command: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    account: UnprivilegedAccount | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0


@dataclass(slots=True)
class Child:
    """A started program; its output goes to its log."""

    program: Program
    process: subprocess.Popen[bytes]

    @property
    def name(self) -> str:
        """Its name at the terminal."""
        return self.program.name

    def ended(self) -> int | None:
        """Return the exit code once it has ended."""
        return self.process.poll()

    def complaint(self) -> str:
        """Return the sentence about its unexpected end, with its last words."""
        return f"{self.name} ended with code {self.ended()}; {self.last_words()}"

    def last_words(self) -> str:
        """Return the end of its log."""
        return f"the end of {self.program.log}:{last_lines(self.program.log)}"

    def stop(self) -> None:
        """End it: politely, then, when its patience is over, with its whole group."""
        self._signal(self.program.stop_signal)
        try:
            self.process.wait(self.program.patience)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal_group(signal.SIGKILL)
            self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.ended() is None:
            self.process.send_signal(number)

    def _signal_group(self, number: signal.Signals) -> None:
        """Reach its own children too, also those it left behind."""
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


def tied_to_us(number: signal.Signals) -> Callable[[], None]:
    """Return what a child does before it starts, so that the kernel signals it when we die."""
    us, usual_mask = os.getpid(), signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def tie() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual_mask)  # ours may be held back just now
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != us:  # we died in between
                os._exit(1)

    return tie


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold back signals that would end us, until a child that was started is in the list."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start(program: Program, tie: Callable[[], None]) -> Child:
    """Start a program in a session of its own: a Ctrl-C at the terminal reaches only us."""
    account = program.account
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            [str(word) for word in program.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.directory,
            env=dict(program.environment) if program.environment is not None else None,
            start_new_session=True,
            preexec_fn=tie,  # noqa: PLW1509 - no threads here
            **(account.spawn() if account else {}),
        )
    return Child(program, process)


def run_through(program: Program) -> int:
    """Start a program, wait for its end, return its exit code."""
    with Family() as family:
        return family.start(program).process.wait()


@dataclass(slots=True)
class Family:
    """Children in the order of their starting; leaving the block stops them in reverse."""

    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.stop()

    def start(self, program: Program) -> Child:
        """Start a program and remember it."""
        tie = tied_to_us(program.orphan_signal)
        with _held_back():
            child = start(program, tie)
            self.children.append(child)
        return child

    def drop(self, child: Child) -> None:
        """Stop one of them and forget it."""
        try:
            child.stop()
        finally:
            self.children.remove(child)

    def look_after(self, *, free_to_go: Sequence[Child] = ()) -> None:
        """Raise when somebody ended who should not have."""
        for child in self.children:
            if child.ended() is not None and child not in free_to_go:
                raise Trouble(child.complaint())

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> bool:
        """Look after the children until something holds; False when the time is over."""
        deadline = time.monotonic() + seconds
        while not until():
            self.look_after()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def stop(self) -> None:
        """Stop the children, youngest first; what interrupts one stop does not skip the others."""
        if not self.children:
            return
        try:
            self.children[-1].stop()
        finally:
            self.children.pop()
            self.stop()


def run_in_front(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command at our terminal and return its exit code.

    A Ctrl-C reaches it without us and it may finish in its own way; other signals are passed on.
    """
    try:
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            preexec_fn=tied_to_us(signal.SIGTERM),  # noqa: PLW1509 - no threads here
        )
    except OSError as error:
        raise Trouble(f"{command[0]} cannot be started: {error.strerror}") from None
    try:
        return _shell_code(process.wait())
    except SystemExit as end:
        if end.code != 128 + signal.SIGINT:
            process.terminate()
        raise
    finally:
        _await_end(process)


def _await_end(process: "subprocess.Popen[bytes]") -> None:
    for hurry in (process.terminate, process.kill):
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            hurry()
    process.wait()


def _shell_code(code: int) -> int:
    """Give an exit code as a shell does: 128 and the signal, which Python gives as a negative."""
    return code if code >= 0 else 128 - code


def end_on_signals() -> None:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into an orderly exit; no second one disturbs it."""

    def leave(number: int, _frame: FrameType | None) -> None:
        for each in _ENDING:
            signal.signal(each, _deaf)
        raise SystemExit(128 + number)

    for number in _ENDING:
        signal.signal(number, leave)


@contextmanager
def until_ctrl_c() -> Iterator[None]:
    """Treat a Ctrl-C as the regular end of the block."""
    try:
        yield
    except SystemExit as end:
        if end.code != 128 + signal.SIGINT:
            raise
        print("Stopped.", flush=True)


def _deaf(_number: int, _frame: FrameType | None) -> None:
    """Hear nothing: the stop under way is bounded in time (and unlike SIG_IGN not inherited)."""
