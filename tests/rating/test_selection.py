"""Which element prices what, one FLAT for each phase, and reservations."""

from typing import Any

import pytest

from tests.rating.sessions import (
    cdr,
    code,
    component,
    element,
    hour,
    notes,
    period,
    rated,
    tariff,
    total,
    used,
)


def _fees(members: dict[str, Any], **asked: Any) -> list[tuple[str, str]]:
    lines = rated(members, **asked)["lines"]
    return [(line["phase"], line["price"]) for line in lines if line["kind"] == "FLAT"]


@pytest.mark.conformance("RT-19")
def test_each_dimension_has_an_element_of_its_own() -> None:
    """The first that has it and applies, whatever it has besides."""
    never = element(component("ENERGY", 9), component("TIME", 9), day_of_week=["SUNDAY"])
    energy = element(component("ENERGY", 0.3))
    both = element(component("ENERGY", 0.2), component("TIME", 1.5))
    session = hour(never, energy, both, ENERGY=10, TIME=1)
    assert used(session, "ENERGY") == [(1, "10")]
    assert used(session, "TIME") == [(2, "3600")]
    assert [line["passed_over"] for line in rated(session)["lines"]] == [
        [[0, "day_of_week SUNDAY"]],
        [[0, "day_of_week SUNDAY"]],
    ]


def test_read_by_elements_the_first_that_applies_prices_all() -> None:
    """As 2.1.1 has it; what it does not price costs nothing."""
    session = hour(
        element(component("ENERGY", 0.3)), element(component("TIME", 1.5)), ENERGY=10, TIME=1
    )
    assert total(session) == "4.5000"
    assert total(session, select="element") == "3.0000"


@pytest.mark.conformance("RT-20")
def test_what_no_element_prices_costs_nothing() -> None:
    """It is shown with its reason."""
    found = rated(hour(element(component("TIME", 9), start_time="20:00"), ENERGY=11, TIME=1))
    assert found["total"]["excl"] == "0.0000"
    assert [(each["kind"], each["used"], each["why"]) for each in found["unpriced"]] == [
        ("ENERGY", "11", "no element with ENERGY holds"),
        ("TIME", "3600", "no element with TIME holds"),
    ]


def test_a_second_component_of_a_dimension_is_not_looked_at() -> None:
    """The first counts, and it is noted."""
    session = hour(element(component("ENERGY", 1), component("ENERGY", 2)), ENERGY=1)
    assert total(session) == "1.0000"
    assert "RN-06" in notes(session)


@pytest.mark.conformance("RT-36")
def test_each_phase_has_one_flat_fee() -> None:
    """That of the reservation, and that of charging: the first that becomes active."""
    session = cdr(
        [
            tariff(
                element(component("FLAT", 2), reservation="RESERVATION"),
                element(component("FLAT", 10), min_duration=1800),
                element(component("FLAT", 1)),
            )
        ],
        *(
            period("08:00", RESERVATION_TIME=0.25),
            period("08:15", ENERGY=1),
            period("09:00", ENERGY=1),
        ),
        end="10:00",
    )
    assert _fees(session) == [("reservation", "2"), ("charging", "1")]
    assert rated(session)["groups"] == {
        "reservation": {"excl": "2.0000", "incl": "2.0000"},
        "fixed": {"excl": "1.0000", "incl": "1.0000"},
    }
    assert _fees(session, flat="each") == [
        ("reservation", "2"),
        ("charging", "1"),
        ("charging", "10"),
    ]


@pytest.mark.conformance("RT-36")
def test_a_flat_fee_does_not_depend_on_a_volume() -> None:
    """A session of 0 kWh pays it."""
    assert total(hour(element(component("FLAT", 1)), ENERGY=0)) == "1.0000"


_EXPIRY = (
    element(component("TIME", 3), component("FLAT", 1), reservation="RESERVATION"),
    element(component("TIME", 6), reservation="RESERVATION_EXPIRES"),
    element(component("FLAT", 0.5), component("ENERGY", 0.25)),
)


@pytest.mark.conformance("RT-37")
def test_a_reservation_that_expired_pays_no_start_fee() -> None:
    """Nobody charged; what it was cannot be told from one that was cancelled."""
    session = hour(_EXPIRY[2], RESERVATION_TIME=1)
    assert _fees(session) == []
    assert notes(session) == {"RN-05"}
    zeros = hour(_EXPIRY[2], RESERVATION_TIME=1, TIME=0, ENERGY=0)
    assert _fees(zeros) == []


def test_a_cdr_may_say_that_a_reservation_expired() -> None:
    """By a dimension of bookings; then it was not cancelled."""
    session = hour(*_EXPIRY, RESERVATION_TIME=1, RESERVATION_EXPIRES=1)
    assert total(session) == "7.0000"
    assert "RN-05" not in notes(session)


@pytest.mark.conformance("RT-38")
def test_what_expired_is_priced_by_its_own_elements_first() -> None:
    """For each dimension by itself, whatever their order."""
    session = hour(*_EXPIRY, RESERVATION_TIME=1)
    assert used(session, "RESERVATION_TIME") == [(1, "3600")]
    assert _fees(session) == [("reservation", "1")]


@pytest.mark.conformance("RT-37")
@pytest.mark.parametrize("kind", ["ENERGY", "TIME", "PARKING_TIME"])
def test_whoever_came_has_used_the_reservation(kind: str) -> None:
    """Energy, time or parking: any of them, and the start fee is due."""
    used_by: dict[str, Any] = {kind: 1}
    periods = period("08:00", RESERVATION_TIME=1), period("09:00", **used_by)
    assert _fees(cdr([tariff(_EXPIRY[2])], *periods, end="10:00")) == [("charging", "0.5")]


def test_an_idle_zero_reserves_nothing() -> None:
    """Some send every dimension with every period."""
    assert total(hour(*_EXPIRY, RESERVATION_TIME=0, ENERGY=4)) == "1.5000"


@pytest.mark.conformance("RT-38")
def test_a_reservation_that_was_used_is_not_one_that_expired() -> None:
    """Its elements are those for RESERVATION, and its time is no time of charging."""
    periods = period("08:00", RESERVATION_TIME=1), period("09:00", ENERGY=2)
    assert total(cdr([tariff(*_EXPIRY)], *periods, end="10:00")) == "5.0000"


def test_a_reservation_nobody_understands_prices_no_charging() -> None:
    """And no reservation either."""
    strange = element(component("TIME", 3), component("ENERGY", 3), reservation="RESERVATION_LATE")
    assert total(hour(strange, ENERGY=1)) == "0.0000"
    assert code(hour(strange, RESERVATION_TIME=1)) == "RU-09"
