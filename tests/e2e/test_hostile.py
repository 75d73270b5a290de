"""A small, always equal part of what `make hostile` replays."""

import pytest

from tests.e2e.hub_processes import Hub
from tests.hostile.attack import attack

pytestmark = pytest.mark.timeout(300)
_INPUTS = 1_500


def test_no_hostile_input_fails_the_hub(hub: Hub) -> None:
    """Whatever is sent, or answered, the hub says 4xx or an OCPI error: never 5xx, never 3000."""
    ledger = attack(hub, seed=1, inputs=_INPUTS)

    assert ledger.total >= _INPUTS
    assert not ledger.failures, "\n".join(ledger.examples)
    assert ledger.died == 0
