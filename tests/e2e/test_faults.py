"""What may die dies: every receiver ends with what the owner has, in order, nothing lost."""

from collections import Counter

import pytest

from sandbox.object_store import write_object
from tests.cast import CPB, a_location
from tests.e2e.faults import DOWN_FOR_LONG, FAULTS, Fault, ride_out
from tests.e2e.hub_processes import Hub
from tests.e2e.ledger import RECEIVERS, Delivered, Ledger

pytestmark = pytest.mark.timeout(300)
PATIENCE = 60.0


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_nothing_is_lost(fault: Fault, ledger: Ledger) -> None:
    """Owner's and receivers' objects are equal, no CDR comes thrice, no object goes back."""
    ride_out(fault, ledger, prefix=f"F{FAULTS.index(fault)}")

    assert ledger.balances(PATIENCE) == [], str(ledger)


def test_receivers_catch_up_by_objects_not_by_changes(ledger: Ledger) -> None:
    """10,000 changes of 50 Locations while all are down are 50 messages to each when back."""
    ride_out(DOWN_FOR_LONG, ledger, prefix="D")

    assert ledger.balances(PATIENCE) == [], str(ledger)
    caught_up = Counter(each.receiver for each in ledger.deliveries if each.name.startswith("D-B"))
    assert caught_up.keys() == set(RECEIVERS)
    assert max(caught_up.values()) <= 100


def test_the_ledger_tells_what_is_wrong(hub: Hub, ledger: Ledger) -> None:
    """An object its owner alone has, one that went back, a CDR that came thrice."""
    assert ledger.balances(PATIENCE) == []
    own, deliveries = hub.platforms["P1"].own["locations"], list(ledger.deliveries)
    own.put(CPB, "NOWHERE", body=write_object(a_location(CPB, 1, id="NOWHERE")))
    message = ("PUT", "/", b"")
    ledger.deliveries += [
        Delivered("P2", "locations", "BACK", counter, message) for counter in (2, 1)
    ]
    ledger.deliveries += [Delivered("P3", "cdrs", "THRICE", None, message)] * 3
    try:
        wrong = ledger.balances(0)
    finally:
        own.remove(CPB, "NOWHERE")
        ledger.deliveries[:] = deliveries

    assert wrong == [
        "P2: NL-CPB/NOWHERE never arrived",
        "P3: NL-CPB/NOWHERE never arrived",
        "P2: locations BACK went back: [2, 1]",
        "P3: CDR THRICE came 3 times",
    ]
