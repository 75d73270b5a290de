"""What real platforms answer: a peer that misbehaves exactly so, and what becomes of it.

Seen by running independent implementations against each other: two Python platform libraries and a
simulator written in Go. Not all of it is OCPI; the flow must go on where it can.
"""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from ocpi.transport.pagination import read_link
from sandbox import Responder
from sandbox.misbehaviour import detail, say
from tests.cast import CPA, HUB, MSA, Cast, a_location, push, route
from tests.hub.charging_objects import answered, asked, listed, post_cdr
from tests.hub.gateway.real_platforms import Pair, joined
from tests.ocpi.objects import a_cdr, a_session, a_token

# --- every optional field has to be present ------------------------------------------------------


def test_the_hubs_credentials_have_website_and_logo(cast: Cast) -> None:
    """Without them some libraries answer 422 to the registration."""
    [role] = cast["P1"].hub.connected.roles

    assert role["role"] == "HUB"
    details = role["business_details"]
    assert details["website"].startswith("http")
    assert details["logo"].keys() >= {"url", "category", "type"}


def test_nulls_and_spacing_pass_through(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """A library that requires optional fields as null gets them: byte for byte, either way."""
    cpo, emsp = pair
    members = {**a_location(), "related_locations": None, "images": [], "energy_mix": None}
    text = json.dumps(members, indent=3).encode()

    for to in (MSA, HUB):
        emsp.forget()
        cpo.hub.put("locations", "RECEIVER", "NL/CPA/L1", text, to=to, sender=CPA)
        deliver_all()

        assert emsp.wait_for("PUT /locations").body == text
    got = emsp.hub.get("locations", "SENDER", to=HUB)
    assert got.data[0]["energy_mix"] is None


# --- errors without an envelope ------------------------------------------------------------------


@pytest.mark.conformance("ST-20", "TF-54")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
@pytest.mark.parametrize("status, code", [(401, 4003), (403, 4003), (405, 4000), (422, 4000)])
def test_bare_errors_become_ocpi_errors(pair: Pair, method: str, status: int, code: int) -> None:
    """`{"detail": …}` instead of an envelope: an OCPI error of the hub that names the party."""
    cpo, emsp = pair
    body = a_location() if method != "GET" else None
    with emsp.answer("", detail(status, "value is not a valid dict")):
        result = cpo.hub.send(
            method, "locations", "RECEIVER", "NL/CPA/L1", body, to=MSA, sender=CPA
        )

    assert answered(result) == (200, code)
    assert result.json.keys() == {"status_code", "status_message", "timestamp"}
    assert "DE-MSA" in str(result.message)
    assert route(result) == (CPA, HUB)


@pytest.mark.conformance("ST-20")
def test_a_bare_404_is_told_as_what_it_means(pair: Pair) -> None:
    """To a GET the object is unknown; to a push the receiver has no such place."""
    cpo, emsp = pair
    with emsp.answer("", detail(404, "Not Found")):
        got = cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1", to=MSA, sender=CPA)
        put = push(cpo, a_location(), to=MSA)

    assert (answered(got), answered(put)) == ((404, 2003), (200, 4000))


def test_bare_errors_to_a_broadcast_are_not_the_owners(
    pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """A receiver that answers 422 to everything: the owner's push was accepted all the same."""
    cpo, emsp = pair
    emsp.answer("PUT", detail(422, "field required"))

    result = push(cpo, a_location())
    deliver_all()

    assert answered(result) == (201, 1000)
    assert emsp.wait_for("PUT").json == a_location()


# --- single objects as lists ---------------------------------------------------------------------


@pytest.mark.conformance("TF-58")
def test_an_object_in_a_list_is_relayed_so(cast: Cast) -> None:
    """`data: [{…}]` to GET, PUT and PATCH: a success, and the receiver's own words."""
    emsp, cpo = joined(cast, "P2", wrap_objects=True), cast["P1"]
    later = a_location(name="new", last_updated="2030-01-01T00:00:00Z")

    put = push(cpo, a_location(), to=MSA)
    patch = cpo.hub.patch("locations", "RECEIVER", "NL/CPA/L1", later, to=MSA, sender=CPA)
    got = cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1", to=MSA, sender=CPA)

    assert [each.status_code for each in (put, patch, got)] == [1000] * 3
    assert [each.data for each in (put, patch, got)] == [[a_location()], [later], [later]]
    emsp.forget()
    assert emsp.hub.get("locations", "SENDER", to=HUB).data == [later]


def test_a_receiver_of_lists_is_served(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """A list where a delivery expects nothing is success."""
    emsp, cpo = joined(cast, "P2", wrap_objects=True), cast["P1"]

    push(cpo, a_location())
    deliver_all()
    deliver_all()

    assert len(asked(emsp, "locations")) == 1


# --- pages that cannot be followed ---------------------------------------------------------------

_ENUM = (
    "/ocpi/cpo/VersionNumber.v_2_2_1/ModuleID.locations/"
    "?date_from=None&date_to=None&offset=1&limit=1"
)


def _page(link: str) -> Responder:
    headers = {"Link": link, "X-Total-Count": "2", "X-Limit": "1"}
    body = b'{"status_code":1000,"data":[{"id":"L1"}],"timestamp":"2026-01-01T00:00:00Z"}'
    return say(200, body, headers=headers)


@pytest.mark.conformance("TF-42", "TF-43")
def test_a_link_of_enum_names_leads_to_an_error_not_astray(pair: Pair) -> None:
    """Its page is asked for at the library, as it says; what it answers is an OCPI error then."""
    cpo, emsp = pair
    with cpo.answer("GET /sender/locations", _page(f'<{cpo.addresses.origin}{_ENUM}>; rel="next"')):
        first = emsp.hub.get("locations", "SENDER", "?limit=1", to=CPA)
    url = read_link(first.headers["Link"], base_url="")
    assert url is not None
    with cpo.answer("/VersionNumber", detail(404, "Not Found")):
        second = emsp.hub.read(url)

    assert cpo.seen[-1].path == _ENUM
    assert answered(second) == (404, 2003)
    assert route(second) == (MSA, HUB)
    assert (first.headers["X-Total-Count"], first.headers["X-Limit"]) == ("2", "1")


@pytest.mark.conformance("TF-42")
@pytest.mark.parametrize(
    "link", ["", f"<https://HOST{_ENUM}>", f'<https://HOST{_ENUM}>; rel="next"', "<>; rel=next"]
)
def test_an_empty_or_a_foreign_link_is_left_out(pair: Pair, link: str) -> None:
    """The last page has `Link: `, others one to a host that is not the platform's."""
    cpo, emsp = pair
    with cpo.answer("GET /sender/locations", _page(link)):
        result = emsp.hub.get("locations", "SENDER", to=CPA)

    assert answered(result) == (200, 1000)
    assert "Link" not in result.headers
    assert result.headers["X-Total-Count"] == "2"


# --- CDRs ----------------------------------------------------------------------------------------


@pytest.mark.conformance("CDR-04")
def test_a_dead_cdr_url_with_http_200(pair: Pair) -> None:
    """HTTP 200 instead of 201, and a `Location` that leads nowhere: the CPO has one that works."""
    cpo, emsp = pair
    dead = f"{emsp.addresses.origin}/ocpi/emsp/VersionNumber.v_2_2_1/ModuleID.cdrs/12345"
    with emsp.answer(
        "POST", say(200, b'{"status_code":1000,"data":[]}', headers={"Location": dead})
    ):
        posted = post_cdr(cpo, to=MSA)
    emsp.forget()

    with emsp.answer("/VersionNumber", detail(404, "Not Found")):
        found = cpo.hub.read(str(posted.location))

    assert answered(posted) == (200, 1000)
    assert str(posted.location).startswith(cpo.hub.endpoint("cdrs", "RECEIVER"))
    assert [seen.path for seen in emsp.seen] == [urlsplit(dead).path]
    assert (answered(found), found.data) == ((200, 1000), a_cdr())


# --- methods and modules a library does without --------------------------------------------------


@pytest.mark.conformance("TF-14")
def test_a_tariff_is_not_patched(pair: Pair) -> None:
    """OCPI has no PATCH of tariffs: 405 here, as the libraries answer it."""
    result = pair[0].hub.patch("tariffs", "RECEIVER", "NL/CPA/T1", {}, to=MSA, sender=CPA)

    assert answered(result) == (405, 2001)
    assert pair[1].seen == []


def test_an_emsp_that_takes_no_patch(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """405 to PATCH: with the quirk it gets the whole object by PUT instead."""
    emsp, cpo = joined(cast, "P2", "patch=off"), cast["P1"]
    push(cpo, a_location())
    deliver_all()
    emsp.forget()
    change = {"name": "new", "last_updated": "2030-01-01T00:00:00Z"}

    cpo.hub.patch("locations", "RECEIVER", "NL/CPA/L1", change, to=HUB, sender=CPA)
    deliver_all()

    [seen] = asked(emsp, "locations")
    assert (seen.method, seen.json) == ("PUT", {**a_location(), **change})


@pytest.mark.conformance("ST-20", "TOK-16")
def test_an_emsp_that_must_hold_the_token(pair: Pair) -> None:
    """Authorize of a token the library does not hold: its bare 404 is no permission."""
    with pair[1].answer("POST /authorize", detail(404, "Token not found")):
        result = pair[0].hub.post("tokens", "SENDER", "T/authorize", to=MSA, sender=CPA)

    assert answered(result) == (200, 4000)
    assert "data" not in result.json


# --- all of it at once ---------------------------------------------------------------------------


def test_a_day_with_a_platform_of_every_habit(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """Bare errors, lists for objects, slashes, no ids, no routing headers: the data still flows."""
    emsp = joined(
        cast,
        "P2",
        trailing_slash=True,
        bare_errors=True,
        echo_ids=False,
        answer_routing=False,
        wrap_objects=True,
    )
    cpo = cast["P1"]
    emsp.publish("tokens", a_token())
    push(cpo, a_location())
    cpo.hub.put("sessions", "RECEIVER", "NL/CPA/S1", a_session(), to=HUB, sender=CPA)
    post_cdr(cpo)
    deliver_all()
    deliver_all()

    assert cpo.wait_for("PUT /tokens").json == a_token()
    assert [len(asked(emsp, module)) for module in ("locations", "sessions", "cdrs")] == [1, 1, 1]
    assert listed(emsp, "cdrs", MSA) == (["C1"], 1)
