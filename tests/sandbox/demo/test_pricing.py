"""Sessions cost what the examples of the specification say."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.demo.pricing import Price, bill, volume

Json = dict[str, Any]
UTC = "Etc/UTC"
MONDAY, SATURDAY = "2026-11-23", "2026-11-21"


def component(dimension: str, price: float, step_size: int = 1, **more: float) -> Json:
    """Build a price component."""
    return {"type": dimension, "price": price, "step_size": step_size, **more}


def element(*components: Json, **restrictions: object) -> Json:
    """Build a tariff element."""
    return {"price_components": list(components), "restrictions": restrictions}


def period(start: str, /, **volumes: float) -> Json:
    """Build a charging period that begins at this time, on a Monday unless one is given."""
    day, _, time = start.rpartition(" ")
    return {
        "start_date_time": f"{day or MONDAY}T{time}:00Z",
        "dimensions": [{"type": name, "volume": each} for name, each in volumes.items()],
    }


def minutes(number: int) -> float:
    """Write minutes as CDRs do: hours with four decimals."""
    return round(number / 60, 4)


SWITCHING = [
    element(
        component("TIME", 1.20, 1800),
        component("PARKING_TIME", 1.00, 900),
        start_time="00:00",
        end_time="17:00",
    ),
    element(
        component("TIME", 2.40, 900),
        component("PARKING_TIME", 1.00, 900),
        start_time="17:00",
        end_time="20:00",
    ),
    element(component("TIME", 2.40, 900), start_time="20:00", end_time="00:00"),
]
"""Example 14 of the tariffs chapter."""
WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
COMPLEX = [
    element(component("FLAT", 2.50, 1, vat=15)),
    element(component("TIME", 1.00, 900, vat=20), day_of_week=WEEKDAYS),
    element(component("TIME", 1.25, 600, vat=20), day_of_week=["SATURDAY", "SUNDAY"]),
    element(
        component("PARKING_TIME", 5.00, 300, vat=10),
        start_time="09:00",
        end_time="18:00",
        day_of_week=WEEKDAYS,
    ),
    element(
        component("PARKING_TIME", 6.00, 300, vat=10),
        start_time="10:00",
        end_time="17:00",
        day_of_week=["SATURDAY"],
    ),
]
"""Example 4 without currents; its own sum for Saturday bills 1.20 instead of 1.25 per hour."""
TWO_PRICES = [
    element(component("ENERGY", 0.20, 500), component("TIME", 5, 600), end_time="17:00"),
    element(component("ENERGY", 0.27, 500), component("TIME", 7, 600)),
]
CASES: dict[str, tuple[list[Json], list[Json], str, str]] = {
    "a kWh": ([element(component("ENERGY", 0.25))], [period("10:00", ENERGY=20)], "5", "5"),
    "Wh as precision": (
        [element(component("ENERGY", 0.25))],
        [period("10:00", ENERGY=0.1152)],
        "0.029",
        "0.029",
    ),
    "500 Wh at least": (
        [element(component("ENERGY", 0.25, 500))],
        [period("10:00", ENERGY=0.001)],
        "0.125",
        "0.125",
    ),
    "six minutes in blocks of five": (
        [element(component("TIME", 6, 300))],
        [period("10:00", TIME=minutes(6))],
        "1",
        "1",
    ),
    "seven minutes are no more than seven": (
        [element(component("TIME", 6, 60))],
        [period("10:00", TIME=minutes(7))],
        "0.7",
        "0.7",
    ),
    "no step at all": ([element(component("TIME", 0, 0))], [period("10:00", TIME=1)], "0", "0"),
    "switching #1": (
        SWITCHING,
        [
            period("16:55", TIME=minutes(5)),
            period("17:00", TIME=minutes(5)),
            period("17:05", PARKING_TIME=minutes(2)),
        ],
        "0.55",
        "0.55",
    ),
    "switching #2": (
        SWITCHING,
        [period("16:35", TIME=minutes(25)), period("17:00", TIME=minutes(10))],
        "1.30",
        "1.30",
    ),
    "switching to free of charge": (
        SWITCHING,
        [
            period("19:40", TIME=minutes(12)),
            period("19:52", PARKING_TIME=minutes(8)),
            period("20:00", PARKING_TIME=minutes(12)),
        ],
        "0.73",
        "0.73",
    ),
    "complex on a Monday": (
        COMPLEX,
        [period("09:30", TIME=2.75), period("12:15", PARKING_TIME=minutes(42))],
        "9",
        "10.30",
    ),
    "complex on a Saturday": (
        COMPLEX,
        [
            period(f"{SATURDAY} 13:30", TIME=minutes(114)),
            period(f"{SATURDAY} 15:24", PARKING_TIME=minutes(71)),
        ],
        "12.375",
        "13.975",
    ),
    "energy at two prices is rounded up once": (
        TWO_PRICES,
        [period("16:00", ENERGY=4.3), period("17:00", ENERGY=1.1)],
        "1.184",
        "1.184",
    ),
    "time at two prices is rounded up once": (
        TWO_PRICES,
        [period("16:54", TIME=minutes(6)), period("17:00", TIME=minutes(22))],
        "3.3",
        "3.3",
    ),
    "charging is not rounded when parking follows": (
        [element(component("TIME", 1, 600), component("PARKING_TIME", 2, 600))],
        [period("10:00", TIME=minutes(21)), period("10:21", PARKING_TIME=minutes(16))],
        "1.0167",
        "1.0167",
    ),
    "the first element that applies counts, for each dimension": (
        [
            element(component("ENERGY", 0.60), max_kwh=10),
            element(component("ENERGY", 0.50), component("TIME", 1)),
            element(component("ENERGY", 9), component("TIME", 9)),
        ],
        [period("10:00", ENERGY=10, TIME=0.5), period("10:30", ENERGY=2, TIME=0.5)],
        "8",
        "8",
    ),
    "long stays": (
        [element(component("PARKING_TIME", 3), min_duration=3600)],
        [period("10:00", PARKING_TIME=1), period("11:00", PARKING_TIME=0.5)],
        "1.5",
        "1.5",
    ),
    "a season": (
        [
            element(component("FLAT", 1), start_date="2026-12-01"),
            element(component("FLAT", 2), end_date="2026-11-23"),
            element(component("FLAT", 4), min_kwh=1),
            element(component("FLAT", 8), max_duration=60),
        ],
        [period("10:00", ENERGY=1), period("11:00", ENERGY=1)],
        "8",
        "8",
    ),
    "nothing applies": (
        [element(component("TIME", 5), reservation="RESERVATION")],
        [period("10:00", ENERGY=3, TIME=1)],
        "0",
        "0",
    ),
}


@pytest.mark.parametrize("elements, periods, excl_vat, incl_vat", CASES.values(), ids=CASES)
def test_sessions_cost_what_the_chapters_say(
    elements: list[Json], periods: list[Json], excl_vat: str, incl_vat: str
) -> None:
    """First element per dimension, step size once per session, VAT by component."""
    found = bill({"elements": elements}, periods, UTC).total

    assert found == Price(Decimal(excl_vat), Decimal(incl_vat))


def test_restrictions_are_in_local_time() -> None:
    """17:00 at the location is 16:00 UTC in winter."""
    evening = [element(component("FLAT", 2), start_time="17:00")]

    assert [
        bill({"elements": evening}, [period(time, ENERGY=1)], "Europe/Amsterdam").total.excl_vat
        for time in ("15:59", "16:00", "22:59", "23:00")
    ] == [0, 2, 2, 0]


def test_a_bill_is_told_by_dimension() -> None:
    """Every part is rounded to four decimals, and the total is their sum."""
    elements = [
        element(
            component("ENERGY", 0.33333, vat=21), component("TIME", 0.00007), component("FLAT", 1)
        )
    ]

    found = bill({"elements": elements}, [period("10:00", ENERGY=1, TIME=1)], UTC)

    assert found.energy.as_json() == {"excl_vat": 0.3333, "incl_vat": 0.4033}
    assert (found.time.excl_vat, found.fixed.excl_vat) == (Decimal("0.0001"), Decimal(1))
    assert found.total.as_json() == {"excl_vat": 1.3334, "incl_vat": 1.4034}


def test_what_cannot_be_priced_is_said() -> None:
    """A restriction that is not understood must not be overlooked."""
    with pytest.raises(ValueError, match="min_power"):
        bill({"elements": [element(component("FLAT", 1), min_power=5)]}, [period("10:00")], UTC)


def test_volumes_are_added_up_as_they_were_written() -> None:
    """0.1 + 0.2 is 0.3."""
    periods = [period("10:00", ENERGY=0.1), period("11:00", ENERGY=0.2, TIME=1)]

    assert volume(periods, "ENERGY") == Decimal("0.3")
