"""One hub of processes for all of these tests: what breaks in one has to be whole in the next."""

from collections.abc import Iterator

import pytest

from tests.e2e.hub_processes import Hub, living
from tests.e2e.ledger import Ledger


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """P1, P2 and P3 are registered; P2 and P3 may have what P1 owns."""
    with living(tmp_path_factory.mktemp("e2e")) as running:
        yield running


@pytest.fixture(scope="session")
def _books(hub: Hub) -> Ledger:
    return Ledger(hub)


@pytest.fixture
def ledger(_books: Ledger) -> Iterator[Ledger]:
    """What NL-CPB sent, and what became of it."""
    yield _books
    if _books.wrong():
        _books.write_off()
