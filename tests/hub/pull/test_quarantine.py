"""Objects of a list that cannot be used: kept with the reason, while all others are stored."""

import random
import string
import tracemalloc
from collections.abc import Callable

import pytest

from hub.models import Quarantined
from hub.pull import page_objects, quarantine
from hub.pull.quarantine import hint
from sandbox import SandboxPlatform
from sandbox.misbehaviour import reply, say
from tests.cast import CPA, MSA, a_location
from tests.hub.location_owner import T1, listed, pushes
from tests.hub.pull.workers import offer, read

Pair = tuple[SandboxPlatform, SandboxPlatform]
GOOD = a_location(CPA, 1)


def without(name: str, number: int = 2) -> dict[str, object]:
    """Return a Location that lacks a member."""
    return {key: value for key, value in a_location(CPA, number).items() if key != name}


@pytest.mark.conformance("TF-31")
def test_one_broken_object_does_not_lose_a_page(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """Of three, the one without id is quarantined; the others are listed and delivered."""
    cpo, emsp = pair
    page = [GOOD, without("id"), a_location(CPA, 3)]
    with cpo.answer("GET /sender/locations", reply(page)):
        done = read()
    deliver_all()

    assert sorted(listed(emsp, MSA)) == ["L1", "L3"]
    assert sorted(seen.json["id"] for seen in pushes(emsp)) == ["L1", "L3"]
    assert (done.seen, done.stored, done.quarantined, done.last_error) == (3, 2, 1, "")
    [kept] = Quarantined.objects.all()
    assert kept.findings == "id: required"
    assert "mandatory" in hint(kept.fault)


@pytest.mark.security("S-04")
def test_an_object_refused_by_its_shape_is_not_made_to_be_named() -> None:
    """Lists by the hundred thousand become none; what the object calls itself is found."""
    text = b'{"id":"L2","evses":[' + b"[]," * 500_000 + b"[]]}"
    tracemalloc.start()
    assert page_objects._presumed_id(text) == "L2"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 200_000


@pytest.mark.parametrize(
    "broken,finding,helps",
    [
        (without("coordinates"), "coordinates: required", "mandatory"),
        ({**a_location(CPA, 2), "coordinates": "x"}, "must be an object", "another type"),
        ({**a_location(CPA, 2), "last_updated": "yesterday"}, "must be a timestamp", "RFC 3339"),
        ({**a_location(CPA, 2), "evses": "none"}, "must be a list", "another type"),
        ({**a_location(CPA, 2), "country_code": "NLD"}, "country_code", "longer or shorter"),
        ({**a_location(CPA, 2), "name": "a\0b"}, "NUL", "does not allow there"),
        (["no", "object"], "must be an object, not a list", "no object at all"),
        (None, "must be an object", "no object at all"),
        ({**a_location(CPA, 2), "id": 7}, "id: must be a string, not a number", "another type"),
        ({**a_location(CPA, 2), "id": "a\nb"}, "id: must not contain control", "characters"),
    ],
)
def test_the_reason_names_the_field(pair: Pair, broken: object, finding: str, helps: str) -> None:
    """Findings are those a push is answered with, with what helps; the good neighbour is stored."""
    cpo, emsp = pair
    with cpo.answer("GET /sender/locations", reply([broken, GOOD])):
        read()

    assert list(listed(emsp, MSA)) == ["L1"]
    [kept] = Quarantined.objects.all()
    assert finding in kept.findings
    assert helps in hint(kept.fault)


def test_each_kind_of_fault_has_its_hint(pair: Pair) -> None:
    """Once, however often it is there, and whatever words its finding has."""
    wrong = {**without("city"), "coordinates": "x", "last_updated": "soon", "address": None}
    with pair[0].answer("GET /sender/locations", reply([wrong])):
        read()

    [kept] = Quarantined.objects.all()
    helps = hint(kept.fault)
    assert [helps.count(each) for each in ("mandatory", "another type", "RFC 3339")] == [1, 1, 1]
    assert "no object at all" not in helps


def test_what_is_mended_leaves_the_quarantine(pair: Pair) -> None:
    """As soon as a list has it right; first and last sight say how long it was wrong."""
    cpo, _ = pair
    with cpo.answer("GET /sender/locations", reply([without("city", 1)])):
        read()
        read()
    [kept] = Quarantined.objects.all()
    assert (kept.object_id, kept.first_seen_at < kept.last_seen_at) == ("L1", True)
    offer(cpo, "locations", {**GOOD, "last_updated": T1})

    done = read()

    assert (done.stored, Quarantined.objects.count()) == (1, 0)


def test_what_a_full_crawl_does_not_meet_leaves_it_too(pair: Pair) -> None:
    """The platform took the broken object off its list."""
    cpo, _ = pair
    with cpo.answer("GET /sender/locations", reply([without("city", 1), 7])):
        assert read().quarantined == 2

    read(full=True)

    assert not Quarantined.objects.exists()


def test_a_quarantine_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are counted, some are kept, each no longer than can be looked at."""
    monkeypatch.setattr(quarantine, "MOST", 3)
    cpo, _ = pair
    page = [{**without("city", number), "name": "x" * 30_000} for number in range(1, 8)]
    with cpo.answer("GET /sender/locations", reply(page)):
        done = read()
        assert done.quarantined == 7
        read()

    kept = Quarantined.objects.all()
    assert len(kept) == 3
    assert max(len(each.text) for each in kept) == 20_000


def test_repeated_ids_on_a_page_are_one_object(pair: Pair) -> None:
    """The newer one counts, wherever it stands."""
    cpo, emsp = pair
    old = a_location(CPA, 1, last_updated="2026-01-01T00:00:00Z", name="old")
    new = a_location(CPA, 1, last_updated="2027-01-01T00:00:00Z", name="new")
    with cpo.answer("GET /sender/locations", reply([new, old])):
        done = read()

    assert listed(emsp, MSA)["L1"]["name"] == "new"
    assert (done.stored, done.older) == (1, 1)


def test_a_text_is_kept_as_its_owner_wrote_it(pair: Pair) -> None:
    """Unknown members, number lexemes and order survive the way through a list."""
    cpo, emsp = pair
    text = cpo.own["locations"].kind.name
    assert text == "Location"
    body = (
        b'{"country_code":"NL","party_id":"CPA","id":"L9","publish":true,"address":"x","city":"y",'
        b'"country":"NLD","coordinates":{"latitude":"1.000000","longitude":"2.000000"},'
        b'"time_zone":"Europe/Amsterdam","zz_own":1.50e1,"last_updated":"2026-11-21T05:32:00.10Z"}'
    )
    with cpo.answer(
        "GET /sender/locations", say(200, b'{"status_code":"1000","data":[%b]}' % body)
    ):
        read()

    assert body in emsp.hub.get("locations", "SENDER").body


def test_an_id_that_is_far_too_long_costs_only_its_object(pair: Pair) -> None:
    """No index holds it: it is in quarantine under what its text comes to, the others are taken."""
    cpo, emsp = pair
    endless = "".join(random.Random(7).choices(string.ascii_letters, k=6_000))
    page = [a_location(CPA, 1), a_location(CPA, 2, id=endless)]
    with cpo.answer("GET /sender/locations", reply(page)):
        done = read(full=True)

    assert (done.phase, done.stored, done.quarantined, done.is_gapless) == ("IDLE", 1, 1, False)
    assert list(listed(emsp, MSA)) == ["L1"]
    [kept] = done.quarantine.all()
    assert "more than 255 characters" in kept.findings
    assert hint(kept.fault)
