"""Two platforms that talk to each other directly, without a hub, over real HTTP."""

import threading
from collections.abc import Iterator

import pytest

from ocpi.types import PartyRef
from sandbox import SandboxPlatform

CPA = PartyRef("NL", "CPA")
MSA = PartyRef("DE", "MSA")


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Assert that a stopped platform leaves no thread behind."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def cpo() -> Iterator[SandboxPlatform]:
    """Start the charge point operator NL-CPA."""
    with SandboxPlatform([("CPO", "NL", "CPA")], versions=("2.2", "2.2.1")) as platform:
        yield platform


@pytest.fixture
def emsp() -> Iterator[SandboxPlatform]:
    """Start the service provider DE-MSA."""
    with SandboxPlatform([("EMSP", "DE", "MSA")], versions=("2.2", "2.2.1")) as platform:
        yield platform


@pytest.fixture
def connected(cpo: SandboxPlatform, emsp: SandboxPlatform) -> SandboxPlatform:
    """NL-CPA, registered with DE-MSA; nothing of it recorded."""
    cpo.register_with(emsp.url, emsp.invite())
    cpo.forget()
    emsp.forget()
    return cpo


@pytest.fixture
def hub() -> Iterator[SandboxPlatform]:
    """Stand in for the hub: a platform with the hub's role."""
    with SandboxPlatform([("HUB", "NL", "HUB")]) as platform:
        yield platform
