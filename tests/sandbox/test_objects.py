"""Two simulated platforms exchange tariffs, tokens, sessions and CDRs as their chapters say."""

from typing import Any

import pytest

from ocpi.types import PartyRef
from sandbox import SandboxPlatform
from sandbox.demo.tokens import token

CPA, MSA = PartyRef("NL", "CPA"), PartyRef("DE", "MSA")
T1, T2 = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"
CDR = {"country_code": "NL", "party_id": "CPA", "id": "C/1", "total_energy": 1.5}
Json = dict[str, Any]


@pytest.fixture
def sides(connected: SandboxPlatform, emsp: SandboxPlatform) -> dict[str, SandboxPlatform]:
    """Who sends which module."""
    return {"tokens": emsp, "tariffs": connected, "sessions": connected, "cdrs": connected}


def test_a_platform_offers_what_its_roles_implement() -> None:
    """Each role has its modules; a platform of several roles has them all."""
    offers = {
        role: SandboxPlatform([(role, "NL", "ABC")]).addresses.modules
        for role in ("CPO", "EMSP", "NSP", "NAP", "SCSP", "OTHER")
    }
    both = SandboxPlatform([("CPO", "BE", "MIX"), ("EMSP", "BE", "MIX")]).addresses.modules

    assert offers["CPO"] == {
        "tariffs": ["SENDER"],
        "locations": ["SENDER"],
        "tokens": ["RECEIVER"],
        "sessions": ["SENDER"],
        "cdrs": ["SENDER"],
        "commands": ["RECEIVER"],
        "chargingprofiles": ["RECEIVER"],
    }
    assert offers["EMSP"] == {
        "tariffs": ["RECEIVER"],
        "locations": ["RECEIVER"],
        "tokens": ["SENDER"],
        "sessions": ["RECEIVER"],
        "cdrs": ["RECEIVER"],
        "commands": ["SENDER"],
        "chargingprofiles": ["SENDER"],
    }
    shown = {"tariffs": ["RECEIVER"], "locations": ["RECEIVER"]}
    assert offers["NSP"] == shown
    assert offers["OTHER"] == shown | {"commands": ["SENDER"]}
    assert offers["SCSP"] == {"sessions": ["RECEIVER"], "chargingprofiles": ["SENDER"]}
    assert set(map(tuple, [*both.values(), *offers["NAP"].values()])) == {("SENDER", "RECEIVER")}


def test_a_tariff_is_put_and_deleted(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """DELETE takes it away on both sides; a second one finds nothing."""
    tariff = {"country_code": "NL", "party_id": "CPA", "id": "T1", "last_updated": T1}
    put = connected.publish("tariffs", tariff)

    deleted = connected.withdraw("tariffs", CPA, "T1")

    assert (put.http_status, deleted.http_status, deleted.data) == (201, 200, None)
    assert (len(connected.own["tariffs"]), len(emsp.objects["tariffs"])) == (0, 0)
    again = connected.hub.delete("tariffs", "RECEIVER", "NL/CPA/T1")
    assert (again.http_status, again.status_code) == (404, 2001)
    assert connected.hub.get("tariffs", "RECEIVER", "NL/CPA/T1").http_status == 404


def test_a_token_is_told_apart_by_its_type(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Owner, uid and type name a token; without ?type= it is an RFID."""
    card, app = token(1, MSA, T1), token(2, MSA, T1)
    for each in (card, app):
        assert emsp.publish("tokens", each).http_status == 201
    path = f"DE/MSA/{card['uid']}"

    found = [
        emsp.hub.get("tokens", "RECEIVER", path, query=query).data["type"]
        for query in (None, {"type": "RFID"}, {"type": "APP_USER"})
    ]

    assert found == ["RFID", "RFID", "APP_USER"]
    assert connected.seen[1].path.endswith(f"{path}?type=APP_USER")
    assert emsp.hub.get("tokens", "RECEIVER", path, query={"type": "OTHER"}).status_code == 2004
    assert ("DE", "MSA", card["uid"], "APP_USER") in connected.objects["tokens"]
    assert set(connected.objects["tokens"].objects()) == {
        f"DE-MSA/{card['uid']}",
        f"DE-MSA/{card['uid']}/APP_USER",
    }


def test_one_type_of_a_token_is_blocked(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """PATCH valid=false with a type leaves the twin alone."""
    for index in (1, 2):
        emsp.publish("tokens", token(index, MSA, T1))
    uid, patch = token(1, MSA, T1)["uid"], {"valid": False, "last_updated": T2}

    answer = emsp.change("tokens", MSA, uid, patch=patch, variant="APP_USER")

    assert answer.http_status == 200
    held = connected.objects["tokens"].objects()
    assert [each["valid"] for each in held.values()] == [True, False]
    assert held == emsp.own["tokens"].objects()


@pytest.mark.parametrize(
    "query, kind, http_status", [("", "APP_USER", 201), ("?type=RFID", "APP_USER", 200)]
)
def test_the_type_of_the_body_counts_unless_it_contradicts(
    connected: SandboxPlatform, emsp: SandboxPlatform, query: str, kind: str, http_status: int
) -> None:
    """Without a type in the URL that of the body is taken; a contradiction is 2001."""
    body = {**token(1, MSA, T1), "type": kind}

    answer = emsp.hub.put("tokens", "RECEIVER", f"DE/MSA/{body['uid']}{query}", body)

    assert (answer.http_status, answer.succeeded) == (http_status, http_status == 201)
    assert [key[3:] for key in connected.objects["tokens"]] == (
        [("APP_USER",)] if answer.succeeded else []
    )


def test_charging_periods_are_appended(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """A PATCH adds the periods it carries, once, and leaves them alone when it has none."""
    first, second = ({"start_date_time": each, "dimensions": []} for each in (T1, T2))
    session = {"country_code": "NL", "party_id": "CPA", "id": "S1", "last_updated": T1}
    connected.publish("sessions", session)
    patches: list[Json] = [
        {"charging_periods": [first]},
        {"charging_periods": [second], "kwh": 2},
        {"charging_periods": [second], "kwh": 2},
        {"charging_periods": []},
        {"status": "COMPLETED"},
    ]

    for patch in patches:
        answer = connected.change("sessions", CPA, "S1", patch={**patch, "last_updated": T2})
        assert answer.succeeded

    held = emsp.objects["sessions"].objects()["NL-CPA/S1"]
    assert held["charging_periods"] == [first, second]
    assert (held["kwh"], held["status"]) == (2, "COMPLETED")
    assert connected.own["sessions"].objects() == emsp.objects["sessions"].objects()
    connected.publish("sessions", session)
    assert "charging_periods" not in emsp.objects["sessions"].objects()["NL-CPA/S1"]


def test_a_cdr_is_posted_once(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """201 with a Location; the same again is fine, anything else under its id is not."""
    posted = connected.publish("cdrs", CDR)
    again = connected.hub.post("cdrs", "RECEIVER", body=CDR)
    other = connected.hub.post("cdrs", "RECEIVER", body={**CDR, "total_energy": 2})

    assert (posted.http_status, again.http_status) == (201, 200)
    assert posted.location
    assert posted.location.startswith(emsp.endpoint("cdrs", "RECEIVER"))
    assert posted.location == again.location
    assert (other.http_status, other.status_code, other.location) == (200, 2001, None)
    assert connected.hub.read(posted.location, to=MSA, sender=CPA).data == CDR
    assert connected.hub.read(f"{posted.location}x").http_status == 404
    assert len(emsp.objects["cdrs"]) == 1


@pytest.mark.parametrize("missing", ["country_code", "party_id", "id"])
def test_a_cdr_without_a_name_is_refused(connected: SandboxPlatform, missing: str) -> None:
    """Nobody could tell whether it came before."""
    body = {name: value for name, value in CDR.items() if name != missing}

    answer = connected.hub.post("cdrs", "RECEIVER", body=body)

    assert (answer.http_status, answer.status_code) == (200, 2001)


@pytest.mark.parametrize(
    "module, suffix, methods, allowed",
    [
        ("tariffs", "NL/CPA/T1", ["PATCH", "POST"], "DELETE, GET, PUT"),
        ("tokens", "DE/MSA/1", ["DELETE", "POST"], "GET, PATCH, PUT"),
        ("sessions", "NL/CPA/S1", ["DELETE", "POST"], "GET, PATCH, PUT"),
        ("cdrs", "", ["DELETE", "GET", "PATCH", "PUT"], "POST"),
    ],
)
def test_other_methods_are_405(
    sides: dict[str, SandboxPlatform], module: str, suffix: str, methods: list[str], allowed: str
) -> None:
    """A method that the chapter does not have is not allowed, and Allow names those it has."""
    for method in methods:
        answer = sides[module].hub.send(method, module, "RECEIVER", suffix, {})

        assert (answer.http_status, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "module, suffix, code",
    [("tokens", "DE/MSA/1", 2004), ("sessions", "NL/CPA/S1", 2001)],
)
def test_only_what_is_known_can_be_patched(
    sides: dict[str, SandboxPlatform], module: str, suffix: str, code: int
) -> None:
    """404 has the owner PUT; last_updated is demanded of what is known."""
    hub = sides[module].hub
    patched = hub.patch(module, "RECEIVER", suffix, {"last_updated": T1})
    hub.put(module, "RECEIVER", suffix, {})

    assert (patched.http_status, patched.status_code) == (404, code)
    assert hub.patch(module, "RECEIVER", suffix, {"kwh": 1}).status_code == 2001
    assert hub.patch(module, "RECEIVER", f"{suffix}/kwh", {}).http_status == 404


@pytest.mark.parametrize(
    "change", [{"id": "S2"}, {"country_code": "DE"}, {"party_id": "CPB"}, {"id": 7}]
)
def test_an_object_is_called_as_its_url(connected: SandboxPlatform, change: Json) -> None:
    """Another id or owner in the body is 2001; the same in another case is the same."""
    body = {"country_code": "nl", "party_id": "cpa", "id": "s1"}

    wrong = connected.hub.put("sessions", "RECEIVER", "NL/CPA/S1", {**body, **change})
    right = connected.hub.put("sessions", "RECEIVER", "NL/CPA/S1", body)

    assert (wrong.http_status, wrong.status_code, right.http_status) == (200, 2001, 201)


@pytest.mark.parametrize("module", ["tariffs", "tokens", "sessions", "cdrs"])
def test_the_owner_lists_its_objects(
    connected: SandboxPlatform, emsp: SandboxPlatform, module: str
) -> None:
    """Every list has pages and date filters, from inclusive, to exclusive."""
    owner, reader = (emsp, connected) if module == "tokens" else (connected, emsp)
    kind = owner.own[module].kind
    for number in range(1, 6):
        moment = f"2026-11-0{number}T00:00:00Z"
        country, party = str(owner.party).split("-")
        named = {"country_code": country, "party_id": party, kind.id_field: f"X{number}"}
        typed = {kind.variant.member: kind.variant.default} if kind.variant else {}
        owner.publish(module, {**named, **typed, "last_updated": moment})

    crawl = reader.hub.list(module, {"limit": 2})
    some = reader.hub.list(
        module, {"date_from": "2026-11-02T00:00:00Z", "date_to": "2026-11-04T00:00:00Z"}
    )

    assert [each[kind.id_field] for each in crawl.data] == ["X1", "X2", "X3", "X4", "X5"]
    assert [page.headers["X-Total-Count"] for page in crawl.pages] == ["5"] * 3
    assert [each[kind.id_field] for each in some.data] == ["X2", "X3"]
