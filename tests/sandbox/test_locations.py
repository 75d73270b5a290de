"""Two simulated platforms exchange locations as the module's chapter says."""

from typing import Any

import pytest
from requests import ConnectionError as NoConnection

from ocpi.types import PartyRef
from sandbox import SandboxPlatform, object_path
from sandbox.demo.locations import location

CPA = PartyRef("NL", "CPA")
MSA = PartyRef("DE", "MSA")
T2 = "2026-11-02T00:00:00Z"
T1 = "2020-01-01T00:00:00Z"


def stored(platform: SandboxPlatform, name: str = "NL-CPA/L1") -> dict[str, Any]:
    """Read the location as the platform keeps it."""
    return platform.objects["locations"].objects()[name]


def test_what_is_published_arrives_as_it_was_sent(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """PUT creates with 201, replaces with 200, and the text is kept byte for byte."""
    body = b'{"country_code":"NL","party_id":"CPA", "id":"L1",  "x_y": 1.10000}'

    first = connected.hub.put("locations", "RECEIVER", "NL/CPA/L1", body, to=MSA, sender=CPA)
    second = connected.hub.put("locations", "RECEIVER", "NL/CPA/L1", body)

    assert (first.http_status, second.http_status, first.data) == (201, 200, None)
    assert emsp.objects["locations"]["nl", "cpa", "l1"] == body.decode()
    assert emsp.seen[0].body == body
    assert (emsp.seen[0].to, emsp.seen[0].sender, emsp.seen[1].to) == (MSA, CPA, None)
    assert first.headers["OCPI-from-party-id"] == "MSA"


def test_a_status_patch_reaches_both_truths(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """The owner's own truth and the receiver's copy are equal, parents' last_updated included."""
    connected.publish("locations", location(1, CPA))

    connected.change("locations", CPA, "L1", "E2", patch={"status": "CHARGING", "last_updated": T2})

    copy = stored(emsp)
    assert connected.own["locations"].objects() == emsp.objects["locations"].objects()
    assert [evse["status"] for evse in copy["evses"]] == ["AVAILABLE", "CHARGING", "AVAILABLE"]
    assert (copy["last_updated"], copy["evses"][1]["last_updated"]) == (T2, T2)
    assert copy["evses"][0]["last_updated"] != T2


def test_a_connector_moves_its_parents_forwards_only(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """An older last_updated of a child leaves EVSE and Location where they are."""
    connected.publish("locations", location(1, CPA))
    before = stored(emsp)

    connected.change("locations", CPA, "L1", "E1", "1", patch={"last_updated": T1})

    after = stored(emsp)
    assert after["evses"][0]["connectors"][0]["last_updated"] == T1
    assert after["evses"][0]["last_updated"] == before["evses"][0]["last_updated"]
    assert after["last_updated"] == before["last_updated"]


def test_an_evse_is_put_as_a_whole(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """PUT of an EVSE replaces it, connectors included; a new uid is created."""
    connected.publish("locations", location(1, CPA, evses=1))
    evse = {"uid": "E1", "status": "PLANNED", "connectors": [], "last_updated": T2}

    old = connected.hub.put("locations", "RECEIVER", "NL/CPA/L1/E1", evse)
    new = connected.hub.put("locations", "RECEIVER", "NL/CPA/L1/E9", {**evse, "uid": "E9"})

    assert (old.http_status, new.http_status) == (200, 201)
    assert stored(emsp)["evses"] == [evse, {**evse, "uid": "E9"}]
    assert stored(emsp)["last_updated"] == T2


def test_a_patch_of_a_location_merges_evses_by_uid(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Parts merge by id, objects merge by member, other lists are replaced, null removes."""
    connected.publish("locations", location(1, CPA))
    patch = {
        "evses": [{"uid": "e3", "status": "BLOCKED"}, {"uid": "E4", "status": "PLANNED"}],
        "operator": {"name": "New"},
        "facilities": ["CAFE"],
        "state": None,
        "last_updated": T2,
    }

    connected.change("locations", CPA, "L1", patch=patch)

    copy = stored(emsp)
    assert [evse["status"] for evse in copy["evses"]] == ["AVAILABLE"] * 2 + ["BLOCKED", "PLANNED"]
    assert copy["operator"] == {"name": "New", "website": "https://charging.example"}
    assert (copy["facilities"], "state" in copy, copy["last_updated"]) == (["CAFE"], False, T2)


@pytest.mark.parametrize("path", ["NL/CPA/NOPE", "NL/CPA/L1/NOPE", "NL/CPA/L1/E1/NOPE"])
def test_what_is_unknown_cannot_be_patched_or_read(connected: SandboxPlatform, path: str) -> None:
    """404 and 2003 have the owner PUT the whole object."""
    connected.publish("locations", location(1, CPA))

    patched = connected.hub.patch("locations", "RECEIVER", path, {"last_updated": T2})
    read = connected.hub.get("locations", "RECEIVER", path)

    assert (patched.http_status, patched.status_code) == (404, 2003)
    assert (read.http_status, read.status_code) == (404, 2003)


def test_a_part_of_an_unknown_location_cannot_be_put(connected: SandboxPlatform) -> None:
    """No stub is created for a parent that is not there."""
    answer = connected.hub.put("locations", "RECEIVER", "NL/CPA/NOPE/E1", {"uid": "E1"})

    assert (answer.http_status, answer.status_code) == (404, 2003)


@pytest.mark.parametrize(
    "body,http_status",
    [(b'{"id":', 400), (b"[]", 200), (b"{}", 200), (b'{"last_updated":"yesterday"}', 200)],
)
def test_a_wrong_patch_is_refused(
    connected: SandboxPlatform, body: bytes, http_status: int
) -> None:
    """Broken JSON is HTTP 400; no object, no last_updated or no timestamp is 2001."""
    connected.publish("locations", location(1, CPA))

    answer = connected.hub.patch("locations", "RECEIVER", "NL/CPA/L1/E1", body)

    assert (answer.http_status, answer.status_code) == (http_status, 2001)


def test_methods_that_are_not_declared_get_405(connected: SandboxPlatform) -> None:
    """Locations know no POST and no DELETE; below a connector there is nothing."""
    post = connected.hub.post("locations", "RECEIVER", "NL/CPA/L1", {})
    delete = connected.hub.delete("locations", "RECEIVER", "NL/CPA/L1")
    below = connected.hub.get("locations", "RECEIVER", "NL/CPA/L1/E1/1/x")

    assert (post.http_status, delete.http_status, below.http_status) == (405, 405, 404)
    assert post.headers["Allow"] == "GET, PATCH, PUT"


def test_a_list_is_crawled_by_its_links(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """Every page names total and limit; Link leads on until the last page."""
    for index in range(1, 8):
        connected.publish("locations", location(index, CPA, evses=1))

    crawl = emsp.hub.list("locations", {"limit": 3})
    first = emsp.hub.list("locations", {"limit": 3}, follow=False)

    assert [each["id"] for each in crawl.data] == [f"L{index}" for index in range(1, 8)]
    assert [len(page.data) for page in crawl.pages] == [3, 3, 1]
    assert {page.headers["X-Total-Count"] for page in crawl.pages} == {"7"}
    assert ("Link" in first.pages[0].headers, "Link" in crawl.pages[-1].headers) == (True, False)


def test_a_list_is_filtered_by_date_and_party(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """date_from includes, date_to excludes; an addressed party gets its own objects only."""
    connected.roles.append((connected.roles[0][0], PartyRef("NL", "CPB")))
    for index in (1, 2, 3):
        connected.publish("locations", location(index, CPA, evses=1))
    second = location(2, CPA)["last_updated"]

    since = emsp.hub.list("locations", {"date_from": second}).data
    until = emsp.hub.list("locations", {"date_to": second}).data
    wrong = emsp.hub.list("locations", {"limit": "x"}).pages[0]

    assert [each["id"] for each in since] == ["L2", "L3"]
    assert [each["id"] for each in until] == ["L1"]
    assert wrong.status_code == 2001


def test_each_party_lists_its_own_objects(emsp: SandboxPlatform) -> None:
    """A platform of two operators answers for the one it was asked for, or ignores that."""
    cpb = PartyRef("NL", "CPB")
    roles = [("CPO", "NL", "CPA"), ("CPO", "NL", "CPB")]
    for ignores, expected in ((False, ["CPB"]), (True, ["CPA", "CPB"])):
        with SandboxPlatform(roles, ignore_to=ignores) as both:
            both.register_with(emsp.url, emsp.invite())
            for party in (CPA, cpb):
                both.publish("locations", location(1, party, evses=1))

            listed = emsp.hub.list("locations", to=cpb, sender=MSA).data

        assert [each["party_id"] for each in listed] == expected


@pytest.mark.parametrize("path,member", [("L1", "id"), ("l1/e2", "uid"), ("L1/E2/1", "id")])
def test_the_owner_serves_single_objects(
    connected: SandboxPlatform, emsp: SandboxPlatform, path: str, member: str
) -> None:
    """Location, EVSE and Connector each have a URL at the sender, in any case."""
    connected.publish("locations", location(1, CPA))

    answer = emsp.hub.get("locations", "SENDER", path)

    assert answer.data[member] == path.rpartition("/")[2].upper()
    assert emsp.hub.get("locations", "SENDER", "L9").http_status == 404


def test_raw_paths_are_seen_as_sent(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """Percent-encoding and unknown parameters stay visible; ids are stored decoded."""
    suffix = object_path(CPA, "a/b c")

    connected.hub.put("locations", "RECEIVER", f"{suffix}?foo=1", {"id": "a/b c"})

    assert emsp.seen[-1].path.endswith("/locations/NL/CPA/a%2Fb%20c?foo=1")
    assert emsp.seen[-1].query == {"foo": "1"}
    assert ("NL", "CPA", "a/b c") in emsp.objects["locations"]


def test_header_names_keep_their_spelling(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Records answer in any case, and show how a header was really written."""
    connected.hub.get("locations", "RECEIVER", "NL/CPA/L1", to=MSA, **{"ocpi-FROM-party-id": "x"})

    headers = emsp.seen[-1].headers
    assert headers["ocpi-to-PARTY-id"] == "MSA"
    assert {"OCPI-to-party-id", "OCPI-to-country-code", "ocpi-FROM-party-id"} <= set(headers)


def test_message_ids_are_echoed(connected: SandboxPlatform) -> None:
    """Both ids come back; the caller may set or omit them."""
    ids = {"X-Request-ID": "r-1", "X-Correlation-ID": None}

    answer = connected.hub.get("locations", "RECEIVER", "NL/CPA/L1", **ids)

    assert answer.headers["x-request-id"] == "r-1"
    assert answer.headers["X-Correlation-ID"]


def test_quirks_of_real_platforms() -> None:
    """Slashes at the end, wrapped objects, no ids and no routing headers in answers."""
    quirky = SandboxPlatform(
        [("EMSP", "DE", "MSA")],
        trailing_slash=True,
        wrap_objects=True,
        echo_ids=False,
        answer_routing=False,
    )
    with quirky, SandboxPlatform() as cpo:
        cpo.register_with(quirky.url, quirky.invite())
        put = cpo.hub.put("locations", "RECEIVER", "NL/CPA/L1", {"id": "L1"}, to=MSA, sender=CPA)
        got = cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1")

    assert cpo.hub.endpoint("locations", "RECEIVER").endswith("/receiver/locations/")
    assert (put.http_status, put.data, got.data) == (201, [{"id": "L1"}], [{"id": "L1"}])
    assert set(put.headers) == {"Content-Type", "Content-Length"}


def test_a_stopped_platform_comes_back_with_what_it_knew(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Port, tokens and objects outlive a stop, so that a return can be tested."""
    connected.publish("locations", location(1, CPA))

    emsp.stop()
    with pytest.raises(NoConnection):
        connected.hub.get("locations", "RECEIVER", "NL/CPA/L1")
    emsp.start()

    assert connected.hub.get("locations", "RECEIVER", "NL/CPA/L1").succeeded
