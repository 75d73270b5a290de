"""OCPI's data types on their way in, in the store, and out again: spelled as they came."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import CPA, HUB, MSA, Cast, a_location
from tests.hub.location_owner import Owner, lexemes, listed, pushes, raw_list, received

TEN = "2027-05-01T10:00:00"
SHAPES = ("", "Z", ".2", ".2Z", ".123", ".123Z")
"""What follows the seconds in the six shapes of the types chapter."""

ORIGINATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


@pytest.fixture
def owner(cast: Cast, deliver_all: Callable[[], int]) -> Owner:
    """NL-CPA, whose Locations DE-MSA may have."""
    owner = Owner(cast["P1"])
    cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    return owner


def text_of(**changes: Any) -> str:
    """Render a Location with spaces, as somebody's JSON library does."""
    return json.dumps({**a_location(CPA, 1), **changes}, indent=1)


@pytest.mark.conformance("TF-93", "TF-94", "TF-95")
def test_an_object_comes_out_as_it_went_in(
    cast: Cast, owner: Owner, deliver_all: Callable[[], int]
) -> None:
    """Unknown members and values, number lexemes and timestamps are the owner's, byte for byte."""
    emsp = cast["P2"]
    text = text_of(facilities=["ZOO", "HOTEL"], last_updated="2020-01-01T10:00:00")
    text = text.replace('"publish": true', '"foo": {"bar": [8.10, 1e2, -0.0]},\n "publish": true')
    text = text.replace('"max_voltage": 920', '"max_voltage": 920.0')

    accepted = owner.put("L1", body=text)
    deliver_all()

    assert accepted.http_status == 201
    [seen] = pushes(emsp)
    assert seen.body == text.encode()
    assert '"last_updated":"2020-01-01T10:00:00"' in raw_list(emsp, MSA).decode()
    assert b"[8.10, 1e2, -0.0]" in raw_list(emsp, MSA)
    served = lexemes(raw_list(emsp, MSA))["data"]
    assert served == [lexemes(text)]
    assert list(served[0]) == list(lexemes(text))


@pytest.mark.conformance("TF-94", "TF-95")
def test_a_change_beside_leaves_the_spelling_alone(
    cast: Cast, owner: Owner, deliver_all: Callable[[], int]
) -> None:
    """After PATCHes the receiver that gets the whole object still gets the owner's lexemes."""
    emsp = cast["P2"]
    text = text_of(foo={"limit": 7}, last_updated="2026-01-01T10:00:00")
    owner.put("L1", body=text.replace('"limit": 7', '"limit": 8.10'))
    owner.patch("L1", "E1", body='{"bar": 1.50, "last_updated": "2026-01-01T10:00:00.5"}')
    owner.patch("L1", body='{"foo": {"x": 2.0}, "last_updated": "2026-01-01T11:00:00"}')
    deliver_all()

    [seen] = pushes(emsp)
    assert seen.method == "PUT"
    whole = lexemes(seen.body)
    assert whole["foo"] == {"limit": "8.10", "x": "2.0"}
    assert whole["evses"][0]["bar"] == "1.50"
    assert whole["evses"][0]["last_updated"] == "2026-01-01T10:00:00.5"
    assert whole["last_updated"] == "2026-01-01T11:00:00"
    assert lexemes(raw_list(emsp, MSA))["data"] == [whole]


@pytest.mark.conformance("DT-01")
def test_the_six_shapes_of_a_timestamp_are_one_instant_apart_from_fractions(
    cast: Cast, owner: Owner
) -> None:
    """With and without Z, with and without fractions; date filters treat them alike (A-73)."""
    emsp = cast["P2"]
    for number, shape in enumerate(SHAPES, start=1):
        body = {**a_location(CPA, number), "last_updated": f"{TEN}{shape}"}
        assert owner.put(f"L{number}", body=body).http_status == 201

    every = [f"L{number}" for number in range(1, 7)]
    assert list(listed(emsp, MSA, date_from=f"{TEN}Z")) == every
    assert list(listed(emsp, MSA, date_from=TEN)) == every
    assert list(listed(emsp, MSA, date_from=f"{TEN}.1")) == every[2:]
    assert list(listed(emsp, MSA, date_from=f"{TEN}.2Z")) == ["L3", "L4"]
    assert list(listed(emsp, MSA, date_to=f"{TEN}.123Z")) == ["L1", "L2"]
    stamps = [each["last_updated"] for each in listed(emsp, MSA).values()]
    assert stamps == [f"{TEN}{shape}" for shape in SHAPES]


@pytest.mark.conformance("DT-02")
def test_offsets_and_lower_case_are_instants_too(cast: Cast, owner: Owner) -> None:
    """12:00+02:00 is 10:00Z, for filters and for a parent's last_updated (A-73)."""
    emsp = cast["P2"]
    spelled = ["2027-05-01T12:00:00+02:00", "2027-05-01T10:00:00z", "2027-05-01T05:00:00-05:00"]
    for number, stamp in enumerate(spelled, start=1):
        body = {**a_location(CPA, number), "last_updated": stamp}
        assert owner.put(f"L{number}", body=body).http_status == 201

    assert list(listed(emsp, MSA, date_from=f"{TEN}Z")) == ["L1", "L2", "L3"]
    assert listed(emsp, MSA, date_from="2027-05-01T10:00:00.001Z") == {}
    assert listed(emsp, MSA, date_to=f"{TEN}Z") == {}
    owner.patch("L1", "E1", body={"status": "BLOCKED", "last_updated": "2027-05-01T11:00:00Z"})
    assert owner.get("L1")["last_updated"] == "2027-05-01T11:00:00Z"
    owner.patch("L2", "E1", body={"status": "BLOCKED", "last_updated": "2027-05-01T11:00:00+02:00"})
    assert owner.get("L2")["last_updated"] == "2027-05-01T10:00:00z"


@pytest.mark.conformance("DT-03", "DT-07", "DT-10")
def test_what_the_hub_says_itself_is_in_the_permitted_shapes(cast: Cast, owner: Owner) -> None:
    """Timestamps with Z and at most three decimals, numbers as numbers, countries as alpha-2."""
    emsp = cast["P2"]
    answers = [
        owner.put("L1", body=a_location(CPA, 1)),
        owner.put("L1", body=b"{}"),
        owner.send("GET", "L1"),
        emsp.hub.get("locations", "SENDER", to=HUB, sender=MSA),
        emsp.hub.get("locations", "SENDER", "NOPE", to=HUB, sender=MSA),
        emsp.hub.call("GET", emsp.hub.endpoint("credentials", "SENDER")),
    ]

    for answer in answers:
        assert ORIGINATED.fullmatch(answer.json["timestamp"])
        assert type(answer.json["status_code"]) is int
    [role] = answers[-1].data["roles"]
    assert (role["role"], role["country_code"], role["party_id"]) == ("HUB", "NL", "HUB")


@pytest.mark.conformance("DT-04")
def test_ids_are_compared_without_case_and_kept_with_it(
    cast: Cast, owner: Owner, deliver_all: Callable[[], int]
) -> None:
    """One object, whatever the spelling; the owner's own is what everybody gets (A-63)."""
    emsp = cast["P2"]
    body = {**a_location(CPA, 1), "id": "loc1"}
    assert owner.put("loc1", body=body).http_status == 201

    for path in ("nl/cpa/LOC1", "NL/CPA/Loc1"):
        result = owner.platform.hub.get("locations", "RECEIVER", path, to=HUB, sender=CPA)
        assert (result.http_status, result.data) == (200, body)
    deliver_all()
    assert owner.put("LOC1", body={**body, "id": "LOC1"}).http_status == 200
    evse = body["evses"][0]
    assert owner.put("LOC1", "e1", body={**evse, "uid": "e1"}).http_status == 200
    assert owner.get("loc1")["id"] == "LOC1"
    assert [each["uid"] for each in owner.get("loc1")["evses"]] == ["e1", "E2"]
    deliver_all()
    assert list(listed(emsp, MSA)) == ["LOC1"]
    assert list(received(emsp)) == ["NL-CPA/LOC1"]
    assert pushes(emsp)[0].json == body


@pytest.mark.conformance("DT-05")
def test_enum_values_are_compared_with_case(cast: Cast, owner: Owner) -> None:
    """`reservable` is a value the hub does not know, not RESERVABLE; it is kept as it is."""
    body = a_location(CPA, 1)
    body["evses"][0]["capabilities"] = ["reservable", "RESERVABLE"]

    result = owner.put("L1", body=body)

    assert result.http_status == 201
    assert "evses[0].capabilities[0]" in str(result.message)
    assert "capabilities[1]" not in str(result.message)
    assert owner.get("L1", "E1")["capabilities"] == ["reservable", "RESERVABLE"]


@pytest.mark.conformance("DT-06")
def test_null_missing_and_empty_are_the_same(owner: Owner) -> None:
    """Three ways to say nothing give one Location, but for what is left out."""
    optional = ("images", "directions", "facilities", "related_locations", "evses")
    base = {name: value for name, value in a_location(CPA, 1).items() if name not in optional}
    variants = [base, base | dict.fromkeys(optional), base | {name: [] for name in optional}]

    found = []
    for variant in variants:
        result = owner.put("L1", body=variant)
        assert (result.status_code, result.message) == (1000, None)
        found.append({name: value for name, value in owner.get("L1").items() if value})

    assert found[0] == found[1] == found[2]


@pytest.mark.conformance("DT-08")
def test_a_number_in_a_string_is_kept_and_told(owner: Owner) -> None:
    """Accepted as it came, with a word about it to its sender (A-71)."""
    body = a_location(CPA, 1)
    body["evses"][0]["connectors"][0]["max_amperage"] = "32"

    result = owner.put("L1", body=body)

    assert (result.http_status, result.status_code) == (201, 1000)
    assert "evses[0].connectors[0].max_amperage" in str(result.message)
    assert owner.get("L1") == body
    connector = {**body["evses"][0]["connectors"][0], "max_amperage": "16"}
    again = owner.put("L1", "E1", "1", body=connector)
    assert "connectors[0].max_amperage" in str(again.message)
    assert owner.get("L1", "E1", "1") == connector


def test_a_string_beyond_its_limit_is_delivered_whole(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """An address of 180 characters from a 2.2 platform, where 45 are allowed (A-64)."""
    cpo = cast.join("P1", versions=["2.2"])
    emsp = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    body = a_location(CPA, 1, address="Lange Laan 1" * 15)
    assert len(body["address"]) == 180

    result = Owner(cpo).put("L1", body=body)
    deliver_all()

    assert (result.http_status, result.status_code) == (201, 1000)
    assert received(emsp) == {"NL-CPA/L1": body}
    assert listed(emsp, MSA) == {"L1": body}


@pytest.mark.conformance("DT-11")
def test_coordinates_have_five_to_seven_decimals(owner: Owner) -> None:
    """As strings, kept with every digit."""
    for latitude in ("51.04760", "51.047599", "51.0475990"):
        coordinates = {"latitude": latitude, "longitude": "3.72994"}

        result = owner.put("L1", body=a_location(CPA, 1, coordinates=coordinates))

        assert (result.status_code, result.message) == (1000, None)
        assert owner.get("L1")["coordinates"] == coordinates
