"""The load of `make chaos`, a small one: what its ledger tells, and what dies in its midst."""

import time

import pytest

from tests.e2e import process_tree
from tests.e2e.hub_processes import WEB_WORKER, WEB_WORKERS, Hub
from tests.e2e.load_ledger import LoadLedger, State
from tests.e2e.load_process import Load

pytestmark = pytest.mark.timeout(180)
RATE = 100.0
PATIENCE_SECONDS = 60.0


def test_the_ledger_tells_what_is_wrong() -> None:
    """A state that did not arrive, one that went back, a CDR that came thrice."""
    books = LoadLedger()
    books.acknowledge("L1", State(1, 1))
    books.receive("L1", State(1, 1))
    books.acknowledge("L1", State(y=2))
    books.receive("T1", State(x=3))
    books.receive("T1", State(x=2))
    books.acknowledge("T1", State(x=2))
    books.acknowledge("C1-1", State())
    for _ in range(3):
        books.receive("C1-1", State())

    report = books.report()

    assert (report["lost"], report["out_of_order"], report["too_often"]) == (1, 1, 1)
    assert report["wrong"] == [
        "L1: acknowledged (1, 2), received (1, 1)",
        "T1 went back 1 times",
        "CDR C1-1 came 3 times",
    ]
    assert report["duplicated"] == 2


def test_the_ledger_balances_when_all_arrived_in_order() -> None:
    """A whole object, its part, a state that came by a later one, a message that came twice."""
    books = LoadLedger()
    for change in (State(1, 1), State(y=2), State(3, 3)):
        books.acknowledge("L1", change)
    for change in (State(1, 1), State(3, 3), State(3, 3)):
        books.receive("L1", change)
    books.acknowledge("C1-1", State())
    books.receive("C1-1", State())

    report = books.report()

    assert (report["wrong"], report["duplicated"]) == ([], 1)
    assert (report["acknowledged"], report["received"]) == (4, 4)


def test_kinds_of_processes_are_found_in_the_tree(hub: Hub) -> None:
    """The web server's workers, without anybody having listed them; programs are none."""
    found = process_tree.kinds(hub.children)

    assert found[WEB_WORKER] == WEB_WORKERS
    assert found == hub.whole
    assert not {child.process.pid for child in hub.children.values()} & {
        each.pid for each in process_tree.below(hub.children)
    }


def test_nothing_of_the_load_is_lost_when_processes_die(hub: Hub) -> None:
    """One process of each kind is killed; all that was acknowledged arrives, in order."""
    with Load(hub, rate=RATE) as load:
        load.go()
        time.sleep(1)
        hub.kill_one_of_each_kind()
        hub.await_whole()
        time.sleep(1)
        load.halt()
        report = load.settled(PATIENCE_SECONDS)

    assert report.acknowledged > 0
    assert report.wrong == [], str(report)
