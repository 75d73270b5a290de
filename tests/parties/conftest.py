"""Simulated platforms on loopback, and a plain HTTP client towards the hub."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox.platform import SandboxPlatform
from tests.conftest import HubServer
from tests.parties.silence import be_silent
from tests.parties.wire import CPO, Wire, invited

Start = Callable[..., SandboxPlatform]


@pytest.fixture
def wire(hub_server: HubServer) -> Wire:
    """Return a stranger's HTTP client."""
    return Wire(hub_server.versions_url)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start simulated platforms, `start("CPO:NL:CPA")`; stopped at the end of the test."""
    with ExitStack() as stack:

        def started(*roles: str, **options: Any) -> SandboxPlatform:
            triples = [role.split(":") for role in roles or (CPO,)]
            platform = SandboxPlatform([(a, b, c) for a, b, c in triples], **options)
            return stack.enter_context(platform)

        yield started


@pytest.fixture
def registered(wire: Wire, start: Start) -> SandboxPlatform:
    """Register a CPO platform as P1."""
    platform = start(CPO)
    platform.register_with(wire.versions_url, invited(CPO).token)
    return platform


@pytest.fixture
def silent(registered: SandboxPlatform) -> SandboxPlatform:
    """P1, connected and not heard of for five minutes."""
    be_silent()
    registered.forget()
    return registered
