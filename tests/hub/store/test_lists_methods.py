"""Which methods and URLs the interfaces of all modules have, and whose objects these are."""

from itertools import product

import pytest

from tests.cast import CPB, HUB, Cast
from tests.hub.exchange import (
    ALL,
    CDRS,
    LOCATIONS,
    PUT,
    SESSIONS,
    TARIFFS,
    TOKENS,
    Kind,
    Trade,
    each,
)

OWNED = "NL/CPA/X1"
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
ALLOWED = {
    ("tariffs", "RECEIVER", OWNED): "DELETE, GET, PUT",
    ("locations", "RECEIVER", OWNED): "GET, PATCH, PUT",
    ("locations", "RECEIVER", f"{OWNED}/E1"): "GET, PATCH, PUT",
    ("locations", "RECEIVER", f"{OWNED}/E1/1"): "GET, PATCH, PUT",
    ("tokens", "RECEIVER", OWNED): "GET, PATCH, PUT",
    ("sessions", "RECEIVER", OWNED): "GET, PATCH, PUT",
    ("cdrs", "RECEIVER", ""): "POST",
    ("cdrs", "RECEIVER", "some-reference"): "GET",
    ("tariffs", "SENDER", ""): "GET",
    ("locations", "SENDER", ""): "GET",
    ("locations", "SENDER", "X1/E1/1"): "GET",
    ("tokens", "SENDER", ""): "GET",
    ("tokens", "SENDER", "X1/authorize"): "POST",
    ("sessions", "SENDER", ""): "GET",
    ("sessions", "SENDER", "X1/charging_preferences"): "PUT",
    ("cdrs", "SENDER", ""): "GET",
}


@pytest.mark.conformance("TF-14", "TF-52", "TAR-05", "TOK-07", "LOC-11")
def test_each_resource_names_the_methods_it_takes(cast: Cast) -> None:
    """405 with `Allow` and an envelope, whatever the body is."""
    platform = cast["P1"]

    for (module, role, path), allowed in ALLOWED.items():
        for method in METHODS - set(allowed.split(", ")):
            result = platform.hub.send(method, module, role, path, {"id": "X1"}, to=HUB)

            assert (result.http_status, result.status_code) == (405, 2001), (method, module, path)
            assert result.headers["Allow"] == allowed, (method, module, path)
            assert "data" not in result.json


@each(*PUT)
@pytest.mark.conformance("TF-52")
def test_what_is_put_is_not_posted(cast: Cast, kind: Kind) -> None:
    """An object that its URL names cannot be created at the endpoint itself."""
    result = Trade(kind, cast).platform.hub.post(kind.module, "RECEIVER", body=kind.make(1), to=HUB)

    assert result.http_status == 405
    assert "POST" not in result.headers["Allow"]


@each(*PUT)
@pytest.mark.conformance("TF-47", "TF-57", "ST-03")
def test_an_object_is_written_and_read_under_its_owner_and_id(cast: Cast, kind: Kind) -> None:
    """201, then 200; the same to GET, in whatever case the URL is spelled (DT-04)."""
    trade = Trade(kind, cast).agree(0)
    first, second = kind.make(1), kind.make(1, last_updated="2027-01-01T00:00:00Z", x_new=1)

    created, replaced = trade.push(first), trade.push(second)

    for result, http_status in ((created, 201), (replaced, 200)):
        assert (result.http_status, result.status_code) == (http_status, 1000)
        assert "data" not in result.json
    for identifier in ("X1", "x1"):
        assert trade.get(identifier) == second
    assert trade.get("X2") is None


@each(*PUT)
@pytest.mark.conformance("TF-48")
def test_nobody_reads_or_writes_what_another_owns(cast: Cast, kind: Kind) -> None:
    """404 to a reader, and to an owner that speaks for another platform's party; nothing stored."""
    trade = Trade(kind, cast).agree(0, 1)
    trade.push_new(kind.make(1))
    path = f"{trade.party.country_code}/{trade.party.party_id}/X1"

    for number, method in product((0, 1), ("GET", "PUT")):
        other, party = trade.reader(number), kind.readers[number][1]
        result = other.hub.send(
            method, kind.module, "RECEIVER", path, kind.make(1, x_new=1), to=HUB, sender=party
        )
        assert result.http_status == 404, (method, number)
    assert trade.get("X1") == kind.make(1)


@each(*PUT)
@pytest.mark.conformance("TF-49", "TF-50")
def test_body_and_url_name_the_same_object(cast: Cast, kind: Kind) -> None:
    """2001 when they do not, and nothing is stored; case makes no difference."""
    trade = Trade(kind, cast).agree(0)
    wrong = ({kind.id_field: "X2"}, {"country_code": "XX"}, {"party_id": "XXX"})

    for change in wrong:
        result = trade.send("PUT", "X1", kind.make(1) | change)
        assert (result.http_status, result.status_code) == (200, 2001), change
        assert next(iter(change)) in str(result.message)
    assert trade.get("X1") is None
    lower = {"country_code": trade.party.country_code.lower(), kind.id_field: "x1"}
    assert trade.send("PUT", "X1", kind.make(1) | lower).http_status == 201


@pytest.mark.conformance("TF-48")
def test_two_parties_of_one_platform_do_not_write_for_each_other(cast: Cast) -> None:
    """FROM has to be the owner the URL names, and of what is posted the owner in the body."""
    trade = Trade(TARIFFS, cast)
    cdrs = Trade(CDRS, cast).agree(0)

    tariff = trade.send("PUT", "X1", TARIFFS.make(1), sender=CPB)
    posted = cdrs.push(CDRS.make(1), sender=CPB)

    for result in (tariff, posted):
        assert (result.http_status, result.status_code) == (200, 2001)
    assert trade.get("X1") is None
    assert cdrs.listed() == []


@each(*ALL)
@pytest.mark.conformance("TF-35", "TF-101", "ST-06")
def test_an_object_without_what_is_required_is_refused(cast: Cast, kind: Kind) -> None:
    """2001 names each missing field; nothing is stored, and nobody is told."""
    required = {
        TARIFFS: ("currency", "elements", "last_updated"),
        LOCATIONS: ("coordinates", "publish", "last_updated"),
        TOKENS: ("contract_id", "valid", "last_updated"),
        SESSIONS: ("kwh", "status", "last_updated"),
        CDRS: ("total_cost", "charging_periods", "last_updated"),
    }[kind]
    trade = Trade(kind, cast).agree(0)
    value = {name: member for name, member in kind.make(1).items() if name not in required}

    result = trade.push(value)

    assert (result.http_status, result.status_code) == (200, 2001)
    assert all(name in str(result.message) for name in required), str(result.message)
    assert trade.listed() == []
    assert trade.pushes() == []
