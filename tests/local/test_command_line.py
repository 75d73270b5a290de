"""`python -m local` gives a command what it needs and says in a sentence what is wrong."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.data_dir import CHECKOUT

_SHOW = (
    "import os; print(os.environ['DATABASE_URL'], os.environ['SECRET_KEY'], os.environ['HUB_NAME'])"
)
_GIVEN = {"DATABASE_URL": "postgresql://given@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}


def run(*words: str, directory: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m local` with servers given, so that none is started."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "local", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env={**kept, **_GIVEN, "LOCAL_DIR": str(directory), **variables},
    )


def test_what_is_given_wins(tmp_path: Path) -> None:
    """A server, a secret or a name of yours is never replaced."""
    command = ("run", "--", sys.executable, "-c", _SHOW)
    answer = run(*command, directory=tmp_path, SECRET_KEY="mine", HUB_NAME="My hub")
    assert answer.stdout == "postgresql://given@127.0.0.1:1/x mine My hub\n"


def test_what_is_missing_is_made(tmp_path: Path) -> None:
    """A command finds development secrets without anybody writing them."""
    answer = run("run", "--", sys.executable, "-c", _SHOW, directory=tmp_path)
    assert "Local hub" in answer.stdout
    assert "SECRET_KEY" in (tmp_path / "test" / "secrets.env").read_text()


def test_the_command_keeps_its_options_and_its_code(tmp_path: Path) -> None:
    """Everything after `--` is the command's."""
    code = "import sys; sys.exit(len(sys.argv))"
    answer = run("run", "--", sys.executable, "-c", code, "--purpose", "x", directory=tmp_path)
    assert answer.returncode == 3


@pytest.mark.parametrize(
    "words,variable", [(("demo",), "DEMO_PORT"), (("serve",), "HUB_BIND_PORT")]
)
def test_a_taken_port_is_no_traceback(
    words: tuple[str, ...], variable: str, tmp_path: Path
) -> None:
    """One sentence with the way out, before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        answer = run(*words, directory=tmp_path, **{variable: port})
    assert answer.returncode == 1
    assert f"Port {port} is taken; choose another one: {variable}=" in answer.stderr
    assert "Traceback" not in answer.stderr
