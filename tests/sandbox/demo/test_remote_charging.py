"""Stations carry out commands: start, stop, reserve; and cards are asked about."""

import pytest

from sandbox.demo.cdr_check import disagreements
from sandbox.demo.charging import Declined, EvseRef
from sandbox.demo.tokens import Permission
from tests.sandbox.demo.street import CARDS, CPA, Street, known

E1 = EvseRef(CPA, "L1", "E1")
BY_APP = Permission(CARDS[1], "COMMAND", "ref-1")


def test_a_session_from_afar_lasts_until_it_is_stopped() -> None:
    """It begins at once, nothing but a command ends it, and it is billed like any other."""
    street = Street(*CARDS)
    street.make_true(street.charging.start(E1, BY_APP))
    street.watch(300)
    statuses = [each["status"] for each in street.bodies("sessions")[:2]]
    assert (statuses, street.status("L1", "E1")) == (["PENDING", "ACTIVE"], "CHARGING")

    street.make_true(street.charging.stop("s1"))

    session = street.own["sessions"].objects()["NL-CPA/S1"]
    cdr = next(each for each in street.bodies("cdrs") if each["session_id"] == "S1")
    assert (session["status"], session["auth_method"]) == ("COMPLETED", "COMMAND")
    assert (cdr["auth_method"], cdr["authorization_reference"]) == ("COMMAND", "ref-1")
    assert disagreements(cdr, known(street, cdr)) == []
    assert street.status("L1", "E1") == "AVAILABLE"
    with pytest.raises(Declined, match="FAILED"):
        street.charging.stop("S1")


def test_a_card_is_asked_about() -> None:
    """How a driver was let charge stands in the session and in its CDR."""
    street = Street(*CARDS)
    asked: list[tuple[str, bool]] = []

    def authorize(_place: object, uid: str, known: object) -> Permission:
        asked.append((uid, known is None))
        return Permission(CARDS[0], "AUTH_REQUEST", "ref-2")

    street.charging.authorize = authorize
    street.watch(100)

    charged = [
        *street.bodies("cdrs"),
        *(e for e in street.bodies("sessions") if "auth_method" in e),
    ]
    assert {(each["auth_method"], each["authorization_reference"]) for each in charged} == {
        ("AUTH_REQUEST", "ref-2")
    }
    assert len(asked) > 5
    strangers = {uid for uid, is_unknown in asked if is_unknown}
    assert strangers.isdisjoint({card["uid"] for card in CARDS})


def test_a_reserved_evse_waits_for_its_driver() -> None:
    """Nobody else gets it; it is free again when the reservation is given up."""
    street = Street(*CARDS)
    street.make_true(street.charging.reserve(E1, ("DE-MSA", "R1")))
    street.watch(200)
    assert street.status("L1", "E1") == "RESERVED"
    with pytest.raises(Declined, match="EVSE_OCCUPIED"):
        street.charging.start(E1, BY_APP, "FR-MSB")
    with pytest.raises(Declined, match="EVSE_OCCUPIED"):
        street.charging.reserve(E1, ("FR-MSB", "R1"))
    with pytest.raises(Declined, match="UNKNOWN_RESERVATION"):
        street.charging.cancel(("FR-MSB", "R1"))

    street.make_true(street.charging.cancel(("DE-MSA", "R1")))

    assert street.status("L1", "E1") == "AVAILABLE"


def test_a_reservation_is_used_by_starting() -> None:
    """Afterwards there is nothing to cancel."""
    street = Street(*CARDS)
    street.make_true(street.charging.reserve(E1, ("DE-MSA", "R1")))

    street.make_true(street.charging.start(E1, BY_APP, "DE-MSA"))

    assert street.status("L1", "E1") == "CHARGING"
    with pytest.raises(Declined, match="UNKNOWN_RESERVATION"):
        street.charging.cancel(("DE-MSA", "R1"))


def test_an_order_may_leave_the_evse_open() -> None:
    """The first free one is meant; ids are compared without case."""
    street = Street(*CARDS)
    assert street.charging.find_evse("l1", "e2") == (CPA, "L1", "E2")
    for evse_uid in ("E1", "E2", "E3"):
        assert street.charging.find_evse("L1", "") == (CPA, "L1", evse_uid)
        street.make_true(street.charging.start(EvseRef(CPA, "L1", evse_uid), BY_APP))
    with pytest.raises(Declined, match="EVSE_OCCUPIED"):
        street.charging.find_evse("L1", "")
