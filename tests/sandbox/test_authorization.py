"""An eMSP says in real time whether a driver may charge."""

from typing import Any

import pytest

from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform
from sandbox.demo.tokens import token

CPA, MSA = PartyRef("NL", "CPA"), PartyRef("DE", "MSA")
T1 = "2026-11-01T00:00:00Z"
DRIVER = token(2, MSA, T1)
Json = dict[str, Any]
PLACE = {"location_id": "L1", "evse_uids": ["E1"]}


def authorize(cpo: SandboxPlatform, body: Json | None = None, kind: str | None = None) -> Result:
    """Ask about the driver's card or, with its type, about the app."""
    path, query = f"{DRIVER['uid']}/authorize", {"type": kind} if kind else None
    return cpo.hub.post("tokens", "SENDER", path, body, query=query, to=MSA, sender=CPA)


def test_a_driver_is_authorized(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """The answer has the whole token, the place it is good for, and a reference."""
    card = token(1, MSA, T1)
    emsp.publish("tokens", card)

    answer = authorize(connected, PLACE)

    assert (answer.http_status, answer.status_code) == (200, 1000)
    info = answer.data
    assert 0 < len(info.pop("authorization_reference")) <= 36
    assert info == {"allowed": "ALLOWED", "token": card, "location": PLACE}
    assert "location" not in authorize(connected).data


@pytest.mark.parametrize(
    "valid, verdict, word",
    [(False, None, "BLOCKED"), (True, "NO_CREDIT", "NO_CREDIT"), (True, "EXPIRED", "EXPIRED")],
)
def test_a_driver_is_turned_away_with_success(
    connected: SandboxPlatform, emsp: SandboxPlatform, *, valid: bool, verdict: str, word: str
) -> None:
    """Only one type of the token is meant: the other may charge."""
    emsp.publish("tokens", {**token(1, MSA, T1), "valid": valid})
    if verdict:
        emsp.authorizing.verdicts[DRIVER["uid"]] = verdict

    answer = authorize(connected)

    assert (answer.http_status, answer.status_code, answer.data["allowed"]) == (200, 1000, word)


def test_an_unknown_token_is_404_and_2004(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Uid and type have to match."""
    emsp.publish("tokens", token(1, MSA, T1))

    answer = authorize(connected, kind="APP_USER")

    assert (answer.http_status, answer.status_code, answer.data) == (404, 2004, None)
    assert authorize(connected, kind="RFID").succeeded


def test_an_emsp_may_want_to_know_where() -> None:
    """Without a place the answer is 2002."""
    with (
        SandboxPlatform([("EMSP", "DE", "MSA")], needs_location=True) as emsp,
        SandboxPlatform([("CPO", "NL", "CPA")]) as cpo,
    ):
        cpo.register_with(emsp.url, emsp.invite())
        emsp.publish("tokens", token(1, MSA, T1))
        answers = [authorize(cpo, body) for body in (None, PLACE)]

    assert [answer.status_code for answer in answers] == [2002, 1000]
