"""The locks say exactly what is installed, by hash, and are compiled from the .in files of now."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.lock import LOCKS, PYTHONS, header

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.security("S-27")
_HASHES = re.compile(r"(?:\s+--hash=sha256:[0-9a-f]{64})+")
every_lock = pytest.mark.parametrize("lock", LOCKS)


class Locked(NamedTuple):
    """One distribution of a lock."""

    requirement: Requirement
    hashes: str

    @property
    def version(self) -> str:
        """The one version that may be installed."""
        return str(self.requirement.specifier).removeprefix("==")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _lines(name: str) -> list[str]:
    """Return what stands in a file of requirements, each on one line, without comments."""
    bare = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in _text(name).splitlines())
    return [line for line in bare.replace("\\\n", " ").splitlines() if line.strip()]


def _locked(lock: str) -> dict[str, Locked]:
    cut = (re.split(r"\s+(?=--hash)", line, maxsplit=1) for line in _lines(lock))
    entries = (Locked(Requirement(words[0]), f" {words[-1]}") for words in cut)
    return {canonicalize_name(entry.requirement.name): entry for entry in entries}


def _direct(lock: str) -> list[Requirement]:
    """Return what the .in files of a lock name."""
    lines = (line for name in LOCKS[lock] for line in _lines(name))
    return [Requirement(line) for line in lines if not line.startswith("-r ")]


def _needed(lock: str) -> Iterator[Requirement]:
    """Return everything that what is installed here needs in turn, from the .in files on."""
    waiting, seen = _direct(lock), set[str]()
    while waiting:
        requirement = waiting.pop()
        yield requirement
        if str(requirement) not in seen:
            seen.add(str(requirement))
            waiting += _of(requirement)


def _of(requirement: Requirement) -> list[Requirement]:
    declared = map(Requirement, importlib.metadata.requires(requirement.name) or [])
    return [each for each in declared if _applies(each, requirement.extras)]


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": name}) for name in extras | {""})


@every_lock
def test_a_lock_is_compiled_from_what_is_named_now(lock: str) -> None:
    """A lock begins with the hash of the .in files it was compiled from: `make lock` renews it."""
    assert _text(lock).splitlines()[0] == header(lock), "run `make lock`"


@every_lock
def test_a_direct_dependency_is_named_exactly_and_locked_so(lock: str) -> None:
    """Each line of an .in names one version, and that one is locked."""
    locked = _locked(lock)
    for requirement in _direct(lock):
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert locked[canonicalize_name(requirement.name)].version in requirement.specifier


@every_lock
def test_every_line_of_a_lock_is_one_version_with_hashes(lock: str) -> None:
    """Nothing is installed that has no hash or more than one version."""
    for name, entry in _locked(lock).items():
        assert re.fullmatch(r"==[^*,]+", str(entry.requirement.specifier)), name
        assert _HASHES.fullmatch(entry.hashes), name
        assert entry.requirement.url is None


@every_lock
def test_whatever_is_needed_in_turn_is_locked(lock: str) -> None:
    """What the dependencies installed here require, and theirs, is locked at a fitting version."""
    locked = _locked(lock)
    for requirement in _needed(lock):
        entry = locked.get(canonicalize_name(requirement.name))
        assert entry is not None, f"{requirement} is in no lock"
        assert requirement.specifier.contains(entry.version, prereleases=True), requirement


@every_lock
def test_what_is_installed_is_what_is_locked(lock: str) -> None:
    """The tests run on the very versions that are locked, and on all of them."""
    here = {name: entry for name, entry in _locked(lock).items() if _applies(entry[0], set())}
    installed = {name: importlib.metadata.version(name) for name in here}
    assert installed == {name: entry.version for name, entry in here.items()}, "run `make install`"


@every_lock
def test_a_lock_names_no_place_to_install_from(lock: str) -> None:
    """A lock has no index, address or path: where packages come from is each machine's own."""
    for line in _lines(lock):
        assert not re.search(r"://|file:|index|find-links|(^|\s)[./]\S*/", line), line


def test_what_is_developed_with_is_what_is_deployed() -> None:
    """The lock of the hub stands in that of its developers, to the letter."""
    developed = _locked("requirements-dev.txt")
    for name, entry in _locked("requirements.txt").items():
        assert str(developed[name].requirement) == str(entry.requirement)
        assert developed[name].hashes == entry.hashes


def test_the_lock_serves_every_python_the_project_names() -> None:
    """README, pyproject, Makefile and the lock agree on which versions of Python are served."""
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    classified = [each.rpartition(" ")[2] for each in project["classifiers"] if ":: 3." in each]
    first, last = PYTHONS[0], PYTHONS[-1]
    assert tuple(classified) == PYTHONS
    assert project["requires-python"] == f">={first},<3.{int(last.partition('.')[2]) + 1}"
    assert f"Python {', '.join(PYTHONS[:-1])} or {last}" in _text("README.md")
    assert " ".join(f"python{each}" for each in reversed(PYTHONS)) in _text("Makefile")


@pytest.mark.parametrize("name", ["Dockerfile", "Makefile"])
def test_whoever_installs_from_a_lock_insists_on_its_hashes(name: str) -> None:
    """Else pip would take whatever has the name and version."""
    installs = [line for line in _text(name).splitlines() if re.search(r"\bpip install\b", line)]
    assert installs
    for line in installs:
        assert "--require-hashes" in line
        assert re.search(r"-r requirements(-dev)?\.txt\b", line)
