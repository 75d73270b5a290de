"""CDRs addressed to a party: relayed once, found again where that party keeps them."""

import json
from urllib.parse import urlsplit

import pytest

from hub.models import Cdr, Change
from ocpi.transport.authorization import header
from parties.models import Agreement, AgreementState
from sandbox import SandboxPlatform
from sandbox.misbehaviour import html, refuse, reset, say
from sandbox.server import Responder
from tests.cast import CPA, CPB, HUB, MSA, MSB, Cast, route
from tests.hub.charging_objects import T1, T2, answered, asked, for_msb, listed, post_cdr, two_emsps
from tests.ocpi.objects import a_cdr

Pair = tuple[SandboxPlatform, SandboxPlatform]
OK = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'


def created(location: str | None) -> Responder:
    """Answer a POST like a platform that keeps its CDRs there."""
    return say(201, OK, headers={} if location is None else {"Location": location})


@pytest.mark.conformance("CDR-01", "CDR-02", "TF-61", "TF-62")
def test_a_cdr_is_relayed_and_its_location_is_the_hubs(pair: Pair) -> None:
    """The eMSP's own status comes back, under a URL of the hub; the eMSP's is not told."""
    cpo, emsp = pair

    result = post_cdr(cpo, to=MSA)

    [seen] = asked(emsp, "cdrs")
    assert (seen.method, seen.route, seen.json) == ("POST", _path(emsp), a_cdr())
    assert route(seen) == (MSA, CPA)
    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, MSA)
    url = str(result.location)
    assert url.startswith(cpo.hub.endpoint("cdrs", "RECEIVER") + "/")
    assert len(url) <= 255
    assert str(emsp.port) not in str(dict(result.headers))
    assert not Change.objects.exists()


def _path(emsp: SandboxPlatform) -> str:
    return urlsplit(emsp.endpoint("cdrs", "RECEIVER")).path


@pytest.mark.conformance("CDR-01", "ST-15")
def test_a_refusal_is_relayed_and_nothing_remembered(pair: Pair) -> None:
    """The eMSP's words, no URL; the next attempt is passed on again."""
    cpo, emsp = pair
    rule = emsp.answer("POST", refuse(2001, "no such contract"))

    refused = post_cdr(cpo, to=MSA)

    assert (refused.status_code, refused.message) == (2001, "no such contract")
    assert refused.location is None
    assert not Cdr.objects.exists()
    rule.cancel()
    assert answered(post_cdr(cpo, to=MSA)) == (201, 1000)
    assert len(asked(emsp, "cdrs")) == 2


@pytest.mark.conformance("CDR-03", "CDR-06")
def test_a_cdr_is_read_at_exactly_the_url_of_its_receiver(pair: Pair) -> None:
    """Whatever that URL looks like, and whatever became of the eMSP's endpoint since."""
    cpo, emsp = pair
    own = f"http://127.0.0.1:{emsp.port}/elsewhere/a%2Fb%20c/9;v=1?x=%C3%A9&y=1"
    emsp.answer("POST", created(own))
    theirs = b'{"status_code":1000,"data":{"id":"C1","total_cost":1.50}}'
    emsp.answer("GET /elsewhere", say(200, theirs))
    url = str(post_cdr(cpo, to=MSA).location)

    for to, sender in ((None, None), (None, CPA), (HUB, CPA), (MSA, CPA)):
        emsp.forget()
        found = cpo.hub.read(url, to=to, sender=sender)

        [seen] = emsp.seen
        assert seen.path == own.removeprefix(f"http://127.0.0.1:{emsp.port}")
        assert route(seen) == (MSA, CPA)
        assert seen.headers["Authorization"] != header(cpo.hub.token)
        assert answered(found) == (200, 1000)
        assert b'"total_cost":1.50' in found.body
        assert route(found) == (CPA, MSA)
    emsp.forget()
    for platform, party in ((emsp, MSA), (cpo, CPB)):
        assert answered(platform.hub.read(url, sender=party)) == (404, 2001)
    assert emsp.seen == []


@pytest.mark.conformance("CDR-04")
@pytest.mark.parametrize(
    "location, expected",
    [
        ("/cdrs/9", "/cdrs/9"),
        ("9?a=1", "{parent}/9?a=1"),
        ("//127.0.0.1:{port}/x/9", "/x/9"),
    ],
)
def test_a_relative_location_is_of_its_receiver(pair: Pair, location: str, expected: str) -> None:
    """Resolved like any reference, against the endpoint that was called (A-95)."""
    cpo, emsp = pair
    emsp.answer("POST", created(location.format(port=emsp.port)))
    emsp.answer("GET", say(200, b'{"status_code":1000,"data":{"id":"theirs"}}'))
    url = str(post_cdr(cpo, to=MSA).location)

    found = cpo.hub.read(url)

    assert found.data == {"id": "theirs"}
    parent = _path(emsp).rpartition("/")[0]
    assert emsp.seen[-1].path == expected.format(parent=parent)


UNUSABLE = (
    None,
    "",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:{port}/cdrs/9",
    "https://127.0.0.1:{port}/cdrs/9",
    "http://127.0.0.1:1/cdrs/9",
    "http://user:secret@127.0.0.1:{port}/cdrs/9",
    "http://[broken/cdrs/9",
    "http://127.0.0.1:{port}x/cdrs/9",
    "http://127.0.0.1:99999/cdrs/9",
    "file:///etc/passwd",
    "mailto:cdrs@example.com",
    "urn:uuid:9",
    "/" + "x" * 3000,
    "/a b\xe9",
    "/%zz",
    "#9",
    "..",
)


@pytest.mark.conformance("CDR-04")
@pytest.mark.parametrize("location", UNUSABLE, ids=lambda each: repr(each)[:40])
def test_with_an_unusable_location_the_hubs_copy_is_served(
    pair: Pair, location: str | None
) -> None:
    """None at all, of another host, or of no URL: nobody else is asked with the eMSP's token."""
    cpo, emsp = pair
    filled = None if location is None else location.replace("{port}", str(emsp.port))
    emsp.answer("POST", created(filled))
    emsp.answer("GET", refuse(2001, "nothing here", http_status=404))

    posted = post_cdr(cpo, to=MSA)
    found = cpo.hub.read(str(posted.location))

    assert answered(posted) == (201, 1000)
    assert (answered(found), found.data) == ((200, 1000), a_cdr())


@pytest.mark.conformance("CDR-04")
@pytest.mark.parametrize("death", [refuse(2001, http_status=404), html(500), reset(), None])
def test_with_a_dead_location_the_hubs_copy_is_served(pair: Pair, death: Responder | None) -> None:
    """What was posted has not changed because its receiver lost it, or is gone."""
    cpo, emsp = pair
    url = str(post_cdr(cpo, to=MSA).location)
    assert cpo.hub.read(url).data == a_cdr()
    if death is None:
        emsp.stop()
    else:
        emsp.answer("GET", death)

    found = cpo.hub.read(url)

    assert (answered(found), found.data) == ((200, 1000), a_cdr())
    assert route(found) == (CPA, HUB)


def test_after_the_agreement_the_hubs_copy_is_served(pair: Pair) -> None:
    """The eMSP is not asked any more; its CPO still reads what it posted."""
    cpo, emsp = pair
    url = str(post_cdr(cpo, to=MSA).location)
    Agreement.objects.update(state=AgreementState.SUSPENDED)
    emsp.forget()

    found = cpo.hub.read(url)

    assert (answered(found), found.data) == ((200, 1000), a_cdr())
    assert emsp.seen == []


@pytest.mark.conformance("CDR-08", "CDR-09")
def test_a_relayed_cdr_is_posted_once(pair: Pair) -> None:
    """A retry is answered by the hub, another CDR under the id is refused: one call in all."""
    cpo, emsp = pair
    first = post_cdr(cpo, to=MSA)

    for to in (MSA, HUB, None):
        again = post_cdr(cpo, to=to)
        assert answered(again) == (200, 1000)
        assert again.location == first.location
        refused = post_cdr(cpo, to=to, total_energy=1.0)
        assert answered(refused) == (200, 2001)
        assert refused.location is None
    assert len(asked(emsp, "cdrs")) == 1
    assert not Change.objects.exists()


@pytest.mark.conformance("CDR-15", "TF-97")
def test_a_failure_is_told_and_nothing_queued(pair: Pair) -> None:
    """4003 and no URL when the eMSP is away, directly and by open routing."""
    cpo, emsp = pair
    emsp.stop()

    for to in (MSA, None):
        result = post_cdr(cpo, to=to)
        assert answered(result) == (200, 4003)
        assert result.location is None
    assert not Cdr.objects.exists()
    assert not Change.objects.exists()
    emsp.start()
    assert asked(emsp, "cdrs") == []


@pytest.mark.conformance("CDR-14")
def test_without_a_receiver_a_cdr_goes_to_the_owner_of_its_token(cast: Cast) -> None:
    """Now, and the answer is that party's."""
    cpo, msa, msb = two_emsps(cast)

    result = post_cdr(cpo, for_msb(a_cdr()), to=None)

    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, MSB)
    assert route(asked(msb, "cdrs")[0]) == (MSB, CPA)
    assert asked(msa, "cdrs") == []
    assert listed(msb, "cdrs", MSB) == (["C1"], 1)
    assert listed(msa, "cdrs", MSA) == ([], 0)


@pytest.mark.conformance("CDR-16")
def test_an_emsp_asks_a_cpo_for_what_it_missed(pair: Pair) -> None:
    """The filter arrives as it is, and the CPO's list comes back."""
    cpo, emsp = pair
    cpo.own["cdrs"].post(json.dumps(a_cdr(last_updated=T2)))

    result = emsp.hub.get("cdrs", "SENDER", f"?date_from={T1}&limit=5", to=CPA, sender=MSA)

    assert [each["id"] for each in result.data] == ["C1"]
    [seen] = asked(cpo, "cdrs")
    assert seen.query == {"date_from": T1, "limit": "5"}
    assert route(seen) == (CPA, MSA)


@pytest.mark.conformance("CDR-10", "CDR-11")
def test_amounts_are_relayed_as_they_are(pair: Pair) -> None:
    """A credit CDR, signs and all; nothing is recomputed on the way."""
    cpo, emsp = pair
    text = json.dumps(a_cdr(id="X-C", credit=True, credit_reference_id="X"))
    text = text.replace("4.34", "-4.3400").replace("4.82", "1e9")

    result = post_cdr(cpo, text, to=MSA)

    assert answered(result) == (201, 1000)
    assert [seen.body.decode() for seen in asked(emsp, "cdrs")] == [text]


def test_a_url_outlives_everything_around_it(pair: Pair) -> None:
    """Nothing in the hub ends a CDR or its URL: it holds after a new version of the credentials."""
    cpo, emsp = pair
    url = str(post_cdr(cpo, to=MSA).location)
    Change.objects.all().delete()
    cpo.rotate()
    emsp.rotate()

    assert cpo.hub.read(url).data == a_cdr()
