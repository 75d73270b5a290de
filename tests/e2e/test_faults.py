"""What may die dies: every receiver ends with what the owner has, in order, nothing lost."""

import pytest

from tests.e2e.faults import DOWN_FOR_LONG, FAULTS, Fault, ride_out
from tests.e2e.ledger import Ledger

pytestmark = pytest.mark.timeout(120)
PATIENCE = 40.0


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_nothing_is_lost(fault: Fault, ledger: Ledger) -> None:
    """Owner's and receivers' objects are equal, no CDR comes thrice, no object goes back."""
    ride_out(fault, ledger, prefix=f"F{FAULTS.index(fault)}")

    assert ledger.balances(PATIENCE) == [], str(ledger)


def test_a_receiver_catches_up_by_objects_not_by_changes(ledger: Ledger) -> None:
    """10,000 changes of 50 Locations while it is down are 50 messages when it is back."""
    ride_out(DOWN_FOR_LONG, ledger, prefix="D")

    assert ledger.balances(PATIENCE) == [], str(ledger)
    caught_up = [
        told for told in ledger.told if told.receiver == "P3" and told.name.startswith("D-B")
    ]
    assert len(caught_up) <= 100
