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


@pytest.mark.parametrize(
    "given,shown",
    [
        ({"HUB_BIND_PORT": "9123"}, "9123 http://127.0.0.1:9123 127.0.0.1"),
        ({}, "8000 http://127.0.0.1:8000 127.0.0.1"),
        ({"HUB_NAME": "", "HUB_PUBLIC_URL": " "}, "8000 http://127.0.0.1:8000 127.0.0.1"),
        (
            {"HUB_BIND_HOST": "0.0.0.0", "HUB_PUBLIC_URL": "http://me"},
            "8000 http://me 0.0.0.0",
        ),
        ({"HUB_BIND_HOST": "::1"}, "8000 http://[::1]:8000 ::1"),
    ],
)
def test_a_given_address_wins(tmp_path: Path, given: dict[str, str], shown: str) -> None:
    """Where the hub listens is as it was set, and its URL follows from that unless it is given."""
    code = (
        "import os; print(*(os.environ[f'HUB_{each}']"
        " for each in ('BIND_PORT', 'PUBLIC_URL', 'BIND_HOST')))"
    )
    answer = run("run", "--", sys.executable, "-c", code, directory=tmp_path, **given)
    assert answer.stdout == f"{shown}\n", answer.stderr


@pytest.mark.parametrize("name", ["HUB_BIND_PORT", "HUB_PUBLIC_URL", "HUB_NAME", "SECRET_KEY"])
def test_what_a_file_gives_wins_too(tmp_path: Path, name: str) -> None:
    """A setting may be in a file that `NAME_FILE` names, as for the hub itself."""
    file = tmp_path / "value"
    file.write_text("9123\n")
    code = (
        f"import sys; sys.path.insert(0, '.')\nfrom settings import env; print(env.text('{name}'))"
    )
    command = ("run", "--", sys.executable, "-c", code)
    answer = run(*command, directory=tmp_path, **{f"{name}_FILE": str(file)})
    assert answer.stdout == "9123\n", answer.stderr


@pytest.mark.parametrize("name", ["PYTEST_XDIST_AUTO_NUM_WORKERS", "PYTHONUNBUFFERED"])
def test_what_other_programs_read_is_kept(tmp_path: Path, name: str) -> None:
    """Nothing that was set is replaced, whoever reads it."""
    code = f"import os; print(os.environ['{name}'])"
    answer = run("run", "--", sys.executable, "-c", code, directory=tmp_path, **{name: "7"})
    assert answer.stdout == "7\n", answer.stderr


def test_the_demo_takes_the_port_of_any_hub(tmp_path: Path) -> None:
    """HUB_BIND_PORT counts for the demo as well, and DEMO_PORT before it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for words in (("demo",), ("demo", "--check")):
            answer = run(*words, directory=tmp_path, HUB_BIND_PORT=port)
            assert f"Port {port} is taken; choose another one: HUB_BIND_PORT=" in answer.stderr
        both = {"HUB_BIND_PORT": "1", "DEMO_PORT": port}
        answer = run("demo", directory=tmp_path, **both)
        assert f"Port {port} is taken; choose another one: DEMO_PORT=" in answer.stderr
