"""What real platforms do on the wire: a peer that misbehaves exactly so, and what becomes of it.

Seen by running independent implementations against each other: two Python platform libraries and a
simulator written in Go. Not all of it is OCPI; the flow must go on where it can.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.db.models import Q

from ocpi.sandbox import Answer, Responder, Result, SandboxPlatform
from ocpi.sandbox.misbehaviour import detail, say
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.pagination import read_link
from parties.models import Endpoint, Platform
from tests.cast import CPA, HUB, MSA, Cast, a_location, command, push, route
from tests.hub.charging import answered, asked, listed, post_cdr
from tests.ocpi.objects import Json, a_cdr, a_session, a_token

Pair = tuple[SandboxPlatform, SandboxPlatform]
RESULT = b'{"result":"ACCEPTED","message":[]}'
COMMANDS = {"P1": {"commands": ["RECEIVER"], "locations": ["SENDER"], "tokens": ["RECEIVER"]}}
ROUTING = ("OCPI-to-party-id", "OCPI-from-party-id")
IDS = (REQUEST_ID, CORRELATION_ID)
BARE: Mapping[str, None] = dict.fromkeys(IDS)
"""Neither id is sent."""


def _joined(cast: Cast, name: str, *quirks: str, **options: object) -> SandboxPlatform:
    """Register a platform with habits; NL-CPA and DE-MSA exchange everything."""
    platform = cast.join(name, *quirks, **options)
    other = cast["P2" if name == "P1" else "P1"]
    cast.agree(("NL-CPA", "DE-MSA"))
    platform.forget()
    other.forget()
    return platform


def _altered(change: Callable[[Answer], Answer]) -> Responder:
    """Do as asked, and alter the answer."""
    return lambda call: call.send(change(call.usual()))


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
    emsp, cpo = _joined(cast, "P2", wrap_objects=True), cast["P1"]
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
    emsp, cpo = _joined(cast, "P2", wrap_objects=True), cast["P1"]

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


# --- ids and routing headers that are not there --------------------------------------------------


@pytest.mark.conformance("TF-63", "TF-87", "TF-90")
def test_a_peer_that_returns_no_headers(cast: Cast) -> None:
    """Neither ids nor routing headers in the answer: the requester gets its own all the same."""
    _joined(cast, "P2", echo_ids=False, answer_routing=False)

    result = push(cast["P1"], a_location(), to=MSA, **{REQUEST_ID: "r-1", CORRELATION_ID: "c-1"})

    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, MSA)
    assert (result.headers[REQUEST_ID], result.headers[CORRELATION_ID]) == ("r-1", "c-1")


@pytest.mark.conformance("TF-82", "TF-92")
def test_a_peer_that_sends_no_headers(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """No ids, no OCPI-* at all: a platform of one party is known by its token."""
    cpo, emsp = pair
    listing = emsp.hub.get("locations", "SENDER", **BARE)
    token = emsp.hub.put("tokens", "RECEIVER", "DE/MSA/TOKEN-1", a_token(), **BARE)
    deliver_all()

    assert (answered(listing), answered(token)) == ((200, 1000), (201, 1000))
    for result in (listing, token):
        assert route(result) == (MSA, HUB)
        assert all(result.headers[name] for name in IDS)
    assert all(cpo.wait_for("PUT /tokens").headers[name] for name in IDS)


def test_a_handshake_without_ids(cast: Cast) -> None:
    """Versions, details and credentials of a peer that sends neither ids nor routing headers."""
    platform = cast.start("P1")
    token = cast.token_a("P1")
    answers = [
        platform.hub.call("GET", url, token=token, **BARE)
        for url in (cast.versions_url, cast.versions_url.replace("versions", "2.2.1"))
    ]
    url = cast.versions_url.replace("versions", "2.2.1/credentials")
    token_b = platform.invite()

    answers.append(
        platform.hub.call("POST", url, platform.credentials(token_b), token=token, **BARE)
    )

    assert [answered(each) for each in answers] == [(200, 1000)] * 3
    for each in answers:
        assert all(each.headers[name] for name in IDS)
        assert not [name for name in ROUTING if name in each.headers]


# --- results of commands -------------------------------------------------------------------------


def _start(emsp: SandboxPlatform, cpo: SandboxPlatform, answer: Responder) -> Result:
    """Have DE-MSA start a session at NL-CPA, which answers so."""
    body = {"response_url": f"{emsp.addresses.origin}/results/1?x=1&y=2"}
    command_body: Json = {**body, "token": a_token(), "location_id": "LOC1"}
    with cpo.answer("POST /commands/START_SESSION", answer):
        return emsp.hub.post(
            "commands", "RECEIVER", "START_SESSION", command_body, to=CPA, sender=MSA
        )


def _response(result: str, code: int = 1000) -> Responder:
    data = {"result": result, "timeout": 30}
    envelope = {"status_code": code, "data": data, "timestamp": "2026-01-01T00:00:00Z"}
    return say(200, json.dumps(envelope).encode())


def _commanded(cast: Cast, **habits: object) -> Pair:
    cpo = _joined(cast, "P1", modules=COMMANDS["P1"], **habits)
    emsp = cast["P2"]
    emsp.answer("/results/1", say(200, b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'))
    return cpo, emsp


@pytest.mark.conformance("CMD-04", "CMD-07")
@pytest.mark.parametrize(
    "body",
    [
        RESULT,
        b'{"result":"ACCEPTED","session_id":"S1"}',
        b'{"data":{"result":"ACCEPTED","message":[]},"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}',
    ],
    ids=["bare", "with a session_id", "in an envelope"],
)
def test_a_result_with_nothing_but_a_token(cast: Cast, body: bytes) -> None:
    """`POST response_url` with Authorization and a body: the URL tells all the rest."""
    cpo, emsp = _commanded(cast)
    started = _start(emsp, cpo, _response("ACCEPTED"))
    url = str(asked(cpo, "commands")[-1].json["response_url"])  # type: ignore[index]
    emsp.forget()

    result = cpo.hub.call("POST", url, body, **BARE)

    assert answered(result) == (200, 1000)
    [seen] = emsp.seen
    assert seen.path == "/results/1?x=1&y=2"
    assert seen.body == (RESULT if b"data" in body else body)
    assert route(seen) == (MSA, CPA)
    assert seen.headers[CORRELATION_ID] == started.headers[CORRELATION_ID]


@pytest.mark.conformance("CMD-03")
def test_a_start_at_an_unknown_location(cast: Cast) -> None:
    """HTTP 200, 2003, and data nevertheless: relayed as it is (A-105)."""
    cpo, emsp = _commanded(cast)

    result = _start(emsp, cpo, _response("REJECTED", 2003))

    assert answered(result) == (200, 2003)
    assert result.data == {"result": "REJECTED", "timeout": 30}
    assert route(result) == (MSA, CPA)


@pytest.mark.conformance("CMD-09")
def test_a_result_that_comes_late_comes(cast: Cast) -> None:
    """Long after the command's timeout, and more than one: each is passed on."""
    cpo, emsp = _commanded(cast)
    short = {"status_code": 1000, "data": {"result": "ACCEPTED", "timeout": 0}}
    _start(emsp, cpo, say(200, json.dumps(short).encode()))
    url = str(asked(cpo, "commands")[-1].json["response_url"])  # type: ignore[index]
    emsp.forget()

    results = [cpo.hub.call("POST", url, RESULT, **BARE) for _ in range(2)]

    assert [answered(each) for each in results] == [(200, 1000)] * 2
    assert [seen.body for seen in emsp.seen] == [RESULT] * 2


# --- tokens and spelling -------------------------------------------------------------------------


@pytest.mark.conformance("TF-60")
def test_raw_tokens_and_go_casing(cast: Cast) -> None:
    """A raw token, `Ocpi-From-Party-Id` and no ids, in either direction."""
    emsp = _joined(cast, "P2", "base64=off", base64=False, accepts="raw", echo_ids=False)
    cast["P1"].own["locations"]["NL", "CPA", "L1"] = json.dumps(a_location())
    canonical = {
        "Ocpi-From-Party-Id": "MSA",
        "Ocpi-From-Country-Code": "DE",
        "Ocpi-To-Party-Id": "CPA",
        "Ocpi-To-Country-Code": "NL",
    }

    result = emsp.hub.get("locations", "SENDER", "L1", **canonical, **BARE)
    pushed = push(cast["P1"], a_location(), to=MSA)

    assert (answered(result), result.data) == ((200, 1000), a_location())
    assert route(cast["P1"].seen[0]) == (CPA, MSA)
    assert answered(pushed) == (201, 1000)
    [seen] = asked(emsp, "locations")
    assert seen.headers["Authorization"] in {f"Token {each}" for each in emsp.tokens.issued}


@pytest.mark.conformance("TF-63")
def test_go_casing_in_an_answer(pair: Pair) -> None:
    """Canonical spelling of the answer's headers: the requester gets OCPI's."""

    def canonical(answer: Answer) -> Answer:
        return replace(answer, headers={k.title(): v for k, v in answer.headers.items()})

    with pair[1].answer("", _altered(canonical)):
        result = push(pair[0], a_location(), to=MSA)

    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, MSA)
    assert "OCPI-from-party-id" in set(result.headers)


@pytest.mark.parametrize("status", [401, 403])
def test_a_used_token_a(cast: Cast, status: int) -> None:
    """401 or 403 to the hub's registration: the operator is told, and nothing is left behind."""
    with SandboxPlatform([("CPO", "NL", "OLD")]) as platform:
        token = platform.invite()
        platform.answer("", detail(status, "Forbidden"))
        arguments = ("--role=CPO:NL:OLD", f"--versions-url={platform.url}", f"--token-a={token}")

        with pytest.raises(SystemExit):
            command("register_platform", "old", *arguments)

    row = Platform.objects.get(name="old")
    assert "refused the token" in row.last_error
    assert (row.status, row.endpoints.count()) == ("PLANNED", 0)


@pytest.mark.conformance("ST-17")
def test_403_for_a_wrong_token(pair: Pair) -> None:
    """Not 401: the connection is flagged all the same, and the requester not blamed."""
    with pair[1].answer("", detail(403, "Not authenticated")):
        result = push(pair[0], a_location(), to=MSA)

    assert answered(result) == (200, 4003)
    assert "credentials" in Platform.objects.get(name="P2").last_error


# --- URLs ----------------------------------------------------------------------------------------


def test_trailing_slashes(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """Advertised with one, joined by exactly one; lists are asked for as advertised (A-01)."""
    emsp = _joined(cast, "P2", trailing_slash=True)
    cpo, path = cast["P1"], "/ocpi/2.2.1/receiver/locations/NL/CPA/L1"

    push(cpo, a_location(), to=MSA)
    push(cpo, a_location(name="all"))
    deliver_all()
    cpo.hub.get("tokens", "SENDER", "?limit=1", to=MSA, sender=CPA)
    cpo.hub.post("tokens", "SENDER", "T/authorize", to=MSA, sender=CPA)

    stored = Endpoint.objects.filter(~Q(module="credentials"), platform__name="P2")
    assert all(url.endswith("/") for url in stored.values_list("url", flat=True))
    assert [seen.path for seen in emsp.seen] == [
        path,
        path,
        "/ocpi/2.2.1/sender/tokens/?limit=1",
        "/ocpi/2.2.1/sender/tokens/T/authorize",
    ]


def test_endpoints_at_unusual_paths(cast: Cast) -> None:
    """Where a module is, only its advertised URL tells."""
    emsp = cast.start("P2")
    emsp.move("locations", "RECEIVER", "/hub/clientinfo/v1")
    emsp.register_with(cast.versions_url, cast.token_a("P2"))
    cpo = cast["P1"]
    cast.agree(("NL-CPA", "DE-MSA"))

    result = push(cpo, a_location(), to=MSA)

    assert answered(result) == (201, 1000)
    assert asked(emsp, "clientinfo")[-1].path == "/hub/clientinfo/v1/NL/CPA/L1"


# --- methods and modules a library does without --------------------------------------------------


@pytest.mark.conformance("TF-14")
def test_a_tariff_is_not_patched(pair: Pair) -> None:
    """OCPI has no PATCH of tariffs: 405 here, as the libraries answer it."""
    result = pair[0].hub.patch("tariffs", "RECEIVER", "NL/CPA/T1", {}, to=MSA, sender=CPA)

    assert answered(result) == (405, 2001)
    assert pair[1].seen == []


def test_an_emsp_that_takes_no_patch(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """405 to PATCH: with the quirk it gets the whole object by PUT instead."""
    emsp, cpo = _joined(cast, "P2", "patch=off"), cast["P1"]
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
    emsp = _joined(
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
