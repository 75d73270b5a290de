"""From whom and to whom: the routing headers of every leg, through the whole hub."""

import pytest
from django.utils import timezone

from ocpi.types import PartyRef
from parties.models import Party, Platform
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, a_location, push, route
from tests.hub import raw_http

Pair = tuple[SandboxPlatform, SandboxPlatform]
TNM = PartyRef("NL", "TNM")
L1 = "NL/CPA/L1"
NO_HEADERS = (None, None)


@pytest.mark.conformance("TF-60", "TF-61", "TF-62")
def test_headers_are_understood_in_any_case(pair: Pair) -> None:
    """Names and values of the four headers are case-insensitive; they go out in upper case."""
    cpo, emsp = pair
    spelled = {
        "ocpi-TO-party-id": "msa",
        "OCPI-TO-COUNTRY-CODE": "de",
        "ocpi-from-party-id": "cPa",
        "Ocpi-From-Country-Code": "nL",
    }

    result = cpo.hub.put("locations", "RECEIVER", L1, a_location(), **spelled)

    assert result.status_code == 1000
    seen = emsp.wait_for("PUT")
    assert route(seen) == (MSA, CPA)
    names = {name: value for name, value in seen.headers.items() if name.startswith("OCPI-")}
    assert names == {
        "OCPI-to-party-id": "MSA",
        "OCPI-to-country-code": "DE",
        "OCPI-from-party-id": "CPA",
        "OCPI-from-country-code": "NL",
    }
    assert route(result) == (CPA, MSA)


@pytest.mark.conformance("TF-62", "TF-63")
@pytest.mark.parametrize("quirk", [{"answer_routing": False}, {}])
def test_the_answer_is_from_the_receiver_to_the_requester(
    cast: Cast, quirk: dict[str, bool]
) -> None:
    """TO=requester, FROM=receiver, also when the receiver sent no or wrong routing headers."""
    cpo, emsp = cast["P1"], cast.join("P2", **quirk)
    cast.agree(("NL-CPA", "DE-MSA"))

    assert route(push(cpo, a_location(), to=MSA)) == (CPA, MSA)
    assert route(emsp.hub.get("locations", "SENDER", to=CPA)) == (MSA, CPA)


@pytest.mark.conformance("TF-81")
def test_from_must_be_a_party_of_the_platform(cast: Cast) -> None:
    """Somebody else's FROM is 2001; nothing is forwarded and nothing stored."""
    cpo, emsp, other = cast["P1"], cast["P2"], cast["P3"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    for platform in (cpo, emsp, other):
        platform.forget()

    for result in (
        emsp.hub.get("locations", "SENDER", to=CPA, sender=MSB),
        emsp.hub.get("locations", "SENDER", to=HUB, sender=MSB),
        cpo.hub.put("locations", "RECEIVER", L1, a_location(), to=MSA, sender=MIX),
        cpo.hub.put("locations", "RECEIVER", L1, a_location(), to=HUB, sender=HUB),
    ):
        assert (result.http_status, result.status_code) == (200, 2001)
        assert "OCPI-from" in str(result.message)
        assert route(result)[1] == HUB
    assert not cpo.seen + emsp.seen + other.seen
    assert cpo.hub.get("locations", "RECEIVER", L1, to=HUB, sender=CPA).http_status == 404


@pytest.mark.conformance("TF-82")
def test_from_is_inferred_when_only_one_party_can_be_meant(pair: Pair) -> None:
    """DE-MSA is alone on its platform; NL-CPA and NL-CPB must say who speaks."""
    cpo, emsp = pair

    inferred = emsp.hub.get("locations", "SENDER", to=CPA)
    doubtful = cpo.hub.put("locations", "RECEIVER", L1, a_location(), to=MSA)

    assert inferred.status_code == 1000
    assert route(cpo.wait_for("GET")) == (CPA, MSA)
    assert (doubtful.http_status, doubtful.status_code) == (200, 2001)
    assert "NL-CPA or NL-CPB" in str(doubtful.message)
    assert route(doubtful) == (None, HUB)
    assert emsp.seen == []


@pytest.mark.conformance("TF-83")
def test_half_a_pair_is_2001(pair: Pair) -> None:
    """One header of a pair says nothing; a value of the wrong length neither."""
    cpo, emsp = pair
    halves = (
        {"OCPI-to-party-id": "MSA"},
        {"OCPI-to-country-code": "DE"},
        {"OCPI-to-party-id": "MSA", "OCPI-to-country-code": ""},
        {"OCPI-to-party-id": "MSAX", "OCPI-to-country-code": "DE"},
        {"OCPI-to-party-id": "MSA", "OCPI-to-country-code": "DEU"},
        {"OCPI-to-party-id": "M A", "OCPI-to-country-code": "DE"},
        {"OCPI-to-party-id": "MSA,MSB", "OCPI-to-country-code": "DE"},
    )

    for half in halves:
        result = cpo.hub.put("locations", "RECEIVER", L1, a_location(), sender=CPA, **half)
        assert (result.http_status, result.status_code) == (200, 2001), half
        assert "OCPI-to" in str(result.message)
    half_from = {"OCPI-from-party-id": "CPA"}
    result = cpo.hub.put("locations", "RECEIVER", L1, a_location(), to=MSA, **half_from)
    assert (result.http_status, result.status_code) == (200, 2001)
    assert emsp.seen == []
    assert cpo.hub.get("locations", "RECEIVER", L1, to=HUB, sender=CPA).http_status == 404


def test_repeated_headers_are_no_address(pair: Pair) -> None:
    """Two values for one header are refused; nobody chooses between them."""
    cpo, emsp = pair
    line = b"OCPI-to-party-id: MSB\r\n"

    result = raw_http.send(cpo, "PUT", b"receiver/locations/NL/CPA/L1", b"{}", to=MSA, headers=line)

    assert (result.http_status, result.status_code) == (200, 2001)
    assert emsp.seen == []


@pytest.mark.conformance("TF-84")
def test_one_name_on_two_platforms_is_told_apart_by_the_interface(cast: Cast) -> None:
    """NL-TNM is CPO on one platform and eMSP on another: module and interface choose (A-30)."""
    as_cpo, as_emsp = cast["TNM as CPO"], cast["TNM as eMSP"]
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "NL-TNM"), ("NL-TNM", "DE-MSA"))
    for platform in (as_cpo, as_emsp):
        platform.forget()

    pushed = push(cpo, a_location(), to=TNM)
    asked = emsp.hub.get("locations", "SENDER", "?limit=1", to=TNM)

    assert (pushed.status_code, asked.status_code) == (1000, 1000)
    assert [str(seen).partition(" ")[0] for seen in as_emsp.seen] == ["PUT"]
    assert [str(seen).partition(" ")[0] for seen in as_cpo.seen] == ["GET"]
    assert route(as_emsp.seen[0]) == (TNM, CPA)
    assert route(as_cpo.seen[0]) == (TNM, MSA)


def _refusal(result: Result, status_code: int) -> str:
    assert (result.http_status, result.status_code) == (200, status_code), str(result)
    assert "data" not in result.json
    assert route(result) == (CPA, HUB)
    assert str(result.message).startswith("hub: ")
    return str(result.message)


@pytest.mark.conformance("ST-11", "ST-18")
def test_an_unknown_receiver_is_4001(pair: Pair) -> None:
    """TO is no party of this hub: HTTP 200 with 4001, from the hub."""
    said = _refusal(push(pair[0], a_location(), to=PartyRef("XX", "ZZZ")), 4001)

    assert "XX-ZZZ" in said
    assert "OCPI-to-party-id" in said


@pytest.mark.conformance("ST-13", "ST-18")
@pytest.mark.parametrize("status", ["OFFLINE", "PLANNED", "SUSPENDED"])
def test_a_receiver_that_is_not_connected_is_4003(pair: Pair, status: str) -> None:
    """Known but not connected: 4003 with the status, and nothing is sent."""
    cpo, emsp = pair
    Platform.objects.filter(name="P2").update(status=status)

    assert status in _refusal(push(cpo, a_location(), to=MSA), 4003)
    assert emsp.seen == []


@pytest.mark.conformance("ST-13")
@pytest.mark.parametrize("claimed, status", [(None, "PLANNED"), (timezone.now(), "SUSPENDED")])
def test_a_party_its_platform_does_not_name_is_4003(
    cast: Cast, claimed: object, status: str
) -> None:
    """Allowed by the operator, but not in the platform's credentials (any more): 4003, not 4001."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    Party.objects.filter(key="DE-MSA").update(is_active=False, claimed_at=claimed)
    emsp.forget()

    assert status in _refusal(push(cpo, a_location(), to=MSA), 4003)
    assert emsp.seen == []


@pytest.mark.conformance("ST-13", "ST-18")
def test_a_receiver_that_is_down_is_4003(pair: Pair) -> None:
    """Nobody listens at the receiver's address: 4003."""
    pair[1].stop()

    _refusal(push(pair[0], a_location(), to=MSA), 4003)


@pytest.mark.conformance("ST-14", "ST-18")
def test_what_the_receiver_does_not_do_is_4000(cast: Cast) -> None:
    """No role of the receiver has this interface, or its platform does not offer it: 4000."""
    cpo, without = cast["P1"], cast.join("P4", modules={"locations": ("SENDER",)})
    other = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "BE-MIX"))
    for platform in (without, other):
        platform.forget()

    assert "RECEIVER" in _refusal(push(cpo, a_location(), to=MIX), 4000)
    asked = cpo.hub.get("locations", "SENDER", to=MSA, sender=CPA)
    assert "EMSP" in _refusal(asked, 4000)
    assert without.seen + other.seen == []


def test_without_an_agreement_nothing_passes(cast: Cast) -> None:
    """The hub knows both, but they have no agreement: for each the other is not there."""
    cpo, emsp = cast["P1"], cast["P2"]
    emsp.forget()

    assert "an agreement" in _refusal(push(cpo, a_location(), to=MSA), 4001)
    cast.agree(("NL-CPA", "DE-MSA"))
    assert "NL-CPB" in str(push(cpo, a_location(CPB), to=MSA).message)
    assert push(cpo, a_location(), to=MSA).status_code == 1000
    assert len(emsp.seen) == 1


@pytest.mark.parametrize(
    "name,ref,call",
    [
        ("P1", CPA, ("PUT", "locations", "RECEIVER", L1)),
        ("P1", CPA, ("GET", "locations", "SENDER", "L1")),
        ("P1", CPA, ("GET", "tokens", "SENDER", "")),
        ("P1", CPA, ("POST", "tokens", "SENDER", "T1/authorize")),
        ("P2", MSA, ("GET", "locations", "SENDER", "")),
        ("P2", MSA, ("GET", "tokens", "SENDER", "")),
        ("P2", MSA, ("GET", "sessions", "SENDER", "")),
        ("P2", MSA, ("PUT", "tokens", "RECEIVER", "DE/MSA/T1")),
        (
            "P2",
            MSA,
            (
                "GET",
                "chargingprofiles",
                "RECEIVER",
                "S1?duration=9&response_url=http%3A%2F%2Fa%2Fb",
            ),
        ),
    ],
)
def test_to_oneself_has_one_code_whatever_the_module(
    cast: Cast, name: str, ref: PartyRef, call: tuple[str, str, str, str]
) -> None:
    """2001, whether its role implements the interface that it names or not."""
    method, module, interface, suffix = call
    body = a_location() if method == "PUT" else None

    answer = cast[name].hub.send(method, module, interface, suffix, body, to=ref, sender=ref)

    assert (answer.status_code, answer.message) == (
        2001,
        f"OCPI-to and OCPI-from are the same party, {ref}",
    )


def test_nobody_writes_to_itself(cast: Cast) -> None:
    """TO and FROM are the same party: 2001."""
    body = a_location(MIX)

    result = push(cast["P4"], body, to=MIX)

    assert (result.http_status, result.status_code) == (200, 2001)
    assert "OCPI-to and OCPI-from" in str(result.message)
