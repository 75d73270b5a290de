"""The client all threads of a process share."""

from collections.abc import Iterator

import pytest

from ocpi.client import Limits, Peer, configure, process_wide, shared
from tests.ocpi.client.conftest import LOCAL, StartPeer
from tests.ocpi.client.raw_peer import SUCCESS, always, http


@pytest.fixture(autouse=True)
def former_client() -> Iterator[None]:
    """Put back what the process had configured before."""
    former, process_wide._configured[:] = list(process_wide._configured), []
    yield
    for client in process_wide._configured:
        client.close()
    process_wide._configured[:] = former


def test_unconfigured_process_is_told_so() -> None:
    """The error names the remedy."""
    with pytest.raises(RuntimeError, match="configure"):
        shared()


def test_configured_client_is_shared(start_peer: StartPeer, peer: Peer) -> None:
    """Everybody gets the same client, and it works."""
    receiver = start_peer(always(http(SUCCESS)))
    configure(LOCAL, Limits())

    assert shared() is shared()
    assert shared().request("GET", receiver.url(), peer=peer).ok


def test_configuring_again_closes_the_former_client(peer: Peer) -> None:
    """A second configuration replaces the first and leaves no thread behind."""
    configure(LOCAL, Limits())
    former = shared()
    configure(LOCAL, Limits(total=1.0))

    assert shared() is not former
    with pytest.raises(RuntimeError, match="closed"):
        former.request("GET", "http://127.0.0.1:9/", peer=peer)
