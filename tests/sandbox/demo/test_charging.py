"""What happens at the stations: sessions begin, go on, end, and are billed as their tariff says."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from ocpi.types import parse_datetime
from ocpi.validation import validate
from ocpi.versions import VERSIONS
from sandbox.demo.cdr_check import disagreements
from sandbox.demo.pricing import volume
from sandbox.demo.tokens import masked
from tests.sandbox.demo.street import CARDS, Json, Street, known, object_store


@pytest.fixture(scope="module")
def street() -> Street:
    """A street after a busy day."""
    made = Street(*CARDS)
    made.watch(600)
    return made


def test_status_changes_move_time_forwards_only() -> None:
    """Stations are taken, released, broken and repaired; no last_updated comes twice."""
    street = Street()
    street.watch(60)
    changes = street.bodies("locations")

    moments = [each["last_updated"] for each in changes]
    assert moments[1:3] == ["2026-11-21T00:00:00.001Z", "2026-11-21T00:00:00.002Z"]
    assert len(set(moments)) == len(moments) == 60
    assert {each["status"] for each in changes} == {"AVAILABLE", "CHARGING", "OUTOFORDER"}
    located = street.own["locations"].objects().values()
    assert moments[-1] in {each["last_updated"] for each in located}
    assert street.bodies("sessions") == []


def test_a_session_goes_from_pending_to_completed(street: Street) -> None:
    """PUT once, then PATCHes that add periods; kwh never falls, only the last one has an end."""
    first = [each for each in street.messages if each.module == "sessions" and each.ids == ("S1",)]
    bodies: list[Json] = [dict(each.body or {}) for each in first]

    assert [each.method for each in first] == ["PUT"] + ["PATCH"] * (len(first) - 1)
    assert [each["status"] for each in bodies if "status" in each] == [
        "PENDING",
        "ACTIVE",
        "COMPLETED",
    ]
    assert [len(each.get("charging_periods", [])) for each in bodies] == [0, 0] + [1] * (
        len(bodies) - 2
    )
    assert all(earlier["kwh"] <= later["kwh"] for earlier, later in pairwise(bodies))
    assert [each for each in bodies if "end_date_time" in each] == bodies[-1:]


def test_periods_follow_each_other_without_a_gap(street: Street) -> None:
    """A period ends where the next one begins, and at the full hour, when prices may change."""
    for session in street.own["sessions"].objects().values():
        periods: Any = session.get("charging_periods", [])
        for period, following in pairwise(periods):
            start, end = (parse_datetime(each["start_date_time"]) for each in (period, following))
            hours = volume([period], "TIME", "PARKING_TIME")
            assert abs(hours * 3600 - Decimal((end - start).total_seconds())) < 1
            assert hours <= 1


@pytest.mark.parametrize("module", ["tariffs", "sessions", "cdrs"])
def test_what_is_made_is_valid(street: Street, module: str) -> None:
    """Every object passes validation without a finding."""
    kind = street.own[module].kind
    found = street.own[module].objects().values()

    assert found
    assert [finding for each in found for finding in validate(kind.model, each)] == []


def test_every_completed_session_is_billed_once(street: Street) -> None:
    """A CDR belongs to a completed session, and the audit finds nothing wrong with it."""
    sessions = street.own["sessions"].objects().values()
    completed = sorted(str(each["id"]) for each in sessions if each["status"] == "COMPLETED")
    cdrs = street.own["cdrs"].objects().values()

    assert sorted(str(each["session_id"]) for each in cdrs) == completed
    assert len(completed) > 50
    assert [finding for each in cdrs for finding in disagreements(each, known(street, each))] == []


def test_some_pay_for_parking(street: Street) -> None:
    """Everybody pays something; parking costs by day, and when it was long."""
    cdrs = street.bodies("cdrs")

    assert all(each["total_cost"]["excl_vat"] > 0 for each in cdrs)
    assert {each["total_parking_cost"]["excl_vat"] > 0 for each in cdrs} == {True, False}


WRONG: dict[str, tuple[Json, str]] = {
    "kwh": ({"total_energy": 99.9}, "total_energy is 99.9"),
    "cost": ({"total_cost": {"excl_vat": 1.0, "incl_vat": 1.21}}, "total_cost is"),
    "energy": ({"total_energy_cost": {"excl_vat": 0.0}}, "total_energy_cost is"),
    "periods": ({"charging_periods": []}, "charging_periods are not"),
    "end": ({"end_date_time": "2020-01-01T00:00:00Z"}, "end_date_time is not its session's"),
    "currency": ({"currency": "GBP"}, "currency is not its session's"),
    "tariffs": ({"tariffs": []}, "tariffs is not the tariff we received"),
    "token": ({"cdr_token": {**CARDS[0], "contract_id": "X"}}, "cdr_token is none of ours"),
}


@pytest.mark.parametrize("change, finding", WRONG.values(), ids=WRONG)
def test_a_cdr_that_differs_is_found_out(street: Street, change: Json, finding: str) -> None:
    """Ids, token, periods, energy and every cost are compared."""
    right = street.bodies("cdrs")[0]
    everything = known(street, right)

    found = disagreements({**right, **change}, everything)

    assert any(each.startswith(finding) for each in found)


def test_a_cdr_of_another_place_is_found_out(street: Street) -> None:
    """Location, EVSE and connector are those of the session."""
    right = street.bodies("cdrs")[0]
    elsewhere = {**right["cdr_location"], "id": "L9", "evse_uid": "E9", "connector_id": "9"}

    assert disagreements({**right, "cdr_location": elsewhere}, known(street, right)) == [
        "location_id is not its session's",
        "evse_uid is not its session's",
        "connector_id is not its session's",
    ]


def test_a_blocked_or_unknown_token_starts_no_session() -> None:
    """The driver is turned away, by the end of the uid only; the station stays free."""
    card = {**CARDS[0], "valid": False}
    street = Street(card)
    street.watch(300)

    assert street.bodies("sessions") == []
    blocked = f"token {masked(card['uid'])} is blocked, no session"
    unknown = "nobody knows the token, no session"
    assert {each.partition(": ")[2] for each in street.turned_away} == {blocked, unknown}
    assert card["uid"] not in "".join(street.turned_away)


@pytest.mark.parametrize("number", sorted(VERSIONS))
def test_tokens_are_valid_and_come_in_twins(number: str) -> None:
    """A driver's card and app share a uid; they differ by their types."""
    model = object_store("tokens", number).kind.model

    assert [validate(model, each) for each in CARDS] == [()] * len(CARDS)
    assert [each["type"] for each in CARDS] == ["RFID", "APP_USER"] * 2
    assert len({each["uid"] for each in CARDS}) == 2
    assert masked("04A1B2C3D4E5F6") == "****E5F6"
