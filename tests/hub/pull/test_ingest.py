"""What is read from a platform's lists, for whom, and what the others hear of it."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.utils import timezone

from hub.models import Change, PullState
from parties.agreements import agree, suspend
from parties.models import Agreement
from sandbox import SandboxPlatform
from sandbox.misbehaviour import reply
from tests.cast import CPA, CPB, HUB, MSA, MSB, Cast, a_location, push, route
from tests.hub.charging_objects import for_msb, listed, posts, two_emsps
from tests.hub.location_owner import T1, T2, T3, pushes
from tests.hub.location_owner import listed as locations
from tests.hub.pull.workers import asked, offer, read, read_all, state
from tests.ocpi.objects import a_cdr, a_session, a_tariff, a_token

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.mark.conformance("TF-102")
def test_a_newcomer_is_read_once_a_party(cast: Cast) -> None:
    """Requests go FROM the hub TO each party, for each list that is offered."""
    cpo = cast["P1"]
    cpo.forget()

    read_all()

    for module in ("tariffs", "locations"):
        found = asked(cpo, module)
        assert {route(seen) for seen in found} == {(CPA, HUB), (CPB, HUB)}
        assert len(found) == 2
    assert all("X-Request-ID" in seen.headers for seen in cpo.seen)


@pytest.mark.conformance("TF-104")
def test_what_a_list_has_reaches_the_receivers(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """A CPO that only offers lists and an eMSP that only takes pushes work together."""
    cpo, emsp = pair
    offer(cpo, "locations", a_location(CPA, 1, last_updated=T1))
    read_all()
    deliver_all()
    changed = a_location(CPA, 1, last_updated=T2, name="renamed")
    offer(cpo, "locations", changed)

    done = read()
    deliver_all()

    last = pushes(emsp)[-1]
    assert (last.method, last.json, route(last)) == ("PUT", changed, (MSA, HUB))
    assert (done.seen, done.stored, done.unchanged) == (1, 1, 0)


def test_what_did_not_change_is_not_told_again(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """A second reading stores nothing, whether an object came by push or by list."""
    cpo, emsp = pair
    push(cpo, a_location(CPA, 1))
    offer(cpo, "locations", a_location(CPA, 1), a_location(CPA, 2))
    read(full=True)
    deliver_all()
    before = len(pushes(emsp))

    done = read(full=True)
    deliver_all()

    assert (done.seen, done.stored, done.unchanged) == (2, 0, 2)
    assert len(pushes(emsp)) == before == 2


@pytest.mark.conformance("TF-107")
def test_an_older_page_changes_nothing(pair: Pair) -> None:
    """What the owner pushed is newer than its list: the push stays."""
    cpo, emsp = pair
    offer(cpo, "locations", a_location(CPA, 1, last_updated=T1, name="of the list"))
    push(cpo, a_location(CPA, 1, last_updated=T2, name="of the push"))

    done = read()

    assert (done.older, done.stored) == (1, 0)
    assert locations(emsp, MSA)["L1"]["name"] == "of the push"


@pytest.mark.conformance("TF-107")
def test_a_page_does_not_undo_a_push_of_the_same_second(pair: Pair) -> None:
    """What was pushed after the list was asked for stays; the next reading takes what is listed."""
    cpo, emsp = pair
    offer(cpo, "locations", a_location(CPA, 1, last_updated=T1, name="before"))

    def push_meanwhile(seen: object, _: object) -> None:
        if "/sender/locations" in str(seen):
            push(cpo, a_location(CPA, 1, last_updated=T1, name="meanwhile"))

    cpo.watchers.append(push_meanwhile)
    done = read()
    cpo.watchers.remove(push_meanwhile)

    assert (done.older, done.stored) == (1, 0)
    assert locations(emsp, MSA)["L1"]["name"] == "meanwhile"
    assert read().stored == 1
    assert locations(emsp, MSA)["L1"]["name"] == "before"


@pytest.mark.conformance("TF-103")
def test_a_platform_that_ignores_whom_it_is_asked_for_makes_no_doubles(cast: Cast) -> None:
    """The owner is whom the object names; the second reading finds all unchanged."""
    cpo, emsp = cast.join("P1", ignore_to=True), cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPB", "DE-MSA"))
    offer(cpo, "locations", a_location(CPA, 1), a_location(CPB, 1), a_location(CPB, 2))

    read_all()

    crawl = emsp.hub.list("locations", to=HUB, sender=MSA)
    found = sorted((each["party_id"], each["id"]) for each in crawl.data)
    assert found == [("CPA", "L1"), ("CPB", "L1"), ("CPB", "L2")]
    assert Change.objects.filter(module="locations").count() == 3


@pytest.mark.conformance("TF-53")
def test_objects_of_strangers_are_not_taken(pair: Pair) -> None:
    """DE-XXX is no party of the platform: its Location is in quarantine, with the reason."""
    cpo, emsp = pair
    stranger = {**a_location(CPA, 9), "country_code": "DE", "party_id": "XXX"}
    with cpo.answer("GET /sender/locations", reply([stranger, a_location(CPA, 1)])):
        done = read()

    assert list(locations(emsp, MSA)) == ["L1"]
    [kept] = done.quarantine.all()
    assert "DE-XXX is no party of this platform" in kept.findings


@pytest.mark.conformance("TF-105")
def test_personal_objects_are_for_the_owner_of_the_token(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """Sessions and CDRs of a list go to the owner of their token; those of strangers to nobody."""
    cpo, msa, msb = two_emsps(cast)
    nobody = {"country_code": "AT", "party_id": "ZZZ"}
    foreign = a_session(id="S3")
    foreign["cdr_token"] |= nobody
    offer(cpo, "sessions", a_session(), for_msb(a_session(id="S2")), foreign)
    offer(cpo, "cdrs", a_cdr(), for_msb(a_cdr(id="C2")))

    read_all()
    deliver_all()

    assert listed(msa, "sessions", MSA)[0] == ["S1"]
    assert listed(msb, "cdrs", msb.party)[0] == ["C2"]
    assert [each["id"] for each in posts(msa)] == ["C1"]
    assert state("sessions").passed_over == 1


@pytest.mark.parametrize("begins", ["now", "by its date"])
def test_what_was_passed_over_is_read_when_an_agreement_begins(cast: Cast, begins: str) -> None:
    """Suspended when they were listed, active later: although they are older than the changes."""
    cpo, _, msb = two_emsps(cast)
    suspend(CPA, MSB)
    offer(cpo, "cdrs", for_msb(a_cdr(id="C2")))
    assert read("cdrs").passed_over == 1
    cpo.own["cdrs"].clear()
    assert read("cdrs").passed_over == 1
    offer(cpo, "cdrs", for_msb(a_cdr(id="C2")))

    if begins == "now":
        agree(CPA, MSB)
    else:
        Agreement.objects.update(state="ACTIVE", valid_from=timezone.now())
    read_all()

    assert listed(msb, "cdrs", MSB)[0] == ["C2"]
    assert state("cdrs").date_from is None
    Agreement.objects.get(emsp__key="FR-MSB").save()
    assert not state("cdrs").full_requested


def test_what_was_passed_over_is_read_when_its_party_registers(
    cast: Cast, settings: LazySettings
) -> None:
    """Where access is open no agreement begins: the newcomer itself is the reason."""
    settings.HUB_ACCESS = "open"
    cpo, _ = cast["P1"], cast["P2"]
    offer(cpo, "cdrs", for_msb(a_cdr(id="C2")))
    read_all()
    assert state("cdrs").passed_over == 1

    msb = cast["P3"]
    read_all()

    assert listed(msb, "cdrs", MSB)[0] == ["C2"]
    read_all()
    assert not state("cdrs").full_requested


def test_personal_lists_are_not_asked_for_without_need(cast: Cast) -> None:
    """Nobody has an agreement with NL-CPB: its sessions and CDRs are nobody's business."""
    cpo, _ = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    cpo.forget()

    read_all()

    assert {route(seen) for seen in asked(cpo, "cdrs")} == {(CPA, HUB)}


def test_tokens_and_tariffs_are_read_too(pair: Pair) -> None:
    """A Token's type is part of its name; a CDR that changed is refused."""
    cpo, emsp = pair
    offer(emsp, "tokens", a_token(type="APP_USER"))
    offer(cpo, "tariffs", a_tariff())
    offer(cpo, "cdrs", a_cdr())
    read_all()
    offer(cpo, "cdrs", a_cdr(total_energy=99))

    done = read("cdrs", full=True)

    assert listed(emsp, "tariffs", MSA)[0] == ["T1"]
    [token] = cpo.hub.list("tokens", to=HUB, sender=CPA).data
    assert token["type"] == "APP_USER"
    [kept] = done.quarantine.all()
    assert "never changes" in kept.findings


def test_nothing_is_read_from_a_platform_that_is_not_connected(pair: Pair) -> None:
    """Nor from one whose quirk says so, nor where no list is offered."""
    cpo, _ = pair
    read_all()
    row = state().party.platform
    row.quirks = row.quirks.with_settings(["pull=off"])
    row.save(update_fields=["quirks"])
    PullState.objects.update(due_at=T1.replace("2027", "2020"))
    cpo.forget()

    assert read_all() == 1  # the eMSP's tokens
    assert asked(cpo) == []


@pytest.mark.conformance("TF-106")
def test_later_readings_ask_for_changes(pair: Pair) -> None:
    """The first one reads all, the next what changed since it began less an overlap."""
    cpo, _ = pair
    read_all()
    first = state()
    cpo.forget()

    read()

    assert "date_from" not in first.next_url
    [seen] = asked(cpo)
    assert first.started_at is not None
    assert seen.query["date_from"] < first.started_at.isoformat()
    assert seen.query["date_from"] < T3
