"""Relations between members: what contradicts itself is reported by its path, never refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ocpi import relations
from ocpi.types import OcpiModel
from ocpi.v2_2 import VERSION
from ocpi.v2_2_1.cdrs import CDR
from ocpi.v2_2_1.location_types import ExceptionalPeriod, Hours, StatusSchedule
from ocpi.v2_2_1.locations import EVSE, Location
from ocpi.v2_2_1.sessions import Session
from ocpi.v2_2_1.tariffs import Tariff, TariffRestrictions
from ocpi.validation import validate
from tests.ocpi.objects import (
    a_cdr,
    a_charging_period,
    a_session,
    a_tariff,
    evse,
    location,
)

T1, T2 = "2026-11-21T05:00:00Z", "2026-11-21T06:00:00Z"
DAY = {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}

_BROKEN: list[tuple[type[OcpiModel], dict[str, Any], list[str]]] = [
    (Session, a_session(start_date_time=T2, end_date_time=T1, charging_periods=[]),
     ["end_date_time: lies before start_date_time"]),
    (CDR, a_cdr(charging_periods=[a_charging_period(start_date_time="2026-11-20T00:00:00Z")]),
     ["charging_periods[0].start_date_time: lies before start_date_time"]),
    (CDR, a_cdr(charging_periods=[a_charging_period(start_date_time="2026-11-21T08:58:23+01:00")]),
     ["charging_periods[0].start_date_time: lies after end_date_time"]),
    (Tariff, a_tariff(start_date_time=T2, end_date_time=T1),
     ["end_date_time: lies before start_date_time"]),
    (Tariff, a_tariff(min_price={"excl_vat": 2}, max_price={"excl_vat": 1}),
     ["max_price: is less than min_price"]),
    (TariffRestrictions, {"min_kwh": 2.5, "max_kwh": 2}, ["max_kwh: is less than min_kwh"]),
    (TariffRestrictions, {"start_date": "2026-11-21", "end_date": "2026-11-20"},
     ["end_date: lies before start_date"]),
    (StatusSchedule, {"period_begin": T2, "period_end": T1, "status": "PLANNED"},
     ["period_end: lies before period_begin"]),
    (ExceptionalPeriod, {"period_begin": T2, "period_end": T1},
     ["period_end: lies before period_begin"]),
    (Hours, {"twentyfourseven": False, "regular_hours": [DAY, DAY | {"period_end": "08:00"}]},
     ["regular_hours[1].period_end: is not after period_begin"]),
    (Hours, {"twentyfourseven": True, "regular_hours": [DAY]},
     ["regular_hours: is for where twentyfourseven is false"]),
    (Hours, {"twentyfourseven": False},
     ["regular_hours: is needed where twentyfourseven is false"]),
    (Location, location(publish_allowed_to=[{"uid": "T"}]),
     ["publish_allowed_to: is for where publish is false"]),
    (EVSE, evse(capabilities=["RESERVABLE", "RFID_READER", "RESERVABLE"]),
     ["capabilities[2]: stands more than once in its list"]),
]  # fmt: skip


@pytest.mark.parametrize("model, value, expected", _BROKEN)
def test_what_contradicts_itself_is_reported(
    model: type[OcpiModel], value: dict[str, Any], expected: list[str]
) -> None:
    """By the member that comes too early, or is too much."""
    assert [str(each) for each in validate(model, value)] == expected


@pytest.mark.parametrize(
    "model, value",
    [
        (CDR, a_cdr(start_date_time="1970-1-1T00:00:00Z", charging_periods=[a_charging_period()])),
        (CDR, a_cdr(end_date_time="1970-01-01T00:00:00Z")),
        (CDR, a_cdr(end_date_time="2026-11-21T06:00:00+01:00",
                    charging_periods=[a_charging_period()])),
        (Hours, {"twentyfourseven": False, "regular_hours": [DAY | {"period_end": "00:00"}]}),
        (TariffRestrictions, {"start_time": "21:00", "end_time": "06:00"}),
        (TariffRestrictions, {"min_kwh": 2, "max_kwh": 2}),
        (Session, a_session(start_date_time=T1, end_date_time=T1)),
        (Location, location(publish=False, publish_allowed_to=[{"uid": "T"}])),
    ],
)  # fmt: skip
def test_what_may_look_odd_is_right(model: type[OcpiModel], value: dict[str, Any]) -> None:
    """An unknown moment, another zone, midnight, a night, and what is equal."""
    assert validate(model, value) == ()


@pytest.mark.parametrize(
    "stamp, text",
    [
        ("2029-01-01T00:00:00Z", "lies years ahead"),
        ("2126-01-01T00:00:00Z", "lies years ahead"),
        ("0001-01-01T00:00:00Z", "lies before there was OCPI"),
        ("2027-12-31T00:00:00Z", None),
        ("2026-11-21T05:32:00Z", None),
    ],
)
def test_a_last_updated_is_held_against_the_clock(stamp: str, text: str | None) -> None:
    """One of next year may be a clock that is wrong; one of years ahead hides every change."""
    now = datetime(2026, 12, 1, tzinfo=UTC)

    found = relations.findings(Location, location(last_updated=stamp), now)

    assert [each.text for each in found] == ([text] if text else [])


@pytest.mark.parametrize("nonsense", [None, 7, "soon", [], {}, True])
def test_nonsense_relates_to_nothing(nonsense: object) -> None:
    """Of what has the wrong type only that is said."""
    value = a_cdr(
        start_date_time=nonsense,
        end_date_time=nonsense,
        charging_periods=nonsense,
        tariffs=nonsense,
    )

    assert relations.findings(CDR, value) == ()
    assert relations.findings(CDR, nonsense) == ()


def test_an_older_version_has_the_relations_of_a_later_one() -> None:
    """What a revision does not name stays as it was."""
    (declared,) = (kind for kind in VERSION.modules.values() if kind.identifier == "sessions")
    assert declared.kept is not None
    value = a_session(start_date_time=T2, end_date_time=T1, charging_periods=[])

    found = validate(declared.kept.model, value)

    assert [each.path for each in found] == ["end_date_time"]
