"""One hub of processes for all tests of a file."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.living import Hub, broker_of_tests, living


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """P1, P2 and P3 are registered; P2 and P3 may have what NL-CPA owns."""
    database_url = os.environ["DATABASE_URL"]
    folder = tmp_path_factory.mktemp("e2e")
    with living(folder, database_url=database_url, redis_url=broker_of_tests()) as running:
        yield running
