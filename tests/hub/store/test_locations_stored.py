"""Locations, EVSEs and Connectors as the hub keeps them: what a PUT or PATCH makes of them."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from hub.models import Change
from tests.cast import CPA, CPB, HUB, MIX, MSA, Cast, a_location, push
from tests.hub.location_owner import T1, T2, T3, T4, Owner, listed, pushes, received

LEVELS = (("L1",), ("L1", "E1"), ("L1", "E1", "1"))


@pytest.fixture
def owner(cast: Cast) -> Owner:
    """NL-CPA at its platform."""
    return Owner(cast["P1"])


def located(**changes: Any) -> dict[str, Any]:
    """Make a Location whose every part was last updated at T1."""
    value = a_location(CPA, 1, **changes)
    for evse in value["evses"]:
        evse["last_updated"] = T1
        for connector in evse["connectors"]:
            connector["last_updated"] = T1
    return {**value, "last_updated": T1}


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an object without some members."""
    return {name: member for name, member in value.items() if name not in names}


@pytest.mark.conformance("LOC-01", "ST-03", "TF-34")
def test_put_creates_and_replaces_a_location(owner: Owner) -> None:
    """201, then 200; the second body is all there is (A-55)."""
    first = located(name="first", parking_type="ON_STREET")

    created = owner.put("L1", body=first)

    assert (created.http_status, created.status_code) == (201, 1000)
    assert owner.get("L1") == first
    second = without({**first, "address": "elsewhere"}, "name", "parking_type", "operator")
    replaced = owner.put("L1", body=second)
    assert (replaced.http_status, replaced.status_code) == (200, 1000)
    assert owner.get("L1") == second


@pytest.mark.conformance("LOC-02")
def test_put_creates_and_replaces_an_evse(owner: Owner) -> None:
    """The entire EVSE: Connectors that are not in the body are gone."""
    value = located()
    owner.put("L1", body=value)
    evse = value["evses"][0]
    plugs = [{**evse["connectors"][0], "id": number} for number in ("1", "2")]

    created = owner.put("L1", "N1", body={**evse, "uid": "N1", "connectors": plugs})
    replaced = owner.put("L1", "N1", body={**evse, "uid": "N1", "connectors": plugs[1:]})

    assert (created.http_status, replaced.http_status) == (201, 200)
    assert owner.get("L1", "N1")["connectors"] == plugs[1:]
    assert [each["uid"] for each in owner.get("L1")["evses"]] == ["E1", "E2", "N1"]
    assert not owner.has("L1", "N1", "1")


@pytest.mark.conformance("LOC-03")
def test_put_creates_and_replaces_a_connector(owner: Owner) -> None:
    """Its siblings stay as they are."""
    value = located()
    owner.put("L1", body=value)
    sibling = value["evses"][0]["connectors"][0]
    new = {**sibling, "id": "X", "last_updated": T2}

    created = owner.put("L1", "E1", "X", body=new)
    replaced = owner.put("L1", "E1", "X", body={**new, "max_voltage": 400})

    assert (created.http_status, created.status_code) == (201, 1000)
    assert (replaced.http_status, replaced.status_code) == (200, 1000)
    connectors = owner.get("L1", "E1")["connectors"]
    assert connectors == [*value["evses"][0]["connectors"], {**new, "max_voltage": 400}]
    assert owner.get("L1", "E1", sibling["id"]) == sibling


@pytest.mark.conformance("LOC-04", "LOC-05", "LOC-06")
def test_a_child_moves_its_parents_last_updated_forward_never_back(owner: Owner) -> None:
    """The value the CPO sent, or what was there if that is newer (A-60)."""
    owner.put("L1", body=located())

    owner.patch("L1", "E1", "1", body={"max_voltage": 400, "last_updated": T2})
    assert _stamps(owner) == (T2, T2, T2)
    owner.patch("L1", "E1", body={"status": "CHARGING", "last_updated": T3})
    assert _stamps(owner) == (T3, T3, T2)
    owner.patch("L1", "E2", body={"status": "BLOCKED", "last_updated": T2})
    assert owner.get("L1")["last_updated"] == T3
    assert owner.get("L1", "E2")["last_updated"] == T2
    owner.patch("L1", "E1", "1", body={"max_voltage": 230, "last_updated": T1})
    assert _stamps(owner) == (T3, T3, T1)


def _stamps(owner: Owner) -> tuple[str, str, str]:
    parts = (owner.get("L1"), owner.get("L1", "E1"), owner.get("L1", "E1", "1"))
    assert parts[0]["evses"][0] == parts[1]
    assert parts[1]["connectors"][0] == parts[2]
    location, evse, connector = (part["last_updated"] for part in parts)
    return location, evse, connector


@pytest.mark.conformance("LOC-07", "TF-36")
def test_patch_changes_what_it_names_at_every_level(owner: Owner) -> None:
    """Everything else stays."""
    owner.put("L1", body=located())
    for ids in LEVELS:
        before = owner.get(*ids)

        result = owner.patch(*ids, body={"x_new": [1, 2], "last_updated": T4})

        assert (result.http_status, result.status_code) == (200, 1000)
        assert owner.get(*ids) == {**before, "x_new": [1, 2], "last_updated": T4}


@pytest.mark.conformance("LOC-07", "TF-37")
def test_patch_without_last_updated_is_refused(
    cast: Cast, owner: Owner, deliver_all: Callable[[], int]
) -> None:
    """2001, the store unchanged, nothing passed on (A-52)."""
    emsp, value = cast["P2"], located()
    cast.agree(("NL-CPA", "DE-MSA"))
    owner.put("L1", body=value)
    deliver_all()
    emsp.forget()

    stamps: list[dict[str, Any]] = [{}, {"last_updated": None}, {"last_updated": "today"}]
    for ids, stamp in product(LEVELS, stamps):
        result = owner.patch(*ids, body={"x_new": 1, **stamp})

        assert (result.http_status, result.status_code) == (200, 2001)
        assert "last_updated" in str(result.message)
    deliver_all()
    assert owner.get("L1") == value
    assert Change.objects.count() == 1
    assert emsp.seen == []


@pytest.mark.conformance("LOC-08")
def test_a_patch_of_the_location_merges_evses_by_uid(owner: Owner) -> None:
    """Other EVSEs and other members stay; arrays that are no parts are replaced (A-53)."""
    value = located()
    owner.put("L1", body=value)
    new = {**value["evses"][0], "uid": "N1"}
    patch = {
        "evses": [{"uid": "E1", "status": "CHARGING"}, new],
        "facilities": ["CAFE"],
        "last_updated": T2,
    }

    result = owner.patch("L1", body=patch)

    assert (result.http_status, result.status_code) == (200, 1000)
    evses = [{**value["evses"][0], "status": "CHARGING"}, value["evses"][1], new]
    expected = {**value, "evses": evses, "facilities": ["CAFE"], "last_updated": T2}
    assert owner.get("L1") == expected


def test_null_in_a_patch_clears_what_is_optional(owner: Owner) -> None:
    """And is refused where the specification requires a value (A-54)."""
    value = located()
    owner.put("L1", body=value)

    refused = owner.patch("L1", body={"address": None, "last_updated": T2})
    cleared = owner.patch("L1", body={"name": None, "last_updated": T2})

    assert (refused.http_status, refused.status_code) == (200, 2001)
    assert "address" in str(refused.message)
    assert cleared.status_code == 1000
    assert owner.get("L1") == {**without(value, "name"), "last_updated": T2}


@pytest.mark.conformance("TF-35")
def test_a_put_without_required_fields_is_refused(owner: Owner) -> None:
    """2001 names each of them; nothing is stored."""
    result = owner.put("L1", body=without(located(), "coordinates", "time_zone"))

    assert (result.http_status, result.status_code) == (200, 2001)
    assert "coordinates" in str(result.message)
    assert "time_zone" in str(result.message)
    assert not owner.has("L1")


@pytest.mark.conformance("TF-38", "LOC-13")
def test_what_hangs_below_something_unknown_is_refused(owner: Owner) -> None:
    """404 with 2003, so that the owner sends the object by PUT; nothing is created (A-56)."""
    value = located()
    owner.put("L1", body=value)
    evse = value["evses"][0]
    connector = {**evse["connectors"][0], "id": "1"}

    for method, ids, body in (
        ("PATCH", ("NOPE",), {"last_updated": T2}),
        ("PATCH", ("NOPE", "E1"), {"last_updated": T2}),
        ("PATCH", ("NOPE", "E1", "1"), {"last_updated": T2}),
        ("PUT", ("NOPE", "E1"), evse),
        ("PUT", ("NOPE", "E1", "1"), connector),
        ("PATCH", ("L1", "NOPE"), {"last_updated": T2}),
        ("PATCH", ("L1", "E1", "NOPE"), {"last_updated": T2}),
        ("PUT", ("L1", "NOPE", "1"), connector),
    ):
        result = owner.send(method, *ids, body=body)

        assert (result.http_status, result.status_code) == (404, 2003), (method, ids)
        assert not owner.has(*ids)
        assert owner.get("L1") == value
    created = owner.put("NOPE", body={**value, "id": "NOPE"})
    assert (created.http_status, created.status_code) == (201, 1000)


@pytest.mark.conformance("LOC-10")
def test_each_level_is_served_as_stored_or_asked_of_its_receiver(cast: Cast, owner: Owner) -> None:
    """To the hub from its store; to an eMSP the question goes to the eMSP."""
    emsp = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    value = located()
    owner.put("L1", body=value)
    evse = value["evses"][0]
    emsp.objects["locations"].put(CPA, "L1", body=f'{{"id":"L1","name":"as {MSA} has it"}}')

    assert owner.get("L1") == value
    assert owner.get("L1", "E1") == evse
    assert owner.get("L1", "E1", "1") == evse["connectors"][0]
    theirs = owner.send("GET", "L1", to=MSA)
    assert theirs.data == {"id": "L1", "name": "as DE-MSA has it"}
    assert [seen.method for seen in emsp.seen if "/locations/" in seen.path] == ["GET"]


@pytest.mark.conformance("LOC-12")
def test_a_removed_evse_stays(owner: Owner) -> None:
    """Removal is a status; the EVSE can be read, without an evse_id if need be."""
    value = located()
    owner.put("L1", body=value)

    gone = {"status": "REMOVED", "evse_id": None, "last_updated": T2}
    result = owner.patch("L1", "E1", body=gone)

    assert result.status_code == 1000
    evse = owner.get("L1", "E1")
    assert evse["status"] == "REMOVED"
    assert "evse_id" not in evse
    assert [each["uid"] for each in owner.get("L1")["evses"]] == ["E1", "E2"]


@pytest.mark.conformance("LOC-14")
def test_a_childs_update_brings_the_location_into_the_list(cast: Cast, owner: Owner) -> None:
    """An eMSP that asks for what changed since T3 gets the Location whose EVSE changed at T3."""
    emsp = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    for number in (1, 2, 3):
        owner.put(f"L{number}", body={**a_location(CPA, number), "last_updated": T1})
    assert listed(emsp, MSA, date_from=T3) == {}

    owner.patch("L1", "E1", body={"status": "CHARGING", "last_updated": T3})

    assert list(listed(emsp, MSA, date_from=T3)) == ["L1"]
    assert list(listed(emsp, MSA, date_to=T3)) == ["L2", "L3"]
    assert list(listed(emsp, MSA, limit="2")) == ["L1", "L2", "L3"]


@pytest.mark.conformance("LOC-15")
def test_the_sender_interface_serves_from_store_from_the_owner_and_by_id(
    cast: Cast, owner: Owner
) -> None:
    """TO the hub from its store; TO the CPO from the CPO; without TO from the id's owner."""
    emsp = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    value = located()
    owner.put("L1", body=value)
    owner.platform.own["locations"].put(CPA, "L1", body=f'{{"id":"L1","name":"as {CPA} has it"}}')
    owner.platform.forget()

    for path, expected in (
        ("L1", value),
        ("L1/E1", value["evses"][0]),
        ("L1/E1/1", value["evses"][0]["connectors"][0]),
    ):
        stored = emsp.hub.get("locations", "SENDER", path, to=HUB, sender=MSA)
        assert (stored.http_status, stored.data) == (200, expected)
    assert owner.platform.seen == []
    for to in (CPA, None):
        live = emsp.hub.get("locations", "SENDER", "L1", to=to, sender=MSA)
        assert live.data == {"id": "L1", "name": "as NL-CPA has it"}
    assert [seen.method for seen in owner.platform.seen] == ["GET", "GET"]


@pytest.mark.conformance("LOC-16")
def test_two_owners_may_use_one_id(cast: Cast, owner: Owner) -> None:
    """GET-All has both; a question without TO is ambiguous (A-36)."""
    emsp, other = cast["P2"], cast["P4"]
    cast.agree(("NL-CPA", "DE-MSA"), ("BE-MIX", "DE-MSA"))
    push(owner.platform, a_location(CPA, 1))
    push(other, a_location(MIX, 1))

    found = emsp.hub.list("locations", to=HUB, sender=MSA).data
    open_question = emsp.hub.get("locations", "SENDER", "L1", sender=MSA)

    assert {(each["country_code"], each["party_id"], each["id"]) for each in found} == {
        ("NL", "CPA", "L1"),
        ("BE", "MIX", "L1"),
    }
    assert (open_question.http_status, open_question.status_code) == (200, 2001)


@pytest.mark.conformance("LOC-18")
def test_a_location_without_evses_in_use_stays(cast: Cast, owner: Owner) -> None:
    """All its EVSEs REMOVED: it can still be read, and is still listed (A-59)."""
    emsp = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    owner.put("L1", body=located())

    for evse in ("E1", "E2"):
        owner.patch("L1", evse, body={"status": "REMOVED", "last_updated": T2})

    assert {each["status"] for each in owner.get("L1")["evses"]} == {"REMOVED"}
    assert emsp.hub.get("locations", "SENDER", "L1", to=HUB, sender=MSA).http_status == 200
    assert list(listed(emsp, MSA)) == ["L1"]


@pytest.mark.conformance("LOC-20")
def test_a_nap_does_not_write_for_others(cast: Cast) -> None:
    """What another party owns is nobody's to push: 404, nothing stored (A-32)."""
    cast["P1"]
    nap = cast["P6"]
    result = nap.hub.put(
        "locations", "RECEIVER", "NL/CPA/L1", a_location(CPA, 1), to=HUB, sender=nap.party
    )

    assert (result.http_status, result.status_code) == (404, 2001)
    assert not Owner(cast["P1"]).has("L1")


@pytest.mark.conformance("LOC-21")
def test_nothing_is_put_into_a_location(cast: Cast, owner: Owner, deliver_all: Any) -> None:
    """Without operator, suboperator and owner it is served and delivered without them."""
    emsp = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    bare = without(located(), "operator", "suboperator", "owner", "opening_times")

    owner.put("L1", body=bare)
    deliver_all()

    assert owner.get("L1") == bare
    assert listed(emsp, MSA) == {"L1": bare}
    assert received(emsp) == {"NL-CPA/L1": bare}
    assert [seen.json for seen in pushes(emsp)] == [bare]


@pytest.mark.conformance("LOC-24")
def test_ids_cannot_be_changed(owner: Owner) -> None:
    """A body that names another id than the URL is 2001 (A-62)."""
    value = located()
    owner.put("L1", body=value)
    evse = value["evses"][0]
    parts = (
        (("L1",), {**value, "id": "L9"}),
        (("L1", "E1"), {**evse, "uid": "E9"}),
        (("L1", "E1", "1"), {**evse["connectors"][0], "id": "9"}),
    )

    for method, (ids, part) in product(("PUT", "PATCH"), parts):
        result = owner.send(method, *ids, body={**part, "last_updated": T2})

        assert (result.http_status, result.status_code) == (200, 2001)
        assert "id" in str(result.message)
        assert owner.get("L1") == value


def test_a_put_that_leaves_an_evse_out_ends_it_until_it_is_put_again(owner: Owner) -> None:
    """The hub serves exactly what was PUT; what comes back stands at the end (A-57)."""
    value = located(evses=3)
    owner.put("L1", body=value)
    first, second, third = value["evses"]

    owner.put("L1", body={**value, "evses": [third, second]})

    assert [each["uid"] for each in owner.get("L1")["evses"]] == ["E3", "E2"]
    gone = owner.patch("L1", "E1", body={"status": "CHARGING", "last_updated": T2})
    assert (gone.http_status, gone.status_code) == (404, 2003)
    assert not owner.has("L1", "E1")
    assert owner.put("L1", "N1", body={**first, "uid": "N1"}).http_status == 201
    assert owner.put("L1", "E1", body=first).http_status == 201
    owner.patch("L1", "E3", body={"status": "CHARGING", "last_updated": T2})
    assert [each["uid"] for each in owner.get("L1")["evses"]] == ["E3", "E2", "N1", "E1"]


def test_the_first_evse_comes_later(owner: Owner) -> None:
    """However the Location said that it has none yet."""
    value = located()
    first = {**value["evses"][0], "last_updated": T1}
    nothing: list[dict[str, Any]] = [{"evses": None}, {"evses": []}, {}]

    for evses in nothing:
        owner.put("L1", body={**without(value, "evses"), **evses})
        assert owner.put("L1", "E1", body=first).http_status == 201
        assert owner.get("L1") == {**value, "evses": [first]}
    assert owner.put("L1", body=without(value, "evses")).http_status == 200
    assert "evses" not in owner.get("L1")


def test_other_parties_of_the_platform_have_their_own_objects(owner: Owner) -> None:
    """NL-CPA and NL-CPB share a platform, not an id space."""
    other = Owner(owner.platform, CPB)
    owner.put("L1", body=located())
    other.put("L1", body=a_location(CPB, 1, name="of NL-CPB"))

    assert owner.get("L1") == located()
    assert other.get("L1")["name"] == "of NL-CPB"


def test_a_patch_with_misshapen_parts_is_told_so(owner: Owner) -> None:
    """2001 with the path, never a failure of the hub."""
    owner.put("L1", body=located())

    misshapen: list[Any] = [{}, [7], [{"uid": "E1", "connectors": {}}]]
    for evses in misshapen:
        result = owner.patch("L1", body={"evses": evses, "last_updated": T2})

        assert (result.http_status, result.status_code) == (200, 2001)
        assert "evses" in str(result.message)


def test_deep_nesting_is_no_failure_of_the_hub(owner: Owner) -> None:
    """It is merged, or refused as unreadable."""
    owner.put("L1", body=located())

    for depth in (100, 450, 700, 2_000):
        nested = b'{"a":' * depth + b"1" + b"}" * depth
        body = b'{"last_updated":"2027-01-01T00:00:00Z","x":%b}' % nested
        for _ in range(2):
            result = owner.patch("L1", body=body)
            assert (result.http_status, result.status_code) in {(200, 1000), (400, 2001)}
