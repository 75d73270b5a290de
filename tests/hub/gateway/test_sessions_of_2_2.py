"""Sessions of a platform with OCPI 2.2, whose CdrToken does not name its owner (A-26)."""

from collections.abc import Callable

import pytest

from hub.models import Change, Session
from sandbox import SandboxPlatform
from tests.cast import CPA, HUB, MSA, MSB, Cast, route
from tests.hub.charging_objects import answered, asked, listed, put_session
from tests.ocpi.objects import a_cdr_token, a_token

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.fixture
def older(cast: Cast) -> Pair:
    """NL-CPA with 2.2, in which a CdrToken does not name its owner, and DE-MSA with its Token."""
    cpo, emsp, _ = cast.join("P1", versions=["2.2"]), cast["P2"], cast["P3"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    for type_ in ("RFID", "APP_USER"):
        body = a_token(type=type_)
        put = emsp.hub.put("tokens", "RECEIVER", "DE/MSA/TOKEN-1", body, to=HUB, sender=MSA)
        assert put.status_code == 1000, str(put)
    emsp.forget()
    return cpo, emsp


def unnamed(**changes: object) -> dict[str, object]:
    """Build a CdrToken as 2.2 has it."""
    token = {**a_cdr_token(), **changes}
    return {name: token[name] for name in ("uid", "type", "contract_id")}


@pytest.mark.conformance("TF-70", "SES-16")
def test_in_2_2_the_owner_is_found_by_the_token(
    older: Pair, deliver_all: Callable[[], int]
) -> None:
    """By uid and type, among the Tokens the CPO may have; to the hub and without a receiver."""
    cpo, emsp = older

    stored = put_session(cpo, cdr_token=unnamed())
    app = put_session(cpo, cdr_token=unnamed(type="APP_USER", uid="token-1"), id="S3")
    opened = put_session(cpo, to=None, cdr_token=unnamed(), id="S2")
    deliver_all()

    assert answered(stored) == answered(app) == answered(opened) == (201, 1000)
    assert route(opened) == (CPA, MSA)
    assert sorted(listed(emsp, "sessions", MSA)[0]) == ["S1", "S2", "S3"]
    ids = sorted(seen.route.rpartition("/")[2] for seen in asked(emsp, "sessions"))
    assert {"S1", "S2", "S3"} == set(ids)


@pytest.mark.conformance("TF-70")
def test_in_2_2_a_token_nobody_has_is_4001_and_one_of_two_is_ambiguous(
    cast: Cast, older: Pair, deliver_all: Callable[[], int]
) -> None:
    """Nothing is stored and nobody is told, rather than the wrong one (A-36)."""
    cpo, emsp = older

    for token in (unnamed(uid="NOBODY"), unnamed(type="OTHER")):
        for to in (HUB, None):
            assert answered(put_session(cpo, to=to, cdr_token=token)) == (200, 4001)
    body = a_token(country_code="FR", party_id="MSB")
    put = cast["P3"].hub.put("tokens", "RECEIVER", "FR/MSB/TOKEN-1", body, to=HUB, sender=MSB)
    assert put.status_code == 1000
    emsp.forget()
    ambiguous = put_session(cpo, cdr_token=unnamed())
    deliver_all()

    assert answered(ambiguous) == (200, 2001)
    assert "DE-MSA" in str(ambiguous.message)
    assert "FR-MSB" in str(ambiguous.message)
    assert not Session.objects.exists()
    assert asked(emsp, "sessions") == []


@pytest.mark.parametrize("uid", ["a\0b", 7, None, ""], ids=repr)
def test_in_2_2_a_token_that_is_none_breaks_nothing(older: Pair, uid: object) -> None:
    """Directly addressed it is the receiver's to judge; to the hub it is refused."""
    cpo, _ = older

    direct = put_session(cpo, to=MSA, cdr_token=unnamed(uid=uid))
    to_hub = put_session(cpo, cdr_token=unnamed(uid=uid))

    assert answered(direct) == (201, 1000)
    assert answered(to_hub) in {(200, 2001), (200, 4001)}
    assert not Change.objects.filter(module="sessions").exists()
