"""Formats and ranges: what breaks one is reported by its path, and never refused."""

from pathlib import Path
from typing import Any

import pytest

from ocpi import formats, shape
from ocpi.errors import Fault, Severity
from ocpi.formats import Format, OneOf, Range
from ocpi.types import OcpiModel
from ocpi.v2_2 import locations as locations_of_2_2
from ocpi.v2_2_1.cdrs import CDR
from ocpi.v2_2_1.location_types import GeoLocation, RegularHours
from ocpi.v2_2_1.locations import EVSE, Connector, Location
from ocpi.v2_2_1.tariffs import PriceComponent, Tariff, TariffRestrictions
from ocpi.validation import findings, validate
from tests.ocpi.objects import a_cdr, a_cdr_location, a_tariff, connector, evse, location

DOCUMENT = Path(__file__).parents[2] / "docs" / "deviations.md"
HOURS = {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}
PLACE = {"latitude": "52.339000", "longitude": "4.873000"}
COMPONENT = {"type": "ENERGY", "price": 0.25, "step_size": 1}

_WRONG: list[tuple[type[OcpiModel], dict[str, Any], str, object]] = [
    *((RegularHours, HOURS, "period_begin", each) for each in ("24:00", "8:00", "25:99", "8", "")),
    *((RegularHours, HOURS, "weekday", each) for each in (0, 8, -1)),
    *((GeoLocation, PLACE, "latitude", each) for each in ("52.33", "90.00001", "52,339000", "N52")),
    *((GeoLocation, PLACE, "longitude", each) for each in ("180.00001", "4", "+4.873000", "")),
    *((Connector, connector(), "max_voltage", each) for each in (0, -230)),
    (Connector, connector(), "max_amperage", 0),
    (Connector, connector(), "max_electric_power", 22),
    *((EVSE, evse(), "evse_id", each) for each in ("", "SN-1", "+49*823*1", "NL*CPA*041")),
    *((Location, location(), "country", each) for each in ("NL", "nld", "XYZ", "")),
    *((Location, location(), "time_zone", each) for each in ("CET+1", "", "Europe/Utrecht")),
    *((CDR, a_cdr(), "currency", each) for each in ("eur", "EU", "€")),
    (CDR, a_cdr(), "total_time", -1),
    (Tariff, a_tariff(), "tariff_alt_url", "www.example.com"),
    (PriceComponent, COMPONENT, "step_size", 0),
    (PriceComponent, COMPONENT, "vat", 121),
    *((TariffRestrictions, {}, "start_date", each) for each in ("12-24", "2026-13-01")),
    (TariffRestrictions, {}, "end_time", "24:00"),
    (TariffRestrictions, {}, "min_kwh", -1),
]


@pytest.mark.parametrize("model, value, member, wrong", _WRONG)
def test_what_breaks_a_format_is_reported_by_its_path(
    model: type[OcpiModel], value: dict[str, Any], member: str, wrong: object
) -> None:
    """It is kept: nobody is served better by nothing."""
    found = validate(model, value | {member: wrong})

    assert [(each.path, each.fault, each.severity) for each in found] == [
        (member, Fault.FORMAT, Severity.REPORT)
    ]
    assert str(found[0]).startswith(f"{member}: must be ")


@pytest.mark.parametrize(
    "model, value",
    [
        (RegularHours, HOURS | {"weekday": 7, "period_begin": "00:00", "period_end": "23:59"}),
        (GeoLocation, {"latitude": "-90.00000", "longitude": "180.0000000"}),
        (GeoLocation, {"latitude": "5.04760", "longitude": "-126.104965"}),
        (Connector, connector(max_voltage=1, max_amperage=3000, max_electric_power=3_750_000)),
        (EVSE, evse(evse_id="DEABCE1234*5")),
        (EVSE, evse(evse_id=None)),
        (CDR, a_cdr(cdr_location=a_cdr_location(evse_uid="#NA", evse_id="#NA"))),
        (PriceComponent, COMPONENT | {"vat": 0}),
    ],
)
def test_what_is_at_the_edge_of_a_format_is_right(
    model: type[OcpiModel], value: dict[str, Any]
) -> None:
    """The first and the last that may be."""
    assert validate(model, value) == ()


def test_all_findings_come_at_once() -> None:
    """Of types, of formats and of relations, each by its own path."""
    value = location(
        country="NL",
        facilities=["ZOO"],
        evses=[evse(connectors=[connector(max_voltage=0), connector(id=None)])],
        last_updated="0001-01-01T00:00:00Z",
    )

    assert [each.path for each in findings(Location, value)] == [
        "evses[0].connectors[1].id",
        "facilities[0]",
        "country",
        "evses[0].connectors[0].max_voltage",
        "last_updated",
    ]


def test_formats_refuse_nothing_however_many_they_are() -> None:
    """More of them than are told; what is refused is found behind all of them."""
    odd = [connector(id=str(n), max_voltage=0) for n in range(shape.MOST_FINDINGS + 200)]

    found = validate(EVSE, evse(connectors=odd))
    behind = findings(EVSE, evse(connectors=[*odd, connector(id=None)]))

    assert len(found) == shape.MOST_FINDINGS
    assert [each.path for each in behind if each.severity is not Severity.REPORT] == [
        f"connectors[{len(odd)}].id"
    ]


def test_an_older_version_has_the_formats_of_a_later_one() -> None:
    """What a revision does not name stays as it was."""
    value = location(country="NL", evses=[evse(connectors=[connector(max_voltage=0)])])

    found = validate(locations_of_2_2.Location, value)

    assert [each.path for each in found] == ["country", "evses[0].connectors[0].max_voltage"]


@pytest.mark.parametrize("member", ["postal_code", "floor_level", "physical_reference"])
def test_a_number_stands_for_the_text_it_says(member: str) -> None:
    """Where it says the same; what is sent is passed on, a number."""
    value = evse(**{member: 7}) if member != "postal_code" else location(postal_code=7)
    model = EVSE if member != "postal_code" else Location

    (found,) = validate(model, value)

    assert str(found) == f"{member}: must be a string, not a number like 7"


def test_the_document_names_every_format() -> None:
    """Each in its words."""
    text = DOCUMENT.read_text(encoding="utf-8")
    declared = [each for each in vars(formats).values() if isinstance(each, Format | OneOf | Range)]

    assert declared
    assert [each.text for each in declared if f"{each.text} |" not in text] == []
