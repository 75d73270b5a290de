"""`make manage`: a command beside a hub that runs here has that hub's settings, and no others."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import beside, ports
from local.data_dir import CHECKOUT, DataDir, of_purpose

_OF_A_HUB = {
    "HUB_PUBLIC_URL": "http://127.0.0.1:8000",
    "HUB_COUNTRY_CODE": "NL",
    "HUB_PARTY_ID": "HUB",
    "HUB_NAME": "The hub that runs",
    "SECRET_KEY": "s" * 40,
    "CREDENTIALS_KEYS": f"{'A' * 43}=",
    "DATABASE_URL": "postgresql://hub@127.0.0.1:1/of-the-hub",
    "REDIS_URL": "redis://127.0.0.1:1/7",
    "AWS_SECRET_ACCESS_KEY": "nothing of a hub",
}
_SHOW = (
    "from django.conf import settings as s; print('|'.join((s.HUB_NAME, s.REDIS_URL,"
    " s.DATABASES['default']['NAME'], s.DATABASES['default']['USER'], s.LOG_LEVEL)))"
)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the data directories of this test are."""
    monkeypatch.setenv("LOCAL_DIR", str(tmp_path))
    return tmp_path


@contextlib.contextmanager
def running(purpose: str, **owner: str) -> Iterator[DataDir]:
    """Keep a purpose as a hub does that runs."""
    where = of_purpose(purpose)
    with where.locked(), beside.told(where, _OF_A_HUB, owner=owner):
        yield where


def local(
    *words: str, directory: Path, program: str = "local", **given: str
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m local`, or a program of the checkout, in a terminal that has little set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    how = ["-m", program] if program == "local" else [program]
    return subprocess.run(
        [sys.executable, *how, *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env={**kept, "LOCAL_DIR": str(directory), **given},
    )


def manage(*words: str, directory: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    """Run what `make manage` runs."""
    return local("manage", "--", *words, directory=directory, **given)


@pytest.mark.parametrize("purpose", ["run", "demo"])
def test_a_command_has_the_settings_of_the_hub_that_runs(directory: Path, purpose: str) -> None:
    """Database, broker and all else, whatever this terminal has of another hub."""
    other = {"DATABASE_URL": "postgresql://x@127.0.0.1:1/other", "LOG_LEVEL": "ERROR"}
    with running(purpose):
        answer = manage("shell", "-v0", "-c", _SHOW, directory=directory, **other)
    assert answer.stdout == "The hub that runs|redis://127.0.0.1:1/7|of-the-hub|hub|INFO\n"
    assert answer.returncode == 0


def test_the_tables_are_changed_as_their_owner(directory: Path) -> None:
    """`migrate` logs in as the role that may; every other command as the hub does."""
    owner = "postgresql://hub_owner@127.0.0.1:1/of-the-hub"
    with running("run", DATABASE_URL=owner) as where:
        used = [beside.environment_of(where, [word])["DATABASE_URL"] for word in ("migrate", "x")]
    assert used == [owner, _OF_A_HUB["DATABASE_URL"]]


def test_what_is_written_down_is_private_and_only_of_the_hub(directory: Path) -> None:
    """Its secrets are for one user, nothing else of the terminal is kept, and all of it goes."""
    with running("run") as where:
        (note,) = set(where.path.glob("*.json"))
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        assert "AWS_SECRET_ACCESS_KEY" not in note.read_text()
    assert not note.exists()


def test_what_a_killed_hub_left_counts_for_nothing(directory: Path) -> None:
    """Its settings remain, but nobody holds its lock: no hub runs."""
    with running("run") as where:
        note = next(where.path.glob("*.json")).read_text()
    (where.path / "settings.json").write_text(note)
    answer = manage("shell", "-v0", "-c", _SHOW, directory=directory)
    assert answer.returncode == 1
    assert "No hub runs here (make run, make demo)" in answer.stderr
    assert "HUB_PUBLIC_URL is not set" in answer.stderr


def test_of_two_hubs_one_is_named(directory: Path) -> None:
    """Which one is meant is never guessed."""
    with running("run"), running("demo"):
        answer = manage("platforms", directory=directory)
        chosen = local(
            *("manage", "--purpose", "demo", "--", "shell", "-v0", "-c", _SHOW),
            directory=directory,
        )
    assert answer.returncode == 1
    assert 'make manage PURPOSE=run ARGS="…"' in answer.stderr
    assert chosen.stdout.startswith("The hub that runs|")


@pytest.mark.parametrize("words", [["--help"], ["help"], [], ["invite_platform", "--help"]])
def test_help_needs_no_settings_and_no_hub(directory: Path, words: list[str]) -> None:
    """What a command takes is told on a machine where nothing was set yet."""
    for answer in (
        manage(*words, directory=directory),
        local(*words, program="manage.py", directory=directory),
    ):
        assert answer.returncode == 0, answer.stderr
        said = "--role ROLE:COUNTRY:PARTY" if "invite_platform" in words else "invite_platform"
        assert said in answer.stdout


def test_without_settings_nothing_is_done(directory: Path) -> None:
    """What help makes up is for help alone."""
    answer = local("platforms", program="manage.py", directory=directory)
    assert answer.returncode == 1
    assert "HUB_PUBLIC_URL is not set" in answer.stderr


def test_a_command_beside_make_run(directory: Path) -> None:
    """The box says how; the command meets the hub's database, and nothing is left of it."""
    port = ports.free()
    directory.chmod(0o755)
    given = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "LOCAL_DIR": str(directory),
        "HUB_BIND_PORT": str(port),
        "DJANGO_SUPERUSER_PASSWORD": "a password of one's own",
    }
    command = [sys.executable, "-m", "local", "serve"]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as hub:
        assert hub.stdout is not None
        try:
            box = _box(hub)
            invited = manage("invite_platform", "P1", "--role", "CPO:NL:CPA", directory=directory)
            listed = manage("platforms", directory=directory)
        finally:
            hub.send_signal(signal.SIGINT)
        assert hub.wait(60) == 0
    assert 'make manage ARGS="platforms"' in box
    assert "as given (DJANGO_SUPERUSER_PASSWORD)" in box
    assert f"http://127.0.0.1:{port}/admin/" in box
    assert (invited.returncode, listed.returncode) == (0, 0), invited.stderr + listed.stderr
    assert "P1" in listed.stdout
    assert "No hub runs here" in manage("--help", directory=directory).stderr


def _box(hub: "subprocess.Popen[str]") -> str:
    """Return what a hub prints until it is ready."""
    assert hub.stdout is not None
    lines: list[str] = []
    end = time.monotonic() + 120
    while not (lines and lines[-1].startswith("└")):
        lines.append(hub.stdout.readline())
        assert lines[-1], hub.stderr.read() if hub.stderr else ""
        assert time.monotonic() < end
    return "".join(lines)
