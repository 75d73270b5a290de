"""Results on their way back: from the party that was asked to the URL of the one that asked.

Spec: 2.2.1 mod_commands, Sender interface; A-42, A-104, A-106, A-107.
"""

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from hub.gateway import callbacks
from hub.models import Callback
from ocpi.transport.authorization import header
from parties.models import Party, Platform
from sandbox import Answer
from sandbox.misbehaviour import hang, html, redirect, refuse, reset, say, unauthorized
from sandbox.server import Call
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, route
from tests.database_backend.pool import held
from tests.hub.gateway.commands import (
    RESULTS,
    Asking,
    answered,
    emsp_and_cpo,
    enveloped,
    joined,
    results,
)

DONE = {"result": "ACCEPTED", "message": [{"language": "en", "text": "Charging"}]}
CANCELED = {"result": "CANCELED_RESERVATION"}
NOBODY = {"OCPI-from-country-code": None, "OCPI-from-party-id": None}


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA, that has asked NL-CPA to start a session."""
    asking = emsp_and_cpo(cast)
    assert answered(asking.command("START_SESSION")) == (200, 1000)
    return asking


@pytest.mark.conformance("CMD-04", "CMD-06", "CMD-07")
def test_a_result_reaches_the_very_url(asking: Asking) -> None:
    """POSTed once, bare, to the URL with its query; as if from the CPO, with the hub's token."""
    body = b'{"result" : "ACCEPTED", "x": [1.50]}'
    ids: Any = {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"}
    answer = enveloped()

    with asking.asker.answer("/results/", say(200, answer)):
        result = asking.result(body, **ids)

    (seen,) = results(asking.asker)
    assert (seen.path, seen.body, route(seen)) == (RESULTS, body, (MSA, CPA))
    [token] = asking.asker.tokens.valid
    assert seen.headers["Authorization"] == header(token)
    assert seen.headers["X-Correlation-ID"] == "c-1"
    assert seen.headers["X-Request-ID"] != "r-1"
    assert seen.headers["Content-Type"] == "application/json"
    assert (result.http_status, result.body, route(result)) == (200, answer, (CPA, MSA))
    assert result.headers["X-Request-ID"] == "r-1"


@pytest.mark.conformance("CMD-06")
@pytest.mark.parametrize("sent", [None, "", "x" * 129])
def test_a_result_without_correlation_id_belongs_to_its_command(asking: Asking, sent: Any) -> None:
    """It gets the correlation id the command had (A-42), also when its own cannot be used."""
    command = asking.seen

    result = asking.result(DONE, **{"X-Correlation-ID": sent})

    (seen,) = results(asking.asker)
    assert seen.headers["X-Correlation-ID"] == command.headers["X-Correlation-ID"]
    assert answered(result) == (200, 1000)


@pytest.mark.conformance("CMD-07")
def test_a_wrapped_result_is_unwrapped(asking: Asking) -> None:
    """Some CPOs send an envelope: its data is what the eMSP gets (A-104)."""
    data = b'{"result" :"FAILED", "message":[]}'
    wrapped = b'{"status_code":1000,"data": %b,"timestamp":"2026-01-01T00:00:00Z"}' % data

    assert answered(asking.result(wrapped)) == (200, 1000)
    no_envelope = {"result": "FAILED", "data": {"result": "ACCEPTED"}}
    assert answered(asking.result(no_envelope)) == (200, 1000)

    bare, untouched = results(asking.asker)
    assert bare.body == data
    assert untouched.json == no_envelope


@pytest.mark.conformance("CMD-07")
def test_the_emsps_answer_is_the_cpos_answer(asking: Asking) -> None:
    """Whatever the eMSP says to a result, its sender is told by the same table as ever."""
    rows: tuple[tuple[Any, int, int], ...] = (
        (refuse(2000, "x"), 200, 2000),
        (refuse(2001, "x", http_status=404), 404, 2001),
        (html(500), 200, 4000),
        (unauthorized(), 200, 4003),
        (redirect("http://127.0.0.1:1/"), 200, 4000),
    )
    for responder, http_status, status_code in rows:
        Platform.objects.update(next_attempt_at=None)
        with asking.asker.answer("/results/", responder):
            assert answered(asking.result(DONE)) == (http_status, status_code)
    assert len(results(asking.asker)) == len(rows)


@pytest.mark.conformance("CMD-05")
def test_only_the_platform_that_was_asked_may_post(asking: Asking, cast: Cast) -> None:
    """Another platform: 404, even as the eMSP itself; no token or a wrong one: 401."""
    others = ((joined(cast, "P4"), MIX), (joined(cast, "P3"), MSB), (asking.asker, MSA))
    url = asking.callback

    for platform, party in others:
        stranger = replace(asking, asked=platform)
        refused = stranger.result(DONE, url, sender=party)
        assert answered(refused) == (404, 2001)
        assert "use the response_url you were given" in (refused.message or "")
        assert answered(stranger.result(DONE, url, **NOBODY)) == (404, 2001)
        assert answered(stranger.result(DONE, url, sender=CPA)) == (200, 2001)
    for authorization in (None, "Token bm9wZQ==", "Token"):
        result = asking.result(DONE, Authorization=authorization)
        assert answered(result) == (401, 2001)
    assert results(asking.asker) == []
    assert answered(asking.result(DONE)) == (200, 1000)


@pytest.mark.conformance("CMD-05")
def test_a_url_is_good_for_its_module_alone(asking: Asking) -> None:
    """The same last step under another module, or a wrong one, leads nowhere."""
    url = asking.callback
    wrong = (
        url.replace("/commands/", "/chargingprofiles/"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url[:-1],
        f"{url}/1",
        f"{url.rpartition('/')[0]}/START_SESSION",
    )

    for each in wrong:
        for headers in ({}, NOBODY):
            assert answered(asking.result(DONE, each, **headers)) == (404, 2001), each
    assert results(asking.asker) == []


def test_the_url_says_who_was_asked(asking: Asking) -> None:
    """A result without routing headers, or of the platform's other party, is the asked one's."""
    for headers in (NOBODY, {**NOBODY, "OCPI-to-country-code": None, "OCPI-to-party-id": None}):
        assert answered(asking.result(DONE, **headers)) == (200, 1000)
    assert answered(asking.result(DONE, sender=CPB)) == (200, 1000)

    assert [route(seen) for seen in results(asking.asker)] == [(MSA, CPA)] * 3


@pytest.mark.parametrize("unused", ["CPO", "EMSP"])
def test_one_party_in_two_roles_gets_its_results(asking: Asking, cast: Cast, unused: str) -> None:
    """BE-MIX asks; that another role of it is not in use any more holds no result."""
    other = asking.by(joined(cast, "P4"), MIX)
    cast.agree(("NL-CPA", "BE-MIX"))
    assert answered(other.command("STOP_SESSION")) == (200, 1000)
    Party.objects.filter(key="BE-MIX", role=unused).update(is_active=False)

    assert answered(other.result(DONE)) == (200, 1000)

    assert len(results(other.asker)) == 1


@pytest.mark.conformance("CMD-09", "CMD-10", "TF-45")
def test_a_url_is_good_for_many_results_and_through_restarts(asking: Asking) -> None:
    """It is a row of the database, for all processes, until the reservation ends and longer."""
    end = datetime.now(UTC) + timedelta(days=30)
    body = asking.body("RESERVE_NOW", expiry_date=f"{end:%Y-%m-%dT%H:%M:%SZ}")
    asking.command("RESERVE_NOW", body)
    connection.close()

    for value in (DONE, CANCELED, CANCELED):
        assert answered(asking.result(value)) == (200, 1000)

    assert [seen.json for seen in results(asking.asker)] == [DONE, CANCELED, CANCELED]
    reservation = Callback.objects.get(kind="RESERVE_NOW")
    assert end + timedelta(hours=47) < reservation.expires_at < end + timedelta(hours=49)
    assert reservation.results == 3


@pytest.mark.conformance("CMD-11")
@pytest.mark.parametrize("headers", [{}, NOBODY])
def test_an_expired_url_is_404(asking: Asking, headers: dict[str, None]) -> None:
    """After its time it leads nowhere, whether its row is deleted already or not."""
    url = asking.callback
    Callback.objects.update(expires_at=datetime.now(UTC))

    assert answered(asking.result(DONE, url, **headers)) == (404, 2001)
    assert callbacks.forget_expired() == 1
    assert answered(asking.result(DONE, url, **headers)) == (404, 2001)
    assert results(asking.asker) == []


@pytest.mark.conformance("CMD-12")
def test_the_hub_makes_up_no_result(asking: Asking) -> None:
    """Whatever the CPO said at once, and however long it is silent then: nothing is sent."""
    with asking.asked.answer("/receiver/commands", refuse(1000)):
        asking.command("STOP_SESSION")
    with asking.asked.answer("/receiver/commands", reset()):
        assert answered(asking.command("STOP_SESSION")) == (200, 4003)
    Callback.objects.update(expires_at=datetime.now(UTC))
    callbacks.forget_expired()

    assert asking.asker.seen == []


@pytest.mark.conformance("CMD-13")
def test_a_failure_is_told_to_the_cpo_and_not_retried(asking: Asking) -> None:
    """4002 when the eMSP does not answer, 4003 when it cannot be reached; once each."""
    with asking.asker.answer("/results/", hang(5)):
        assert answered(asking.result(DONE)) == (200, 4002)
    with asking.asker.answer("/results/", reset()):
        assert answered(asking.result(DONE)) == (200, 4003)
    assert len(results(asking.asker)) == 2
    asking.asker.stop()

    result = asking.result(DONE)

    assert (answered(result), route(result)) == ((200, 4003), (CPA, HUB))
    asking.asker.start()
    assert len(results(asking.asker)) == 2
    assert answered(asking.result(DONE)) == (200, 1000)


def test_an_emsp_that_left_gets_no_results(asking: Asking) -> None:
    """Suspended, or gone from the hub: 4003 or 404; its URL is not called any more."""
    url = asking.callback
    asking.asker.unregister()
    asking.asker.forget()

    assert answered(asking.result(DONE, url)) == (200, 4003)
    Platform.objects.filter(parties__key="DE-MSA").delete()
    assert answered(asking.result(DONE, url)) == (404, 2001)
    assert asking.asker.seen == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"ACCEPTED"', b"\xff", b"\0"])
def test_what_is_no_result_is_not_passed_on(asking: Asking, body: bytes) -> None:
    """Neither what is not JSON, HTTP 400, nor what is no object, 2001."""
    result = asking.result(body)

    assert result.status_code == 2001
    assert result.http_status == (200 if body in {b"[]", b'"ACCEPTED"'} else 400)
    assert results(asking.asker) == []


def test_no_connection_is_held_while_somebody_thinks(asking: Asking) -> None:
    """Neither while the CPO answers a command nor while the eMSP answers a result."""
    connection.close()
    before, counted = held(), list[int]()

    def count(call: Call) -> None:
        deadline = time.monotonic() + 1
        while (others := held() - before) > 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        counted.append(max(others, 0))
        call.send(Answer(200, enveloped()))

    for platform, path in ((asking.asked, "/receiver/commands"), (asking.asker, "/results/")):
        platform.answer(path, count)
    assert answered(asking.command("STOP_SESSION")) == (200, 1000)
    connection.close()
    assert answered(asking.result(DONE)) == (200, 1000)
    assert counted == [0, 0]


def test_neither_tokens_nor_urls_are_logged(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong is logged with the party's name, not with secrets or paths."""
    caplog.set_level(logging.INFO)
    circles = say(307, b"", headers={"Location": RESULTS})

    for responder in (hang(5), reset(), html(500), circles, redirect("http://x.invalid/?key=a")):
        with asking.asker.answer("/results/", responder):
            asking.result(DONE)
        with asking.asked.answer("/receiver/commands", responder):
            asking.command("START_SESSION")

    assert "DE-MSA" in caplog.text
    for secret in ("/results/", "key=a", "TOKEN-1", asking.callback[-32:], asking.asker.hub.token):
        assert secret not in caplog.text, secret
