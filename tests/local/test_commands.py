"""What `make` starts beside the tests: it begins, whatever the tests themselves need."""

import os
import subprocess
import sys

import pytest

from local.data_dir import CHECKOUT


@pytest.mark.parametrize("module", ["tests.e2e.chaos", "tests.hostile"])
def test_a_command_begins_without_django(module: str) -> None:
    """`make chaos` and `make hostile` begin in a process where nobody has set Django up."""
    own = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        check=False,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=own,
    )
    assert done.returncode == 0, done.stderr
