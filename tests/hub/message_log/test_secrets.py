"""Nothing secret is in the log: no credentials token, no uid of a driver's token."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from hub.message_log import masking
from hub.message_log.entry import LoggedBody
from ocpi.transport.authorization import header
from sandbox import SandboxPlatform
from sandbox.misbehaviour import say
from tests.cast import CPA, HUB, MSA, Cast, a_location, push
from tests.hub.message_log.conftest import Logged
from tests.ocpi.objects import a_token
from tests.parties.commands import run

UID, CONTRACT = "04A1B2C3D4E5F6", "DE-MSA-C12345678-X"


def everything() -> str:
    """Return all that the log's table holds, as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(e::text, ' '), '') FROM hub_exchange e")
        [text] = cursor.fetchone() or [""]
    return str(text)


@pytest.fixture
def token() -> dict[str, Any]:
    """A token of DE-MSA."""
    return a_token(country_code="DE", party_id="MSA", uid=UID, contract_id=CONTRACT)


def test_no_uid_of_a_token_wherever_it_stands(
    pair: tuple[SandboxPlatform, SandboxPlatform],
    logged: Logged,
    deliver_all: Callable[[], int],
    token: dict[str, Any],
) -> None:
    """In URLs, bodies, lists, deliveries, commands, refusals and the words of a peer."""
    cpo, emsp = pair
    path = f"DE/MSA/{UID}"
    emsp.hub.put("tokens", "RECEIVER", f"{path}?type=RFID", token, to=HUB, sender=MSA)
    emsp.hub.put("tokens", "RECEIVER", path, token, to=CPA, sender=MSA)
    deliver_all()
    cpo.hub.list("tokens", to=HUB, sender=CPA)
    words = {"status_code": 2004, "status_message": f"Token {UID.lower()} is unknown"}
    with emsp.answer("POST", say(404, json.dumps(words).encode())):
        cpo.hub.post("tokens", "SENDER", f"{UID}/authorize", None, to=MSA, sender=CPA)
    for wrong in (f"{UID}/authorise", f"DE/MSA/{UID}/{UID}", UID):
        cpo.hub.post("tokens", "SENDER", wrong, b'{"uid": 04A1B2C3D4E5F6', to=MSA, sender=CPA)
        emsp.hub.put("tokens", "RECEIVER", wrong, token, to=HUB, sender=MSA)
    base = cpo.hub.endpoint("tokens", "SENDER")
    cpo.hub.call("POST", f"{base.replace('tokens', 'tokns')}/{UID}/authorize")
    command = {"token": token, "location_id": "L", "response_url": emsp.response_url("commands")}
    emsp.hub.post("commands", "RECEIVER", "START_SESSION", command, to=CPA, sender=MSA)

    rows = logged()
    assert {row.module for row in rows} >= {"tokens", "commands"}
    assert {row.route for row in rows} >= {"broadcast", "delivery", "direct", "refused", "stored"}
    held = everything().upper()
    assert [row.path for row in rows if UID in f"{vars(row)}".upper()] == []
    assert UID not in held
    assert CONTRACT not in held
    assert "…E5F6" in held
    assert "/…E5F6/AUTHORIZE" in held
    assert "%E2%80%A6" not in held
    assert UID not in run("log", "--limit", "100").upper()


def test_no_credentials_token(cast: Cast, logged: Logged) -> None:
    """Neither in the handshake of either side, nor in an answer that repeats what was sent."""
    platform = cast["P1"]
    first = platform.hub.token
    platform.rotate()
    logged()
    for secret in (first, platform.hub.token):
        assert secret not in everything()
        assert header(secret).removeprefix("Token ") not in everything()
    assert "credentials" in everything()


@pytest.mark.parametrize("most", range(20, 140, 7))
def test_a_cut_body_is_masked_as_a_whole_one(most: int) -> None:
    """Wherever the cut falls, no beginning of a uid remains."""
    text = json.dumps({"a": ["x", "y"], "text": f"of {UID}", "cdr_token": {"uid": UID, "n": 1}})
    shown, hidden = masking.mask_body(LoggedBody.of(text.encode(), most), "sessions")
    [shown] = masking.mask_in_all([shown], hidden | {UID})
    assert UID[:5] not in shown


@pytest.mark.parametrize(
    "text",
    [
        f'{{"ui\\u0064": "{UID}"}}',
        f'{{"a": ["x", ":5", "y"], "uid" : "{UID}"}}',
        f'{{"uid": "{UID}", "b": "{UID}"}}',
        f'{{uid: "{UID}"}}',
        f"{{'uid': '{UID}'}}",
        f"uid={UID}",
        f'{{"uid": "{UID}',
        f'[{{"token": {{"contract_id": "{UID}"}}}}]',
    ],
)
def test_odd_spellings_hide_nothing(text: str) -> None:
    """Names are read as JSON reads them; what is no JSON is not kept."""
    shown, hidden = masking.mask_body(LoggedBody.of(text.encode(), 1000), "tokens")
    assert UID not in masking.mask_in_all([shown], hidden)[0]


def test_an_evse_keeps_its_uid() -> None:
    """The uid of an EVSE is nobody's; those a Location is published to are somebody's."""
    text = f'{{"evses":[{{"uid":"EVSE-UID"}}],"publish_allowed_to":[{{"uid":"{UID}"}}],"id":"uid"}}'
    shown, hidden = masking.mask_body(LoggedBody.of(text.encode(), 1000), "locations")
    assert '"uid":"EVSE-UID"' in shown
    assert hidden == {UID}
    assert UID not in shown


@pytest.mark.parametrize("most", [1000, 25])
def test_what_is_not_published_is_not_kept(most: int) -> None:
    """An owner's private Location is no reading matter, wherever it says so (LOC-17)."""
    body = b'{"id":"L1","name":"home","publish": false}'
    shown, _ = masking.mask_body(LoggedBody.of(body, most), "locations")
    assert "home" not in shown


def test_what_changes_an_unpublished_location_is_not_kept(
    pair: tuple[SandboxPlatform, SandboxPlatform],
    logged: Logged,
    deliver_all: Callable[[], int],
) -> None:
    """A PATCH and a part do not say what their Location said (LOC-17)."""
    cpo, emsp = pair
    for number, publish in ((1, False), (2, True)):
        push(cpo, a_location(CPA, number, publish=publish))
    deliver_all()
    for number in (1, 2):
        change = {"address": f"Home {number}", "last_updated": "2030-01-01T00:00:00Z"}
        path = f"nl/CPA/l{number}"
        cpo.hub.patch("locations", "RECEIVER", path, change, to=HUB, sender=CPA)
        emsp.hub.get("locations", "SENDER", f"L{number}", to=CPA, sender=MSA)
    deliver_all()
    patches = [row for row in logged() if row.method == "PATCH"]
    assert {row.direction for row in patches} == {"in", "out"}
    assert {row.http_status for row in patches} == {200}
    assert "Home 1" not in everything()
    assert "Home 2" in everything()


def test_bodies_are_cut(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged, settings: LazySettings
) -> None:
    """The beginning is kept and its whole length is shown; the status is known all the same."""
    settings.HUB_MESSAGE_LOG_BODY_BYTES = 100
    cpo, emsp = pair
    big = {"data": ["x" * 90] * 9, "status_code": 1000}
    with emsp.answer("GET", say(200, json.dumps(big).encode())):
        cpo.hub.get("tokens", "SENDER", to=MSA, sender=CPA)
    for row in logged():
        assert "(cut, 8" in row.response_body
        assert len(row.response_body) < 150
        assert row.status_code == 1000
