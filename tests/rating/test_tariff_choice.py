"""Which tariff prices a period: the CDR's own, else the stored one that was in force."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rating import Place, StoredTariff
from tests.rating.sessions import cdr, code, component, element, notes, period, rated, tariff, total


def _energy(price: float, **members: Any) -> dict[str, Any]:
    return tariff(element(component("ENERGY", price)), **members)


def _stored(price: float, since: int, until: int | None = None, **members: Any) -> StoredTariff:
    """Return a text that was known from one day of March 2026 to another."""
    text = json.dumps(_energy(price, **members))
    ends = None if until is None else datetime(2026, 3, until, tzinfo=UTC)
    return StoredTariff(
        "t1", "nl-cpa", text, since=datetime(2026, 3, since, tzinfo=UTC), until=ends
    )


def _session(*tariffs: dict[str, Any], name: str | None = "T1", **members: Any) -> dict[str, Any]:
    return cdr(list(tariffs), period("08:00", name, ENERGY=1), end="09:00", **members)


@pytest.mark.conformance("RT-07")
def test_the_tariff_inside_the_cdr_wins_over_the_stored_one() -> None:
    """The CPO prices by the CDR's own list."""
    assert total(_session(_energy(0.5)), stored=(_stored(0.9, 1),)) == "0.5000"


@pytest.mark.conformance("RT-08")
def test_the_stored_text_is_that_of_the_start() -> None:
    """Not the one that is stored today."""
    stored = (_stored(0.9, 3), _stored(0.5, 1, 3))
    assert total(_session(), stored=stored) == "0.5000"
    assert notes(_session(), stored=stored) == set()


@pytest.mark.conformance("RT-08")
def test_a_later_text_is_better_than_none() -> None:
    """Where only a later one is known it is used, and noted as unsure."""
    assert total(_session(), stored=(_stored(0.9, 4), _stored(0.7, 3))) == "0.7000"
    assert total(_session(), stored=(_stored(0.7, 4), _stored(0.9, 3))) == "0.9000"
    assert "RN-01" in notes(_session(), stored=(_stored(0.7, 3),))


@pytest.mark.conformance("RT-08")
def test_a_text_is_in_force_from_its_first_instant_and_not_at_its_last() -> None:
    """Of two that overlap the newer one is; the order they are given in does not matter."""
    midnight = cdr([], period("2026-03-02 00:00", "T1", ENERGY=1), end="2026-03-02 01:00")
    old, new = _stored(0.5, 1, 2), _stored(0.9, 2)
    assert total(midnight, stored=(old, new)) == total(midnight, stored=(new, old)) == "0.9000"
    assert "RN-01" in notes(midnight, stored=(old,))
    assert total(midnight, stored=(_stored(0.5, 1), new)) == "0.9000"
    assert total(midnight, stored=(new, _stored(0.5, 1))) == "0.9000"


@pytest.mark.conformance("RT-08")
def test_a_text_that_was_gone_is_better_than_none_for_who_names_it() -> None:
    """It is known, and noted as unsure; the newest of them is taken."""
    gone = _stored(0.9, 1, 2)._replace(since=datetime(2026, 2, 1, tzinfo=UTC)), _stored(0.7, 1, 2)
    assert total(_session(), stored=gone) == "0.7000"
    assert "RN-01" in notes(_session(), stored=gone)


@pytest.mark.conformance("RT-09")
def test_the_tariff_of_the_start_stays_to_the_end() -> None:
    """Whether it ends or is deleted meanwhile."""
    ending = _energy(0.5, end_date_time="2026-03-02T08:30:00Z")
    night = cdr([], period("2026-03-02 22:00", "T1", ENERGY=2), end="2026-03-03 02:00")
    assert total(_session(ending, name=None)) == "0.5000"
    assert total(night, stored=(_stored(0.5, 1, 3), _stored(0.9, 3))) == "1.0000"


@pytest.mark.conformance("RT-10")
def test_at_the_same_instant_the_new_tariff_prices() -> None:
    """Both are valid then; the one that began last is taken."""
    old = _energy(0.3, id="OLD", end_date_time="2026-03-02T08:00:00Z")
    new = _energy(0.5, id="NEW", start_date_time="2026-03-02T08:00:00Z")
    assert total(_session(old, new, name=None)) == "0.5000"
    assert total(_session(new, old, name=None)) == "0.5000"


@pytest.mark.conformance("RT-11")
def test_ids_and_owners_are_compared_without_case() -> None:
    """A tariff t1 of nl-cpa is T1 of NL-CPA; that of another owner is another."""
    assert total(_session(_energy(0.5, id="t1"))) == "0.5000"
    assert total(_session(), stored=(_stored(0.7, 1),)) == "0.7000"
    foreign = _stored(0.7, 1)._replace(owner="NL-CPB")
    assert code(_session(), stored=(foreign,)) == "RU-02"


@pytest.mark.conformance("RT-12")
def test_every_tariff_that_fits_has_its_total_shown() -> None:
    """Of several the first is taken, and the others are alternatives."""
    found = rated(
        _session(_energy(0.3, id="A"), _energy(0.4, id="B"), _energy(0.5, id="C"), name=None)
    )
    assert found["total"]["excl"] == "0.3000"
    assert "RN-03" in {note["code"] for note in found["notes"]}
    assert [(each["readings"], each["total"]["excl"]) for each in found["alternatives"]] == [
        ({"tariff": "B"}, "0.4000"),
        ({"tariff": "C"}, "0.5000"),
    ]


@pytest.mark.conformance("RT-13")
def test_a_period_without_a_tariff_beside_some_with_costs_nothing() -> None:
    """No tariff is relevant for it; its volumes are shown without a price."""
    periods = period("08:00", "T1", ENERGY=6), period("08:30", ENERGY=2)
    found = rated(cdr([_energy(0.4)], *periods, end="09:00"))
    assert found["total"]["excl"] == "2.4000"
    assert [(each["period"], each["used"], each["why"]) for each in found["unpriced"]] == [
        (1, "2", "the period names no tariff")
    ]


@pytest.mark.conformance("RT-14")
def test_currencies_are_not_mixed() -> None:
    """One tariff of another currency is one too many."""
    mixed = [_energy(0.4, id="A"), _energy(0.4, id="B", currency="CHF")]
    periods = period("08:00", "A", ENERGY=1), period("08:30", "B", ENERGY=1)
    assert code(cdr(mixed, *periods, end="09:00")) == "RU-03"
    assert total(cdr(mixed, period("08:00", "A", ENERGY=1), end="09:00")) == "0.4000"


def test_of_two_texts_in_a_cdr_the_valid_one_is_meant() -> None:
    """Where both have the id that a period names."""
    old = _energy(0.3, end_date_time="2026-03-01T00:00:00Z")
    assert total(_session(old, _energy(0.5))) == "0.5000"


def test_of_stored_tariffs_the_connectors_are_asked() -> None:
    """A CDR without tariffs is priced by those of its connector, in force and meant for it."""
    place = Place(tariff_ids=("T1",))
    assert total(_session(name=None), stored=(_stored(0.5, 1),), place=place) == "0.5000"
    assert code(_session(name=None), stored=(_stored(0.5, 1),)) == "RU-01"
    assert code(_session(name=None), stored=(_stored(0.5, 1, 2),), place=place) == "RU-01"
    ended = _stored(0.5, 1, end_date_time="2026-03-01T00:00:00Z")
    assert code(_session(name=None), stored=(ended,), place=place) == "RU-01"


@pytest.mark.parametrize(
    "kind, token, preference, price",
    [
        ("AD_HOC_PAYMENT", "RFID", None, "0.5000"),
        ("AD_HOC_PAYMENT", "AD_HOC_USER", None, "0.9000"),
        ("PROFILE_GREEN", "RFID", None, "0.5000"),
        ("PROFILE_GREEN", "RFID", "PROFILE_GREEN", "0.9000"),
        ("REGULAR", "RFID", None, "0.9000"),
    ],
)
def test_the_type_of_a_tariff_is_that_of_the_session(
    kind: str, token: str, preference: str | None, price: str
) -> None:
    """Ad hoc prices are for ad hoc users, those of a profile for who asked for it."""
    other = _energy(0.9, id="T2", type=kind, start_date_time="2026-01-01T00:00:00Z")
    session = _session(_energy(0.5), other, name=None, cdr_token={"type": token})
    assert total(session, place=Place(preference=preference)) == price


def test_a_type_that_does_not_fit_is_better_than_no_price() -> None:
    """Of the CDR's own list: its CPO has priced by it."""
    assert total(_session(_energy(0.5, type="AD_HOC_PAYMENT"), name=None)) == "0.5000"


def test_without_a_connector_the_cdr_has_its_tariffs() -> None:
    """After a mere reservation it names none, and stored tariffs are not asked."""
    nowhere: dict[str, Any] = {"cdr_location": {"connector_id": "#NA"}}
    assert code(_session(**nowhere), stored=(_stored(0.5, 1),)) == "RU-02"
    assert total(_session(_energy(0.5), **nowhere)) == "0.5000"


def test_a_tariff_of_another_time_is_none() -> None:
    """Unless a period names it."""
    later = _energy(0.5, start_date_time="2026-03-02T08:00:01Z")
    assert code(_session(later, name=None)) == "RU-01"
    assert total(_session(later)) == "0.5000"
