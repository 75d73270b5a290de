"""A CPO with Locations and eMSPs that may have them, for the tests of delivery."""

from collections.abc import Callable

import pytest

from sandbox.platform import SandboxPlatform
from tests.cast import Cast
from tests.hub.location_owner import Owner


@pytest.fixture
def owner(cast: Cast) -> Owner:
    """NL-CPA at its platform."""
    return Owner(cast["P1"])


@pytest.fixture
def emsp(cast: Cast, owner: Owner, deliver_all: Callable[[], int]) -> SandboxPlatform:
    """DE-MSA, who may have what NL-CPA owns and has nothing yet."""
    platform = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    platform.forget()
    return platform
