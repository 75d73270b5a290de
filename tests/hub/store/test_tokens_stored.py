"""Tokens as the hub keeps them: told apart by owner, uid and type, and shown to CPOs alone."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from hub.models import Token
from sandbox import misbehaviour
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, route
from tests.hub.exchange import CDRS, SESSIONS, TOKENS, Trade
from tests.hub.location_owner import T2
from tests.ocpi.objects import Json

Deliver = Callable[[], int]
APP = "?type=APP_USER"


@pytest.fixture
def trade(cast: Cast, deliver_all: Deliver) -> Trade:
    """DE-MSA and NL-CPA, which is told what changes from now on."""
    trade = Trade(TOKENS, cast).agree(0)
    deliver_all()
    return trade


def card(**changes: Any) -> Json:
    """Make the RFID Token X1."""
    return TOKENS.make(1, **changes)


def app(**changes: Any) -> Json:
    """Make the APP_USER Token with the same uid."""
    return TOKENS.make(1, type="APP_USER", contract_id="in the app", **changes)


@pytest.mark.conformance("TOK-01", "TOK-02", "TOK-03")
def test_uid_and_type_together_name_a_token(trade: Trade) -> None:
    """Without a type it is the RFID one; neither overwrites the other, by PUT or by PATCH."""
    both = (("", card()), (APP, app()))
    for query, value in both:
        created = trade.send("PUT", "X1", value, query=query)
        assert (created.http_status, created.status_code) == (201, 1000)

    for query, value in both:
        assert trade.get("X1", query=query) == value
    assert trade.get("X1", query="?type=RFID") == card()
    assert trade.get("x1", query=APP) == app()
    assert trade.get("X1", query="?type=OTHER") is None
    assert trade.crawl().data == [card(), app()]

    patch = {"valid": False, "last_updated": T2}
    assert trade.send("PATCH", "X1", patch, query=APP).status_code == 1000
    assert trade.get("X1") == card()
    assert trade.get("X1", query=APP) == app() | patch
    assert trade.send("PUT", "X1", card(valid=False)).http_status == 200
    assert trade.get("X1", query=APP) == app() | patch


@pytest.mark.conformance("TOK-04")
def test_a_put_without_type_goes_by_its_body(trade: Trade) -> None:
    """And one whose URL says another type than its body is 2001 (A-99)."""
    created = trade.send("PUT", "X1", app())

    assert created.http_status == 201
    assert trade.get("X1") is None
    assert trade.get("X1", query=APP) == app()
    for query, value in ((APP, card()), ("?type=RFID", app()), ("?type=app_user", app())):
        for to in (HUB, CPA):
            refused = trade.send("PUT", "X1", value, query=query, to=to)
            assert (refused.http_status, refused.status_code) == (200, 2001)
            assert "type" in str(refused.message)
    assert trade.crawl().data == [app()]
    assert trade.pushes() == []


@pytest.mark.conformance("TOK-03", "TOK-04")
@pytest.mark.parametrize("query, other", [("", "APP_USER"), (APP, "RFID"), (APP, None)])
def test_a_patch_does_not_make_another_token_of_it(
    trade: Trade, query: str, other: str | None
) -> None:
    """The type belongs to its name: 2001, and it stays what it was."""
    value = app() if query else card()
    trade.send("PUT", "X1", value, query=query)

    refused = trade.send("PATCH", "X1", {"type": other, "last_updated": T2}, query=query)

    assert (refused.http_status, refused.status_code) == (200, 2001)
    assert "type" in str(refused.message)
    assert trade.crawl().data == [value]


@pytest.mark.parametrize("query", ["?type=%00", "?type=%1F", "?type=" + "x" * 3000, "?type=%FF"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_a_type_that_is_none_names_no_token(trade: Trade, method: str, query: str) -> None:
    """Whatever it is made of: an answer about the request, never a failure of the hub."""
    body = None if method == "GET" else card(last_updated=T2)

    result = trade.send(method, "X1", body, query=query)

    assert result.status_code in {2001, 2004}, str(result)
    assert Token.objects.count() == 0


@pytest.mark.conformance("TOK-05")
def test_the_type_is_passed_on(trade: Trade, deliver_all: Deliver) -> None:
    """As it was sent to a party; of what the hub delivers the type is told unless it is RFID."""
    trade.send("PUT", "X1", app(), query=f"{APP}&x=1%2C2", to=CPA)
    trade.send("PUT", "X1", app())
    trade.send("PATCH", "X1", {"valid": False, "last_updated": T2}, query=APP)
    trade.send("PUT", "X1", card(), query="?type=RFID")
    deliver_all()
    trade.send("PATCH", "X1", {"valid": True, "last_updated": T2}, query=APP)
    deliver_all()
    trade.send("GET", "X1", query=APP, to=CPA)

    seen = [each for each in trade.reader().seen if "/tokens/" in each.path]
    paths = [each.path.rpartition("/tokens/")[2] for each in seen]
    assert paths[0] == f"DE/MSA/X1{APP}&x=1%2C2"
    assert sorted(paths[1:-2]) == ["DE/MSA/X1", f"DE/MSA/X1{APP}"]
    assert [(each.method, path) for each, path in zip(seen[-2:], paths[-2:], strict=True)] == [
        ("PATCH", f"DE/MSA/X1{APP}"),
        ("GET", f"DE/MSA/X1{APP}"),
    ]
    known = trade.reader().objects["tokens"].objects()
    assert known == {
        "DE-MSA/X1": card(),
        "DE-MSA/X1/APP_USER": app(valid=True, last_updated=T2),
    }


@pytest.mark.conformance("TOK-03", "TOK-05")
def test_a_newcomer_is_told_of_both_tokens_of_a_driver(trade: Trade, deliver_all: Deliver) -> None:
    """What was there before it came arrives under the same URLs as what is pushed to it."""
    odd = TOKENS.make(1, type="x/y &z")
    trade.push_new(card(), app(), odd)
    newcomer = trade.agree(1).reader(1)

    deliver_all()

    queries = {seen.path.partition("/tokens/")[2]: seen.json for seen in trade.pushes(1)}
    assert queries == {
        "DE/MSA/X1": card(),
        f"DE/MSA/X1{APP}": app(),
        "DE/MSA/X1?type=x%2Fy%20%26z": odd,
    }
    assert len(newcomer.objects["tokens"]) == 3
    assert trade.get("X1", query="?type=x%2Fy+%26z") == odd


@pytest.mark.conformance("TOK-06", "TF-36", "TF-37")
def test_a_token_is_blocked_by_a_patch(trade: Trade, deliver_all: Deliver) -> None:
    """`valid: false` with last_updated reaches the CPO; without it is 2001 and nobody is told."""
    trade.push_new(card())
    deliver_all()

    refused = trade.send("PATCH", "X1", {"valid": False})
    blocked = trade.send("PATCH", "X1", {"valid": False, "last_updated": T2})
    deliver_all()

    assert (refused.http_status, refused.status_code) == (200, 2001)
    assert (blocked.http_status, blocked.status_code) == (200, 1000)
    assert trade.get("X1") == card(valid=False, last_updated=T2)
    assert [seen.method for seen in trade.pushes()] == ["PUT", "PATCH"]
    assert trade.pushes()[-1].json == {"valid": False, "last_updated": T2}
    assert not Token.objects.get().valid


@pytest.mark.conformance("TOK-07")
def test_tokens_are_neither_posted_nor_deleted(trade: Trade) -> None:
    """405; what is not valid any more is patched."""
    trade.push_new(card())

    for method in ("POST", "DELETE"):
        result = trade.send(method, "X1", card())
        assert (result.http_status, result.headers["Allow"]) == (405, "GET, PATCH, PUT")
    assert trade.get("X1") == card()


@pytest.mark.conformance("TOK-08", "TOK-09", "TF-77")
def test_a_cpo_gets_the_tokens_of_its_emsps_and_no_emsp_gets_any(cast: Cast) -> None:
    """NL-CPA agreed with both; who agreed with one, and the other eMSP, do not see the rest."""
    trade = Trade(TOKENS, cast).agree(0, 1)
    other = cast["P3"]
    cast.agree(("NL-CPA", "FR-MSB"))
    theirs = TOKENS.make(2, country_code="FR", party_id="MSB")
    trade.push_new(card())
    other.hub.put("tokens", "RECEIVER", "FR/MSB/X2", theirs, to=HUB, sender=MSB)

    assert trade.crawl(0, limit=1).data == [card(), theirs]
    assert trade.crawl(1).data == [card()]
    assert cast["P1"].hub.list("tokens", to=HUB, sender=CPB).data == []
    for platform, party in ((other, MSB), (trade.platform, MSA)):
        page = platform.hub.list("tokens", to=HUB, sender=party).pages[0]
        assert (page.data, page.headers["X-Total-Count"]) == ([], "0")


@pytest.mark.conformance("TF-66", "TF-68")
def test_tokens_go_to_cpos_only(cast: Cast, deliver_all: Deliver) -> None:
    """Of an eMSP and of an OTHER; one request for each CPO of a platform, none to other eMSPs."""
    names = {"P1": [CPA, CPB], "P3": [], "P4": [MIX]}
    for name in names:
        cast[name]
    owners = {"P2": ("DE", "MSA"), "P8": ("NL", "OTH")}
    for name, (country, party) in owners.items():
        cast.join(name, modules={"tokens": ["SENDER"], "tariffs": ["RECEIVER"]})
        for cpo in (CPA, CPB, MIX):
            cast.agree((str(cpo), f"{country}-{party}"))
    deliver_all()

    for name, (country, party) in owners.items():
        value = card(country_code=country, party_id=party)
        suffix = f"{country}/{party}/X1"
        result = cast[name].hub.put("tokens", "RECEIVER", suffix, value, to=HUB)
        assert (result.http_status, result.status_code) == (201, 1000)
        deliver_all()

        for receiver, parties in names.items():
            seen = [each for each in cast[receiver].seen if each.path.endswith(f"/tokens/{suffix}")]
            assert sorted(map(route, seen)) == [(to, HUB) for to in sorted(parties)]
            assert all(each.json == value for each in seen)


def test_what_appears_in_sessions_and_cdrs_only_is_no_token_of_the_list(cast: Cast) -> None:
    """Whom a cdr_token is of is known from the object itself; it is not learnt from it."""
    for kind in (SESSIONS, CDRS):
        trade = Trade(kind, cast).agree(0)
        value = kind.make(1)
        value["cdr_token"] |= {"uid": "ad hoc", "type": "AD_HOC_USER"}
        trade.push_new(value)

    assert Trade(TOKENS, cast).crawl().data == []
    assert Token.objects.count() == 0


@pytest.mark.conformance("TOK-20")
def test_no_log_tells_a_uid(
    trade: Trade, deliver_all: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither when all is well, nor when a request, its receiver or the delivery fails."""
    caplog.set_level(logging.DEBUG)
    uid = "04E9A1B2C3D4F5"
    value = card(uid=uid)

    assert trade.send("PUT", uid, value).http_status == 201
    assert trade.send("GET", f"{uid}0").http_status == 404
    assert trade.send("DELETE", uid).http_status == 405
    assert trade.send("PATCH", f"{uid}9", {"valid": False, "last_updated": T2}).http_status == 404
    assert trade.send("PUT", uid, {**value, "valid": None}).status_code == 2001
    assert trade.send("PUT", uid, b"{").http_status == 400
    assert trade.send("PUT", uid, {"uid": uid, "type": "RFID"}, to=CPA).status_code == 1000
    assert trade.send("PUT", uid, value, Authorization="Token nope").http_status == 401
    for responder in (misbehaviour.refuse(2001), misbehaviour.redirect("/x"), misbehaviour.reset()):
        with trade.reader().answer("/tokens/", responder):
            trade.send("PUT", uid, value, to=CPA)
            trade.push(card(uid=uid, visual_number=str(responder)))
            deliver_all()

    lines = {
        f"{record.name}: {record.getMessage()}"
        for record in caplog.records
        if not record.name.startswith("urllib3")  # the platform's own client
    }
    assert lines
    leaks = [line for line in sorted(lines) if uid[:-1] in line]
    assert not leaks, "\n".join(leaks)
