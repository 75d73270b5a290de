"""What follows from the declaration of a module alone: no code is for toys but `toys.MODULE`."""

import pytest
from django.test import Client
from django.urls import reverse

from hub.models import Exchange
from ocpi.transport.pagination import read_link
from parties.access import explain
from sandbox import Responder, Result, SandboxPlatform
from sandbox.misbehaviour import say
from tests.cast import CPA, HUB, MSA, MSB, Cast, a_location, command, push, route
from tests.hub.declared_module.toys import NUMBER, TOYS, Pair, a_repair, a_toy, asked
from tests.hub.gateway.commands import NOTED, enveloped, in_envelope
from tests.hub.message_log.conftest import Logged


def _page(link: str = "") -> Responder:
    """Answer with a page that holds nothing, and goes on there."""
    return say(200, enveloped([]), headers={"Link": link} if link else {})


def _codes(result: Result) -> tuple[int, int | None]:
    return result.http_status, result.status_code


# --- announced --------------------------------------------------------------------------------


def test_it_is_announced_in_its_version_alone(strangers: Pair, cast: Cast) -> None:
    """Both sides, at URLs made of its identifier; who speaks an older version is not told."""
    endpoints = strangers[0].hub.connected.endpoints

    for side in ("SENDER", "RECEIVER"):
        url = endpoints["toys", side]
        assert url.endswith(f"/ocpi/{NUMBER}/{side.lower()}/toys")
    older = cast["P3"].hub
    assert ("toys", "SENDER") not in older.connected.endpoints
    gone = older.call("GET", older.endpoint("tariffs", "SENDER").replace("tariffs", "toys/toys"))
    assert _codes(gone) == (404, 2001)
    assert "serves no sender interface of toys in 2.2.1" in (gone.message or "")


# --- routed and forwarded ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["toys", "repairs"])
def test_each_type_has_its_list(partners: Pair, kind: str) -> None:
    """A list of a party is passed on with its pages: the link leads to the hub's own list."""
    cpo, emsp = partners
    with cpo.answer("GET", _page('<?offset=1>; rel="next"')):
        first = emsp.hub.get("toys", "SENDER", f"{kind}?limit=1", to=CPA, sender=MSA)
    link = read_link(first.headers["Link"], base_url=emsp.hub.endpoint("toys", "SENDER"))
    assert (link or "").startswith(f"{emsp.hub.endpoint('toys', 'SENDER')}/{kind}?")
    with cpo.answer("GET", _page()):
        assert emsp.hub.read(link or "").status_code == 1000
    assert asked(cpo) == [("GET", f"{kind}"), ("GET", f"{kind}")]
    assert [seen.query for seen in cpo.seen] == [{"limit": "1"}, {"offset": "1"}]


def test_one_path_may_mean_two_things(partners: Pair) -> None:
    """What a GET of it lists a POST asks for; other methods are refused with those two."""
    cpo, emsp = partners

    refused = emsp.hub.put("toys", "SENDER", "repairs", {}, to=CPA, sender=MSA)

    assert refused.http_status == 405
    assert refused.headers["Allow"] == "GET, POST"
    assert cpo.seen == []
    assert emsp.hub.get("toys", "SENDER", "toys/T1", to=CPA, sender=MSA).status_code == 1000
    body = {"last_updated": "2026-01-02T00:00:00Z"}
    changed = emsp.hub.patch("toys", "SENDER", "repairs/R1", body, to=CPA, sender=MSA)
    assert (changed.status_code, route(changed)) == (1000, (MSA, CPA))
    assert asked(cpo) == [("GET", "toys/T1"), ("PATCH", "repairs/R1")]


def test_an_owner_pushes_under_its_own_name(partners: Pair) -> None:
    """Client Owned Objects are passed on as they came, unless they are another's or contradict."""
    cpo, emsp = partners
    path = "repairs/NL/CPA/R1"

    def put(path: str, body: object) -> Result:
        return cpo.hub.put("toys", "RECEIVER", path, body, to=MSA, sender=CPA)

    assert _codes(put(path, a_repair())) == (200, 1000)
    assert emsp.seen[0].json == a_repair()
    assert asked(emsp) == [("PUT", path)]
    assert _codes(put(path, a_repair(id="R2")))[1] == 2001
    assert put("repairs/DE/MSA/R1", a_repair()).http_status == 404
    assert _codes(cpo.hub.get("toys", "RECEIVER", path, to=MSA, sender=CPA))[0] == 405
    assert len(emsp.seen) == 1


def test_results_come_back_to_whoasked(partners: Pair) -> None:
    """An action with a `response_url` gets one of the hub's, below the path of results."""
    cpo, emsp = partners
    emsp.answer("/toys/play", in_envelope(NOTED))
    cpo.answer("/mine/", in_envelope())
    own = f"{cpo.addresses.origin}/mine/7"
    body = {"toy_id": "T1", "response_url": own}

    told = cpo.hub.post("toys", "RECEIVER", "play", body, to=MSA, sender=CPA)

    assert told.data == NOTED
    given = str((emsp.seen[0].json or {})["response_url"])
    assert given.startswith(f"{emsp.hub.endpoint('toys', 'SENDER')}/played/")
    result = emsp.hub.call("POST", given, {"result": "WON"})
    assert (result.status_code, cpo.seen[-1].json) == (1000, {"result": "WON"})


# --- without a receiver -----------------------------------------------------------------------


@pytest.mark.parametrize("to", [None, HUB])
def test_what_an_action_is_about_tells_for_whom_it_is(partners: Pair, to: None) -> None:
    """It names a Location, whose owner is meant; of an unknown one nobody is."""
    cpo, emsp = partners
    assert push(cpo, a_location()).http_status == 201
    cpo.forget()

    def wish(location: str) -> Result:
        body = {"location_id": location}
        return emsp.hub.post("toys", "SENDER", "repairs", body, to=to, sender=MSA)

    found = wish("L1")
    assert (found.status_code, route(found)) == (1000, (MSA, CPA))
    assert asked(cpo) == [("POST", "repairs")]
    unknown = wish("NOPE")
    assert (_codes(unknown), unknown.data) == ((200, 2003), None)


@pytest.mark.parametrize("to", [None, HUB])
def test_where_nobody_can_be_meant_it_is_refused(partners: Pair, to: None) -> None:
    """Neither the hub nor anybody else has what is only passed on."""
    cpo, emsp = partners
    told = [
        emsp.hub.get("toys", "SENDER", "repairs", to=to, sender=MSA),
        emsp.hub.get("toys", "SENDER", "toys/T1", to=to, sender=MSA),
        cpo.hub.put("toys", "RECEIVER", "toys/NL/CPA/T1", a_toy(), to=to, sender=CPA),
        cpo.hub.get("toys", "RECEIVER", "toys/NL/CPA/T1", to=to, sender=CPA),
    ]

    for result in told:
        assert _codes(result) == (200, 4000)
        assert "set OCPI-to-country-code" in (result.message or "")
    assert cpo.seen + emsp.seen == []


# --- access -----------------------------------------------------------------------------------


def test_without_an_agreement_nobody_is_there(strangers: Pair, cast: Cast) -> None:
    """4001 until an agreement covers it: one about other modules does not."""
    _, emsp = strangers

    def get() -> int | None:
        return emsp.hub.get("toys", "SENDER", "toys", to=CPA, sender=MSA).status_code

    assert get() == 4001
    command("agree", str(CPA), str(MSA), "--module=tariffs")
    assert get() == 4001
    assert not explain(CPA, MSA, TOYS).allowed
    command("agree", str(CPA), str(MSA), "--module=tariffs", "--module=toys")
    assert get() == 1000
    assert explain(CPA, MSA, TOYS).allowed


def test_who_does_not_implement_a_side_is_notasked(partners: Pair, cast: Cast) -> None:
    """Its roles say who owns toys and who reads; whose version has none offers no endpoint."""
    cpo, emsp = partners
    assert cast["P3"]
    cast.agree((str(CPA), "FR-MSB"))

    def get(platform: SandboxPlatform, **parties: object) -> Result:
        return platform.hub.get("toys", "SENDER", "toys", **parties)

    reader = get(cpo, to=MSA, sender=CPA)
    assert "is EMSP, which does not implement the SENDER interface of toys" in (
        reader.message or ""
    )
    older = cpo.hub.put("toys", "RECEIVER", "repairs/NL/CPA/R1", a_repair(), to=MSB, sender=CPA)
    assert older.status_code == 4000
    assert "does not offer the RECEIVER interface of toys" in (older.message or "")
    assert emsp.seen == []


# --- the log and the console ------------------------------------------------------------------


def test_the_log_knows_what_it_is_about(
    partners: Pair, logged: Logged, admin_client: Client
) -> None:
    """Module, version, side and the object's id, on both hops; the console finds it by them."""
    cpo, _ = partners
    sent = cpo.hub.put("toys", "RECEIVER", "repairs/NL/CPA/R1", a_repair(), to=MSA, sender=CPA)
    assert sent.status_code == 1000

    rows = [row for row in logged() if row.module == "toys"]

    assert [row.direction for row in rows] == ["in", "out"]
    for row in rows:
        assert (row.version, row.interface, row.object_key) == (NUMBER, "RECEIVER", "R1")
        assert (row.method, row.path, row.route) == ("PUT", "repairs/NL/CPA/R1", "direct")
        assert row.endpoint.endswith("/receiver/toys")
    shown = admin_client.get(
        reverse("admin:hub_exchange_changelist"), {"module": "toys", "object": "R1"}
    )
    assert shown.status_code == 200
    assert shown.content.decode().count("repairs/NL/CPA/R1") >= len(rows)
    for row in Exchange.objects.filter(module="toys"):
        page = admin_client.get(reverse("admin:hub_exchange_change", args=[row.pk]))
        assert page.status_code == 200
        assert "repairs/NL/CPA/R1" in page.content.decode()


def test_the_console_offers_it_by_name(partners: Pair, admin_client: Client) -> None:
    """In the explorer, for agreements, and where access is explained."""
    offered = {
        "admin:hub_exchange_changelist": '<option value="toys"',
        "admin:parties_agreement_explain": '<option value="toys"',
        "admin:parties_agreement_add": 'value="toys"',
    }
    for name, wanted in offered.items():
        assert wanted in admin_client.get(reverse(name)).content.decode(), name
