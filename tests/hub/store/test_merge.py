"""What a PUT or PATCH makes of a Location, decided without a database."""

import json
from typing import Any

import pytest

from hub.store import merge, raw_json
from hub.store import write_request as checks
from hub.store.merge import PlannedWrite, StoredDocument, StoredPartText
from ocpi.errors import InvalidParameters, NotJson, OcpiError, UnknownLocation
from ocpi.types import fold, parse_datetime
from tests.cast import CPA, a_location
from tests.hub.store.write_requests import location_write

T1, T2, T3 = (f"2026-0{month}-01T00:00:00Z" for month in (1, 2, 3))


def stored(value: dict[str, Any], *, current: bool = True) -> StoredDocument:
    """Return a Location as it would be stored, all its EVSEs read."""
    write = merge.replacement(location_write("PUT", value["id"], body=value))
    return StoredDocument(
        seq=1,
        revision=1,
        text=write.text or "",
        last_updated=write.last_updated,
        last_updated_text=write.last_updated_text,
        parts={row.key: StoredPartText(row.text, current) for row in write.parts},
    )


def document(before: StoredDocument, write: PlannedWrite) -> dict[str, Any]:
    """Return the whole Location after a write, its holes filled."""
    texts = {key: part.text for key, part in before.parts.items() if part.current}
    texts |= {row.key: row.text for row in write.parts}
    filled = (write.text or before.text).replace("\x02", write.last_updated_text)
    result: dict[str, Any] = json.loads(filled.replace("\x01", f"[{','.join(texts.values())}]"))
    return result


def changed(
    before: StoredDocument, method: str, *ids: str, body: dict[str, Any] | bytes
) -> dict[str, Any]:
    """Apply a message and return the whole Location after it."""
    message = location_write(method, *ids, body=body)
    checks.check(message)
    return document(before, merge.change(message, before))


def located(**changes: Any) -> dict[str, Any]:
    """Make a Location with two EVSEs, everything last updated at T2."""
    value = a_location(CPA, 1, **changes)
    for part in (value, *(value.get("evses") or [])):
        part["last_updated"] = T2
    for evse in value.get("evses") or []:
        for connector in evse["connectors"]:
            connector["last_updated"] = T2
    return value


def test_a_put_is_stored_as_it_came() -> None:
    """The text of a Location and of each EVSE together are what was sent."""
    value = located()
    before = stored(value)
    write = merge.replacement(location_write("PUT", "L1", body=value))

    assert document(before, write) == value
    assert [(row.uid, row.key, row.position) for row in write.parts] == [
        ("E1", "E1", 0),
        ("E2", "E2", 1),
    ]


@pytest.mark.parametrize("variant", ["null", "[]", "missing"])
def test_a_location_without_evses_takes_one_later(variant: str) -> None:
    """The first EVSE opens a place for all, wherever there was none."""
    value = located()
    del value["evses"]
    if variant != "missing":
        value["evses"] = json.loads(variant)
    before = stored(value)
    evse = located()["evses"][0]

    after = changed(before, "PUT", "L1", "E1", body=evse)

    assert after == {**value, "evses": [evse]}


def test_a_patch_leaves_what_it_does_not_name() -> None:
    """Only the named members change; EVSEs stay as they are (TF-36)."""
    value = located()

    after = changed(stored(value), "PATCH", "L1", body={"name": "new", "last_updated": T3})

    assert after == {**value, "name": "new", "last_updated": T3}


def test_null_removes_an_optional_member_and_never_a_required_one() -> None:
    """PATCH with null clears; a Location without city is none (A-54)."""
    value = located()

    after = changed(stored(value), "PATCH", "L1", body={"name": None, "last_updated": T3})

    assert after == {**{k: v for k, v in value.items() if k != "name"}, "last_updated": T3}
    with pytest.raises(InvalidParameters, match="city"):
        changed(stored(value), "PATCH", "L1", body={"city": None, "last_updated": T3})


def test_null_for_the_evses_removes_none() -> None:
    """OCPI has no removal of EVSEs but the status REMOVED (A-53, A-57)."""
    value = located()

    after = changed(stored(value), "PATCH", "L1", body={"evses": None, "last_updated": T3})

    assert after == {**value, "last_updated": T3}


def test_nested_evses_merge_by_uid() -> None:
    """A PATCH of the Location changes the EVSEs it names and adds new ones (A-53)."""
    value = located()
    new = {**value["evses"][0], "uid": "E9"}
    patch = {"evses": [{"uid": "e2", "status": "CHARGING"}, new], "last_updated": T3}

    after = changed(stored(value), "PATCH", "L1", body=patch)

    second = {**value["evses"][1], "uid": "e2", "status": "CHARGING"}
    assert after == {**value, "evses": [value["evses"][0], second, new], "last_updated": T3}


def test_a_nested_patch_reaches_the_connectors() -> None:
    """Connectors merge by id, one level further down."""
    value = located()
    patch = {
        "evses": [{"uid": "E1", "connectors": [{"id": "1", "max_amperage": 16}]}],
        "last_updated": T3,
    }

    after = changed(stored(value), "PATCH", "L1", body=patch)

    expected = located()
    expected["evses"][0]["connectors"][0]["max_amperage"] = 16
    assert after == {**expected, "last_updated": T3}


@pytest.mark.parametrize(
    "patch, path",
    [
        ({"evses": {}}, "evses"),
        ({"evses": "E1"}, "evses"),
        ({"evses": [1]}, r"evses\[0\]"),
        ({"evses": [{"uid": "E1", "connectors": 7}]}, r"evses\[0\].connectors"),
        ({"evses": [{"uid": "E1", "connectors": [None]}]}, r"evses\[0\].connectors\[0\]"),
        ({"evses": [{"status": "CHARGING"}]}, r"evses\[0\].uid"),
        ({"evses": [{"uid": "E7", "status": "CHARGING"}]}, r"evses\[0\].connectors"),
        ({"evses": [{"uid": "E1"}, {"uid": "e1"}]}, r"evses\[1\].uid"),
        ({"coordinates": {"latitude": None}}, "coordinates.latitude"),
        ({"publish": "yes"}, "publish"),
        ({"id": "L2"}, "id"),
        ({"id": None}, "id"),
        ({"party_id": "CPB"}, "party_id"),
        ({"last_updated": "yesterday"}, "last_updated"),
        ({"last_updated": None}, "last_updated"),
        ({"last_updated": 7}, "last_updated"),
    ],
)
def test_a_patch_that_makes_a_wrong_location_is_refused_by_path(
    patch: dict[str, Any], path: str
) -> None:
    """2001 names the wrong field; nothing is stored."""
    with pytest.raises(InvalidParameters, match=path):
        changed(stored(located()), "PATCH", "L1", body={"last_updated": T3, **patch})


@pytest.mark.parametrize("ids", [("L1",), ("L1", "E1"), ("L1", "E1", "1")])
@pytest.mark.parametrize(
    "body, error",
    [
        (b"{", NotJson),
        (b'{"a":NaN}', NotJson),
        (b"[]", InvalidParameters),
        (b"7", InvalidParameters),
    ],
)
def test_a_patch_is_read_before_anything_is_looked_up(
    ids: tuple[str, ...], body: bytes, error: type[OcpiError]
) -> None:
    """Broken JSON is that, whatever object it is about."""
    with pytest.raises(error):
        checks.check(location_write("PATCH", *ids, body=body))


def test_a_child_moves_its_parents_forward_only() -> None:
    """The Location takes the newer last_updated of its EVSE, in its owner's spelling (A-60)."""
    value = located()
    newer, older = "2026-03-01T01:00:00+01:00", T1

    forward = changed(
        stored(value), "PATCH", "L1", "E1", body={"status": "CHARGING", "last_updated": newer}
    )
    back = changed(
        stored(value), "PATCH", "L1", "E1", body={"status": "CHARGING", "last_updated": older}
    )

    assert (forward["last_updated"], forward["evses"][0]["last_updated"]) == (newer, newer)
    assert (back["last_updated"], back["evses"][0]["last_updated"]) == (T2, older)


def test_a_connector_moves_evse_and_location() -> None:
    """Both parents show the newer value; siblings stay (LOC-03, LOC-04)."""
    value = located()

    after = changed(
        stored(value), "PATCH", "L1", "E1", "1", body={"max_voltage": 400, "last_updated": T3}
    )

    first, second = after["evses"]
    assert (after["last_updated"], first["last_updated"]) == (T3, T3)
    assert first["connectors"][0]["max_voltage"] == 400
    assert second == value["evses"][1]


def test_a_new_connector_joins_its_siblings() -> None:
    """PUT of an unknown Connector adds it behind the others."""
    value = located()
    connector = {**value["evses"][0]["connectors"][0], "id": "9", "last_updated": T3}

    after = changed(stored(value), "PUT", "L1", "E1", "9", body=connector)

    assert after["evses"][0]["connectors"] == [*value["evses"][0]["connectors"], connector]


@pytest.mark.parametrize(
    "method, ids, text",
    [
        ("PATCH", ("L1", "E9"), "no EVSE 'E9'"),
        ("PUT", ("L1", "E9", "1"), "no EVSE 'E9'"),
        ("PATCH", ("L1", "E1", "9"), "no Connector '9'"),
    ],
)
def test_a_child_of_something_unknown_is_refused(
    method: str, ids: tuple[str, ...], text: str
) -> None:
    """404 and 2003 say what to PUT first (A-56)."""
    value = located()
    body: dict[str, Any] = {"last_updated": T3}
    if method == "PUT":
        body = value["evses"][0]["connectors"][0]
    with pytest.raises(UnknownLocation, match=text) as refused:
        changed(stored(value), method, *ids, body=body)
    assert refused.value.http_status == 404


def test_an_evse_a_put_left_out_is_unknown_until_it_is_put_again() -> None:
    """What is kept of it is not patched back to life (A-57)."""
    value = located()
    gone = stored(value, current=False)

    with pytest.raises(UnknownLocation):
        changed(gone, "PATCH", "L1", "E1", body={"status": "CHARGING", "last_updated": T3})
    message = location_write("PUT", "L1", "E1", body=value["evses"][0])
    assert merge.change(message, gone).created


def test_ids_of_one_put_are_different() -> None:
    """Two EVSEs with one uid, in any case, cannot be told apart."""
    value = located()
    value["evses"][1]["uid"] = "e1"

    with pytest.raises(InvalidParameters, match=r"evses\[1\].uid"):
        merge.replacement(location_write("PUT", "L1", body=value))


def test_what_is_odd_is_kept_and_told() -> None:
    """A number given as a string is stored as it came, with a word about it (DT-08)."""
    value = located()
    connector = {**value["evses"][0]["connectors"][0], "max_voltage": "230", "last_updated": T3}
    before = stored(value)

    write = merge.change(location_write("PUT", "L1", "E1", "1", body=connector), before)

    assert [each.path for each in write.findings] == ["connectors[0].max_voltage"]
    assert document(before, write)["evses"][0]["connectors"][0]["max_voltage"] == "230"


def test_a_patch_is_not_told_about_what_was_odd_before() -> None:
    """The findings are about what was sent."""
    value = located(parking_type="MOON")

    write = merge.change(
        location_write("PATCH", "L1", body={"facilities": ["ZOO"], "last_updated": T3}),
        stored(value),
    )

    assert [each.path for each in write.findings] == ["facilities[0]"]


def test_columns_follow_the_object() -> None:
    """What the hub searches by is taken from what is stored."""
    value = located(name="first", publish=False)

    write = merge.replacement(location_write("PUT", "L1", body=value))
    patched = merge.change(
        location_write("PATCH", "L1", body={"name": None, "last_updated": T3}), stored(value)
    )

    place = tuple(float(value["coordinates"][name]) for name in ("latitude", "longitude"))
    assert write.columns == ("first", value["city"], False, *place)
    assert patched.columns == ("", value["city"], False, *place)
    assert write.parts[0].columns == (value["evses"][0]["evse_id"], "AVAILABLE")


def test_the_parts_a_message_touches_are_read() -> None:
    """Only those: the others of a large site cost nothing."""
    nested = {"evses": [{"uid": "e2"}, {"uid": "E7"}]}

    assert checks.part_keys(location_write("PATCH", "L1", body=nested)) == ["E2", "E7"]
    assert checks.part_keys(location_write("PATCH", "L1", body={"name": "x"})) == []
    assert checks.part_keys(location_write("PUT", "L1", "e1", "1", body={})) == [fold("e1")]


def test_last_updated_is_compared_as_an_instant() -> None:
    """Spelling is kept, order is of moments (DT-02)."""
    value = {**located(), "last_updated": "2026-06-01T12:00:00+02:00"}
    before = stored(value)

    write = merge.change(
        location_write("PATCH", "L1", "E1", body={"last_updated": "2026-06-01T10:30:00"}), before
    )

    assert write.last_updated == parse_datetime("2026-06-01T10:30:00Z")
    assert write.last_updated_text == '"2026-06-01T10:30:00"'
    assert raw_json.opened(before.text)["last_updated"] == b"\x02"
