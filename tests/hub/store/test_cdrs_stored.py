"""CDRs addressed to the hub: kept once, under a URL of the hub, for the owner of their token."""

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import product
from typing import Any

import pytest

from hub.models import Cdr, Change
from sandbox import SandboxPlatform
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, route
from tests.hub.charging_objects import (
    T1,
    T2,
    T3,
    answered,
    asked,
    for_msb,
    listed,
    post_cdr,
    posts,
    two_emsps,
)
from tests.ocpi.objects import a_cdr, a_cdr_token, a_charging_period, a_tariff

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.mark.conformance("CDR-02", "CDR-06", "TF-95", "TF-94")
def test_a_cdr_is_read_at_the_url_the_hub_gave(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """201 with an absolute URL of the hub, at which it is again what was posted, to the letter."""
    cpo, emsp = pair
    text = json.dumps(a_cdr(x_foo={"b": 1, "a": [None]}, auth_method="ORACLE"), indent=1)
    text = text.replace("15.342", "15.3420").replace("4.34", "4.340000").replace("1.973\n", "2E0\n")

    result = post_cdr(cpo, text)
    deliver_all()

    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, HUB)
    url = str(result.location)
    assert url.startswith(cpo.hub.endpoint("cdrs", "RECEIVER") + "/")
    assert len(url) <= 255
    for to, sender in ((None, None), (HUB, CPA), (MSA, CPA)):
        found = cpo.hub.read(url, to=to, sender=sender)
        assert answered(found) == (200, 1000)
        assert _spelled(found.body)["data"] == _spelled(text)
        assert list(found.data) == list(json.loads(text))
    listing = emsp.hub.get("cdrs", "SENDER", to=HUB, sender=MSA)
    assert _spelled(listing.body)["data"] == [_spelled(text)]
    assert [seen.body for seen in asked(emsp, "cdrs")] == [text.encode()]


def _spelled(text: str | bytes) -> Any:
    return json.loads(text, parse_float=str, parse_int=str)


@pytest.mark.conformance("CDR-05")
def test_nobody_but_its_poster_reads_a_cdr_there(cast: Cast) -> None:
    """404 for others, its eMSP and its neighbour at the same platform included."""
    cpo, msa, msb = two_emsps(cast)
    url = str(post_cdr(cpo).location)

    for platform, party in ((msa, MSA), (msb, MSB), (cast["P4"], MIX), (cpo, CPB)):
        for to in (None, HUB, CPA):
            found = platform.hub.read(url, to=to, sender=party)
            assert answered(found) == (404, 2001)
            assert found.data is None
    for made_up in ("x", "00000000-0000-0000-0000-000000000000", "%00", "NL-CPA-C1"):
        found = cpo.hub.read(f"{url.rpartition('/')[0]}/{made_up}", sender=CPA)
        assert answered(found) == (404, 2001)


@pytest.mark.conformance("CDR-07")
def test_a_cdr_is_not_changed(pair: Pair) -> None:
    """405 for every other method, at the endpoint and at the CDR."""
    cpo = pair[0]
    url = str(post_cdr(cpo).location)

    for method in ("PUT", "PATCH", "DELETE"):
        endpoint = cpo.hub.send(method, "cdrs", "RECEIVER", body=a_cdr(), to=HUB, sender=CPA)
        assert (endpoint.http_status, endpoint.headers["Allow"]) == (405, "POST")
        at_cdr = cpo.hub.call(method, url, a_cdr())
        assert (at_cdr.http_status, at_cdr.headers["Allow"]) == (405, "GET")
    assert pair[1].hub.post("cdrs", "SENDER", to=HUB, sender=MSA).http_status == 405
    assert cpo.hub.read(url).data == a_cdr()


@pytest.mark.conformance("CDR-08", "CDR-09")
def test_a_cdr_is_posted_once(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """The same again is a retry: 200 and the same URL; another under its id is refused (A-96)."""
    cpo, emsp = pair
    first = post_cdr(cpo)
    reordered = json.dumps(dict(reversed(a_cdr().items())), indent=2)

    for again in (post_cdr(cpo), post_cdr(cpo, reordered)):
        assert answered(again) == (200, 1000)
        assert again.location == first.location
    for changes in ({"total_energy": 15.343}, {"id": "c1"}, {"remark": "x"}, {"x_new": 1}):
        refused = post_cdr(cpo, **changes)
        assert answered(refused) == (200, 2001)
        assert "immutable" in str(refused.message)
        assert refused.location is None
    deliver_all()

    assert cpo.hub.read(str(first.location)).data == a_cdr()
    assert posts(emsp) == [a_cdr()]
    assert Change.objects.count() == 1


@pytest.mark.conformance("CDR-08")
def test_a_cdr_is_not_posted_again_for_another_emsp(cast: Cast) -> None:
    """Refused like any other change of it, however it is addressed: it was billed to one."""
    cpo, _, msb = two_emsps(cast)
    assert answered(post_cdr(cpo)) == (201, 1000)

    for to in (HUB, MSB, None):
        assert answered(post_cdr(cpo, for_msb(a_cdr()), to=to)) == (200, 2001)
    assert listed(msb, "cdrs", MSB) == ([], 0)
    assert asked(msb, "cdrs") == []


@pytest.mark.conformance("CDR-10", "CDR-11")
def test_a_credit_cdr_takes_another_back(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """A new id of up to 39 characters, negative costs as they are; it must name the other.

    Which of the two is delivered first is free.
    """
    cpo, emsp = pair
    post_cdr(cpo)
    credit = a_cdr(
        id="C1" + "-" * 35 + "-C",
        credit=True,
        credit_reference_id="C1",
        total_cost={"excl_vat": -4.34, "incl_vat": -4.82},
    )

    result = post_cdr(cpo, credit)
    deliver_all()

    assert (len(credit["id"]), answered(result)) == (39, (201, 1000))
    assert cpo.hub.read(str(result.location)).data == credit
    assert sorted(posts(emsp), key=lambda cdr: len(cdr["id"])) == [a_cdr(), credit]
    for wrong in ({}, {"credit_reference_id": None}, {"credit_reference_id": "x1"}):
        refused = post_cdr(cpo, id="X1", credit=True, **wrong)
        assert answered(refused) == (200, 2001)
        assert "credit_reference_id" in str(refused.message)
    assert Cdr.objects.count() == 2


@pytest.mark.conformance("CDR-12", "CDR-13", "TF-70")
def test_an_emsp_lists_its_own_cdrs_only(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """Objects, totals and deliveries are those of the token's owner, within the dates.

    A list has its order; which of different CDRs is delivered first is free.
    """
    cpo, msa, msb = two_emsps(cast)
    for number, stamp in enumerate((T1, T2, T1, T2, T3), start=1):
        body = a_cdr(id=f"C{number}", last_updated=stamp)
        assert answered(post_cdr(cpo, body if number < 3 else for_msb(body))) == (201, 1000)
    deliver_all()

    assert listed(msa, "cdrs", MSA) == (["C1", "C2"], 2)
    assert listed(msb, "cdrs", MSB) == (["C3", "C4", "C5"], 3)
    assert listed(msa, "cdrs", MSA, date_from=T2) == (["C2"], 1)
    assert listed(msb, "cdrs", MSB, date_from=T2, date_to=T3) == (["C4"], 1)
    assert listed(msb, "cdrs", MSB, limit="2") == (["C3", "C4", "C5"], 3)
    assert listed(cpo, "cdrs", CPA) == ([], 0)
    assert sorted(each["id"] for each in posts(msa)) == ["C1", "C2"]
    assert sorted(each["id"] for each in posts(msb)) == ["C3", "C4", "C5"]
    for party, seen in ((MSA, asked(msa, "cdrs")[0]), (MSB, asked(msb, "cdrs")[0])):
        assert (seen.method, route(seen)) == ("POST", (party, HUB))


@pytest.mark.conformance("CDR-14", "TF-70")
def test_a_cdr_of_nobody_is_refused_and_not_stored(pair: Pair) -> None:
    """4001 when nobody owns the token, to the hub and without a receiver; no URL is given."""
    cpo, emsp = pair

    for to, owner in product((HUB, None), ({"party_id": "ZZZ"}, {"country_code": "XX"})):
        result = post_cdr(cpo, cdr_token=a_cdr_token(**owner), to=to)

        assert answered(result) == (200, 4001)
        assert result.location is None
    assert not Cdr.objects.exists()
    assert not Change.objects.exists()
    assert emsp.seen == []


@pytest.mark.conformance("CDR-17", "CDR-19")
def test_a_cdr_may_name_what_the_hub_does_not_know(
    pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """Unpublished locations, unknown tokens and tariffs, dimensions nobody knows yet."""
    cpo, emsp = pair
    types = ("POWER", "STATE_OF_CHARGE", "CURRENT", "ENERGY_EXPORT", "FLUX")
    dimensions = [{"type": each, "volume": -1.5} for each in types]
    body = a_cdr(
        cdr_token=a_cdr_token(uid="NEVER-SEEN", type="AD_HOC_USER"),
        session_id="NO-SUCH-SESSION",
        tariffs=[a_tariff(id="NO-SUCH-TARIFF")],
        charging_periods=[a_charging_period(dimensions=dimensions, tariff_id="ANOTHER")],
    )
    body["cdr_location"]["id"] = "UNPUBLISHED"

    result = post_cdr(cpo, body)
    deliver_all()

    assert answered(result) == (201, 1000)
    assert posts(emsp) == [body]
    assert cpo.hub.read(str(result.location)).data == body
    direct = post_cdr(cpo, {**body, "id": "C2"}, to=MSA)
    assert answered(direct) == (201, 1000)
    assert posts(emsp)[-1] == {**body, "id": "C2"}


@pytest.mark.conformance("CDR-18")
def test_signed_data_is_carried_to_the_bit(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """5000 characters of every kind: a signature is broken by a single one."""
    cpo, emsp = pair
    plain = ('{"FV":"1.0"}|\\"/\u00e9\u20ac\U0001f600\u2028 &<>' * 300)[:5000]
    signed = "".join(chr(33 + number % 94) for number in range(5000))
    value = {"nature": "End", "plain_data": plain, "signed_data": signed}
    body = a_cdr(signed_data={"encoding_method": "OCMF", "signed_values": [value]})

    for escaped, to in product((True, False), (HUB, MSA)):
        named = {**body, "id": f"C-{escaped}-{to}"}
        result = post_cdr(cpo, json.dumps(named, ensure_ascii=escaped), to=to)
        assert answered(result) == (201, 1000)
        assert result.data is None
        [found] = cpo.hub.read(str(result.location)).data["signed_data"]["signed_values"]
        assert _digests(found) == _digests(value)
    deliver_all()

    received = [each["signed_data"]["signed_values"] for each in posts(emsp)]
    assert [[_digests(each) for each in values] for values in received] == [[_digests(value)]] * 4


def _digests(value: dict[str, str]) -> list[str]:
    names = ("plain_data", "signed_data")
    return [sha256(value[name].encode()).hexdigest() for name in names]


@pytest.mark.conformance("DT-12")
@pytest.mark.parametrize("stamp", ["1970-1-1T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_an_unknown_moment_is_accepted(
    pair: Pair, deliver_all: Callable[[], int], stamp: str
) -> None:
    """`1970-1-1T00:00:00Z` says that start or end are not known (A-75); it stays as it is."""
    cpo, emsp = pair

    result = post_cdr(cpo, start_date_time=stamp, end_date_time=stamp)
    deliver_all()

    assert (answered(result), result.message) == ((201, 1000), None)
    [seen] = posts(emsp)
    assert seen["start_date_time"] == seen["end_date_time"] == stamp
    assert cpo.hub.read(str(result.location)).data["start_date_time"] == stamp


def test_a_cdr_without_a_name_of_its_own_is_refused(pair: Pair) -> None:
    """Who it is from, and its id, stand in the body alone; they must be there and be right."""
    cpo, emsp = pair
    wrong: tuple[dict[str, Any], ...] = (
        *[{"id": each} for each in (None, "", 7, "a\0b", "\n", ["C1"])],
        *[{"party_id": each} for each in (None, "CPB", "MSA", "", 3)],
        {"country_code": "DE"},
        {"country_code": "NLD"},
    )

    for changes, to in product(wrong, (HUB, MSA, None)):
        result = post_cdr(cpo, to=to, **changes)
        assert answered(result) == (200, 2001), (changes, to)
        assert next(iter(changes)) in str(result.message) or "not the sender" in str(result.message)
    assert emsp.seen == []
    assert not Cdr.objects.exists()
