"""A receiver's own words reach who wants to know why: sender, dead letter, `where`, the log."""

import json
from collections.abc import Callable

import pytest

from hub.models import DeadLetter
from sandbox import Responder, SandboxPlatform
from sandbox.misbehaviour import say
from tests.cast import CPA, MSA, a_location, command, push
from tests.hub.message_log.conftest import Logged, logged

__all__ = ["logged"]

Pair = tuple[SandboxPlatform, SandboxPlatform]
FASTAPI = json.dumps({"detail": [{"loc": ["body", "city"], "msg": "too short"}]}).encode()
ERRORS = (
    b'{"status_code":2001,"timestamp":"2026-01-01T00:00:00Z","data":{"errors":["city: too short"]}}'
)
REFUSALS = [say(422, FASTAPI), say(400, ERRORS), say(400, b"city: too short")]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_of_what_is_delivered_says_why(
    pair: Pair, deliver_all: Callable[[], int], refusal: Responder
) -> None:
    """In the dead letter and in `where`."""
    cpo, emsp = pair

    with emsp.answer("PUT", refusal):
        push(cpo, a_location())
        deliver_all()

    [letter] = DeadLetter.objects.all()
    assert letter.reason.endswith(": city: too short")
    [found] = command("where", "LOCATION", "NL", "CPA", "L1")
    assert any("city: too short" in (each["why"] or "") for each in found["parties"])


@pytest.mark.parametrize("refusal", [REFUSALS[0], REFUSALS[2]])
def test_a_refusal_of_what_is_passed_on_says_why(pair: Pair, refusal: Responder) -> None:
    """To its sender, in the hub's envelope."""
    cpo, emsp = pair

    with emsp.answer("PUT", refusal):
        answer = push(cpo, a_location(), to=MSA)

    assert answer.status_code == 4000
    assert (answer.message or "").endswith(": city: too short")


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_log_has_the_words_of_a_refusal(pair: Pair, logged: Logged, refusal: Responder) -> None:
    """Beside the status, where those who search it look."""
    cpo, emsp = pair

    with cpo.answer("/sender/locations", refusal):
        emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA)

    [asked] = [each for each in logged() if each.direction == "out"]
    assert asked.status_message == "city: too short"
