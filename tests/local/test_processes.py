"""Children are started, watched, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.data_dir import CHECKOUT
from local.errors import Trouble
from local.processes import Family, Program, run_in_front
from tests.local.process_state import is_alive, is_soon_gone

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

_DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
_PARENT = """
import subprocess, time
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
_SUPERVISOR = """
import sys, time
from pathlib import Path
from local.processes import Family, Program
with Family() as family:
    child = family.start(Program(name="child", command=["sleep", "60"], log=Path(sys.argv[1])))
    print(child.process.pid, flush=True)
    time.sleep(60)
"""


def program(tmp_path: Path, code: str, *, name: str = "child", patience: float = 5) -> Program:
    """Return a Python program with a log of its own."""
    command = [sys.executable, "-c", code]
    return Program(name=name, command=command, log=tmp_path / f"{name}.log", patience=patience)


def first_line(log: Path) -> str:
    """Wait for the first line of a log."""
    deadline = time.monotonic() + 10
    while "\n" not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.02)
    return log.read_text().splitlines()[0]


def test_the_youngest_is_stopped_first(tmp_path: Path) -> None:
    """What was started last may need what was started before, so it ends first."""
    order: list[str] = []
    family = Family()
    for name in ("server", "user"):
        child = family.start(program(tmp_path, "import time; time.sleep(60)", name=name))
        child.program.log.touch()
    while family.children:
        youngest = family.children[-1]
        family.drop(youngest)
        order.append(youngest.name)
    assert order == ["user", "server"]


def test_who_does_not_listen_is_killed(tmp_path: Path) -> None:
    """TERM first; after its patience KILL."""
    with Family() as family:
        child = family.start(program(tmp_path, _DEAF, patience=0.2))
        first_line(child.program.log)
    assert child.ended() == -signal.SIGKILL


_INTERRUPTED = """
import os, sys, time
from pathlib import Path
from local.processes import Child, Family, Program, end_on_signals
end_on_signals()

class Interrupting(Child):
    def stop(self):
        os.kill(os.getpid(), 15)
        super().stop()

with Family() as family:
    for name in ("a", "b"):
        child = family.start(Program(name=name, command=["sleep", "60"], log=Path(sys.argv[1])))
        print(child.process.pid, flush=True)
    family.children[-1] = Interrupting(child.program, child.process)
"""


def test_a_signal_during_the_stop_leaves_nobody(tmp_path: Path) -> None:
    """The first Ctrl-C may come while the family is being stopped: the others are stopped too."""
    ended = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, str(tmp_path / "log")],
        check=False,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
    )
    assert ended.returncode == 143
    older, younger = map(int, ended.stdout.split())
    assert is_soon_gone(older)
    assert is_soon_gone(younger) or not is_alive(younger)


def test_a_child_hears_the_signals_that_are_held_back_while_it_is_started(tmp_path: Path) -> None:
    """Its mask is ours before: TERM ends it at once."""
    with Family() as family:
        child = family.start(program(tmp_path, "print(1, flush=True); import time; time.sleep(60)"))
        first_line(child.program.log)
        child.process.terminate()
        assert child.process.wait(5) == -signal.SIGTERM


def test_the_children_of_a_child_end_with_it(tmp_path: Path) -> None:
    """A whole process group is ended, not its first member alone."""
    with Family() as family:
        child = family.start(program(tmp_path, _PARENT))
        grandchild = int(first_line(child.program.log))
        assert is_alive(grandchild)
    assert is_soon_gone(grandchild)


def test_a_death_is_told_by_name_with_the_last_words(tmp_path: Path) -> None:
    """Whoever ends without being asked is named, with the end of its log."""
    with Family() as family:
        child = family.start(program(tmp_path, "raise SystemExit('no such table')", name="web"))
        child.process.wait()
        with pytest.raises(Trouble, match=r"(?s)web ended with code 1.*web\.log.*no such table"):
            family.look_after()


def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    """SIGKILL gives nobody time to clean up, so the kernel does."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    with supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert is_alive(child)
        supervisor.kill()
    assert is_soon_gone(child)


@pytest.mark.parametrize(
    "code,expected", [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 15)", 143)]
)
def test_a_command_in_front_gives_its_exit_code(code: str, expected: int) -> None:
    """The code of the command is ours, a signal as a shell has it."""
    assert run_in_front([sys.executable, "-c", code], os.environ) == expected


def test_a_command_that_does_not_exist_is_a_sentence() -> None:
    """No traceback for a typing mistake."""
    here = {**os.environ, "PATH": "/usr/bin:/bin"}
    with pytest.raises(Trouble, match="no-such-command cannot be started: No such file"):
        run_in_front(["no-such-command"], here)
