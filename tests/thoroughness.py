"""How much is generated: enough to notice in every run, all of it in `make check-long`."""

import os

LONG = os.environ.get("THOROUGH", "") not in {"", "0"}


def generated(usual: int, *, long: int) -> int:
    """Return how many inputs a test generates in this run."""
    return long if LONG else usual
