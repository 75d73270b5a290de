"""`python -m local.lock`: requirements*.in compiled into requirements*.txt, each file by its hash.

One lock serves every Python and system that the README names. Versions remain as they are locked
until a line of the .in asks for another, or `--upgrade` for the newest of what it leaves open.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from local.data_dir import CHECKOUT
from local.errors import Trouble

PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
"""Where everything must be there as wheels, so that nothing is compiled while it is installed."""
LOCKS = {
    "requirements.txt": ("requirements.in",),
    "requirements-dev.txt": ("requirements.in", "requirements-dev.in"),
}
"""Each lock, and what it is compiled from. The last is the one compiled; it names the others."""
_UV = (sys.executable, "-m", "uv", "pip")


def main() -> int:
    """Compile both locks, then check that they can be installed everywhere."""
    parser = argparse.ArgumentParser(prog="python -m local.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="the newest of what is not pinned")
    extra = ["--upgrade"] if parser.parse_args().upgrade else []
    try:
        _compile("requirements.txt", extra)
        _compile("requirements-dev.txt", [*extra, "--constraint", "requirements.txt"])
        for python in PYTHONS:
            for system in SYSTEMS:
                _check_wheels("requirements-dev.txt", python, system)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


def header(lock: str) -> str:
    """Return the first line of a lock: a digest, by which a change of its sources is seen."""
    made_from = b"".join((CHECKOUT / name).read_bytes() for name in LOCKS[lock])
    digest = hashlib.sha256(made_from).hexdigest()
    return f"# Compiled by `make lock` from {' and '.join(LOCKS[lock])} (sha256 {digest})."


def _compile(lock: str, extra: Sequence[str]) -> None:
    print(f"Compiling {lock}", flush=True)
    path = CHECKOUT / lock
    _uv(
        "compile", "--quiet", "--no-config", "--universal", "--python-version", PYTHONS[0],
        "--generate-hashes", "--no-header", "--output-file", lock, *extra, LOCKS[lock][-1],
    )  # fmt: skip
    path.write_text(f"{header(lock)}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")


def _check_wheels(lock: str, python: str, system: str) -> None:
    """Check that everything in a lock has a wheel for a Python on a system."""
    print(f"Looking for wheels: Python {python} on {system}", flush=True)
    with tempfile.TemporaryDirectory() as nowhere:
        _uv(
            "install", "--dry-run", "--quiet", "--no-config", "--target", nowhere,
            "--python-version", python, "--python-platform", system,
            "--only-binary", ":all:", "--require-hashes", "--requirements", lock,
        )  # fmt: skip


def _uv(*words: str) -> None:
    answer = subprocess.run([*_UV, *words], check=False, cwd=CHECKOUT)
    if answer.returncode != 0:
        raise Trouble(f"`uv pip {words[0]}` failed: what it says is above")


if __name__ == "__main__":
    sys.exit(main())
