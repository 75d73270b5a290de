"""Where the wall clock hangs: the zone of a session, and from whom it is known."""

from typing import Any

import pytest

from rating import Place
from rating.zones import ONLY_ZONE
from tests.rating.sessions import cdr, code, component, element, notes, period, rated, tariff

_EVENING = tariff(
    element(component("ENERGY", 2), start_time="17:00"), element(component("ENERGY", 1))
)


def _session(**location: Any) -> dict[str, Any]:
    """Charge at 16:30 UTC, which is evening in Berlin and afternoon in London."""
    return cdr([_EVENING], period("16:30", ENERGY=1), end="16:59", cdr_location=location)


def _found(members: dict[str, Any], zone: str | None, evse: str | None) -> tuple[str, str, str]:
    found = rated(members, zone=zone, place=Place(evse_time_zone=evse))
    return found["time_zone"], found["zone_from"], found["total"]["excl"]


@pytest.mark.conformance("RT-15")
@pytest.mark.parametrize(
    "inside, stored, evse, country, expected",
    [
        (
            "Europe/Berlin",
            "Europe/London",
            "Europe/London",
            "GBR",
            ("Europe/Berlin", "cdr", "2.0000"),
        ),
        (None, "Europe/Berlin", "Europe/London", "GBR", ("Europe/Berlin", "location", "2.0000")),
        (None, None, "Europe/Berlin", "GBR", ("Europe/Berlin", "evse", "2.0000")),
        (None, None, None, "NLD", ("Europe/Amsterdam", "country", "2.0000")),
        ("Mars/Olympus", None, "Europe/Berlin", "GBR", ("Europe/Berlin", "evse", "2.0000")),
    ],
)
def test_the_zone_is_asked_of_who_knows_best(
    inside: str | None,
    stored: str | None,
    evse: str | None,
    country: str,
    expected: tuple[str, str, str],
) -> None:
    """The CDR's own Location, the stored one, that of the EVSE, the country if it has one zone."""
    assert _found(_session(time_zone=inside, country=country), stored, evse) == expected


@pytest.mark.conformance("RT-15")
def test_a_zone_that_is_guessed_is_noted() -> None:
    """Only where it mattered."""
    assert "RN-02" in notes(_session(country="NLD"), zone=None)
    assert "RN-02" not in notes(_session(country="NLD"), zone="Europe/Amsterdam")
    plain = cdr(
        [tariff(element(component("ENERGY", 1)))],
        period("08:00", ENERGY=1),
        end="09:00",
        cdr_location={"country": "NLD"},
    )
    assert notes(plain, zone=None) == set()


@pytest.mark.conformance("RT-15")
@pytest.mark.parametrize("country", ["ESP", "USA", None])
def test_without_a_zone_there_is_no_price_that_depends_on_one(country: str | None) -> None:
    """Spain has two; a tariff without local times needs none, nor do elements of another phase."""
    assert code(_session(country=country), zone=None) == "RU-05"
    reserving = element(component("TIME", 1), start_time="17:00", reservation="RESERVATION")
    session = cdr(
        [tariff(reserving, element(component("ENERGY", 1), max_duration=60))],
        period("08:00", ENERGY=1),
        end="08:01",
    )
    assert rated(session, zone=None)["total"]["excl"] == "1.0000"


def test_every_only_zone_is_one() -> None:
    """The table names no zone that is none."""
    assert len(ONLY_ZONE) > 50
    for country in ONLY_ZONE:
        assert rated(_session(country=country), zone=None)["zone_from"] == "country", country
