"""The image is built here without an engine, from exactly what the build context has."""

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supply.dockerfile import Build, Stage, instructions
from tests.supply.dockerignore import context

ROOT = Path(__file__).parents[2]
PACKAGES = ("settings", "console", "hub", "parties", "operators", "database", "ocpi", "rating")
_NOT_DEPLOYED = ("settings/test.py", "sandbox/")
_CONFIGURED = {
    "HUB_PUBLIC_URL": "https://hub.example.com",
    "HUB_COUNTRY_CODE": "NL",
    "HUB_PARTY_ID": "HUB",
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "CREDENTIALS_KEYS": "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMTI=",
    "ALLOWED_HOSTS": "*",
    "HUB_WEB_WORKERS": "1",
}
pytestmark = [pytest.mark.security("S-26"), pytest.mark.timeout(180)]


def _tracked() -> list[str]:
    answer = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    return answer.stdout.splitlines()


def _installed_here(stage: Stage, command: str) -> None:
    """Let a new venv find what is installed here, in place of the package index."""
    if command == "python -m venv /venv":
        packages = stage.folder / "venv" / "lib" / f"python{sysconfig.get_python_version()}"
        (packages / "site-packages" / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return the image, built in an empty folder from nothing but the context."""
    into = tmp_path_factory.mktemp("image")
    (into / "bin").mkdir()
    (into / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    useradd = into / "bin" / "useradd"
    useradd.write_text("#!/bin/sh\nexit 0\n")
    useradd.chmod(0o755)
    environment = {"PATH": f"{into / 'bin'}:{os.defpath}", "HOME": str(into), "PIP_NO_INDEX": "1"}
    build = Build(ROOT, context(ROOT), into, environment)
    build.after = _installed_here
    build.run()
    return build


def test_the_context_has_what_is_deployed_and_nothing_else() -> None:
    """Every file of the hub's packages is sent to the engine; tests and leftovers are not."""
    deployed = [
        path for path in _tracked()
        if path.startswith(tuple(f"{name}/" for name in PACKAGES))
        and not path.startswith(_NOT_DEPLOYED)
    ]  # fmt: skip
    others = {"requirements.txt", "manage.py", "pyproject.toml", "LICENSE", "NOTICE"}
    assert set(context(ROOT)) == {*deployed, *others}


def test_secrets_left_anywhere_are_not_sent(tmp_path: Path) -> None:
    """A .env, a key or a dump that somebody left in the checkout stays out of the image."""
    (tmp_path / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    for name in (".env", "hub/.env", "settings/.env.production", ".local/run/secrets.env", "a.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    assert context(tmp_path) == []


def test_every_file_that_is_sent_is_copied(built: Build) -> None:
    """What the Dockerfile copies is what the context has: none is missing, none is idle."""
    assert sorted(built.copied) == context(ROOT)


def test_whoever_runs_it_is_not_root(built: Build) -> None:
    """The hub runs as an account of its own, that owns nothing of what it runs."""
    assert built.stage.user == "hub"


def test_files_of_the_console_are_collected_with_the_settings_of_a_deployment(built: Build) -> None:
    """Files are collected with settings.base, which leaves no setting or secret in the image."""
    collected = built.stage.folder / "hub" / "static-collected"
    assert (collected / "console.css").is_file()
    assert (collected / "unfold").is_dir()
    runs = [rest for word, rest in instructions((ROOT / "Dockerfile").read_text()) if word == "RUN"]
    assert not any("settings.test" in run for run in runs)
    lasting = {*built.stage.environment} - {*built.environment}
    assert lasting.isdisjoint({"SECRET_KEY", "CREDENTIALS_KEYS", "DATABASE_URL", "REDIS_URL"})


@pytest.mark.parametrize("module", ["settings.asgi", "settings.celery"])
def test_each_process_finds_all_it_imports(built: Build, module: str) -> None:
    """Web and workers are put together from the image's own files, not from the checkout's."""
    program = f"import {module}, hub, os; assert hub.__file__.startswith(os.getcwd()), hub.__file__"
    answer = _process(built.stage, ["python", "-c", program])
    assert answer.wait(60) == 0


def test_the_image_starts_and_says_it_is_alive(built: Build) -> None:
    """CMD starts the hub, and HEALTHCHECK is content with what it answers."""
    with _started(built.stage) as web:
        health = {"HUB_BIND_PORT": web}
        for _ in range(60):
            if _process(built.stage, built.stage.health, health).wait(30) == 0:
                return
            time.sleep(0.5)
    pytest.fail("the hub never became healthy")


@contextlib.contextmanager
def _started(stage: Stage) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    here = {"HUB_BIND_HOST": "127.0.0.1", "HUB_BIND_PORT": port}
    process = _process(stage, stage.command, here)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _process(
    stage: Stage, command: list[str], extra: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    servers = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.Popen(
        command,
        cwd=stage.directory,
        env={**stage.environment, **_CONFIGURED, **servers, **(extra or {})},
        stderr=subprocess.DEVNULL if command == stage.health else None,
    )
