"""A data directory of its own for each test that starts something."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.data_dir import DataDir, of_purpose


@pytest.fixture(scope="module")
def where() -> Iterator[DataDir]:
    """The directory of a purpose `test`, where every account reaches it."""
    directory = Path(tempfile.mkdtemp(prefix="ocpi-hub-tests-"))
    directory.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_DIR", str(directory))
        yield of_purpose("test")
    shutil.rmtree(directory)
