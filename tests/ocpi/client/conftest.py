"""A client with short patience that may call this machine, and peers for it to call."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ocpi.client import AddressPolicy, Limits, OcpiClient, Peer
from tests.ocpi.client.raw_peer import RawPeer, Script

LOCAL = AddressPolicy(allow_private=True, allow_http=True)
"""Tests call this machine."""

IMPATIENT = Limits(connect=0.3, total=0.5, max_bytes=100_000, per_host=4)
"""Whatever a peer does, a test is over soon."""

StartPeer = Callable[[Script], RawPeer]


@pytest.fixture
def client() -> Iterator[OcpiClient]:
    """Make a client of the hub's kind."""
    with OcpiClient(LOCAL, IMPATIENT) as client:
        yield client


@pytest.fixture
def peer() -> Peer:
    """Make the credentials to call with."""
    return Peer("example-token")


@pytest.fixture
def start_peer() -> Iterator[StartPeer]:
    """Start peers that follow a script; all are stopped afterwards."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(RawPeer(script))
