"""What may die dies: every receiver ends with what the owner has, in order, nothing lost."""

from collections import Counter

import pytest

from tests.e2e.faults import DOWN_FOR_LONG, FAULTS, Fault, ride_out
from tests.e2e.ledger import RECEIVERS, Ledger

pytestmark = pytest.mark.timeout(120)
PATIENCE = 40.0


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_nothing_is_lost(fault: Fault, ledger: Ledger) -> None:
    """Owner's and receivers' objects are equal, no CDR comes thrice, no object goes back."""
    ride_out(fault, ledger, prefix=f"F{FAULTS.index(fault)}")

    assert ledger.balances(PATIENCE) == [], str(ledger)


def test_receivers_catch_up_by_objects_not_by_changes(ledger: Ledger) -> None:
    """10,000 changes of 50 Locations while all are down are 50 messages to each when back."""
    ride_out(DOWN_FOR_LONG, ledger, prefix="D")

    assert ledger.balances(PATIENCE) == [], str(ledger)
    caught_up = Counter(told.receiver for told in ledger.told if told.name.startswith("D-B"))
    assert caught_up.keys() == set(RECEIVERS)
    assert max(caught_up.values()) <= 100
