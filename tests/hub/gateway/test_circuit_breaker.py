"""A platform that leaves messages without an answer is spared for a while, and its requesters."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hub.gateway import circuit_breaker
from parties.models import Platform
from sandbox import Responder, Result, SandboxPlatform
from sandbox.misbehaviour import broken_json, hang, html, refuse, reset, unauthorized
from tests.cast import CPA, HUB, MSA, MSB, Cast, route
from tests.hub.charging_objects import answered, put_session, two_emsps

Pair = tuple[SandboxPlatform, SandboxPlatform]


def _ask(cpo: SandboxPlatform) -> Result:
    """Ask DE-MSA for something."""
    return cpo.hub.get("tokens", "SENDER", to=MSA, sender=CPA)


def _open(pair: Pair) -> None:
    """Have DE-MSA leave as many messages unanswered as it takes."""
    with pair[1].answer("", reset()):
        for _ in range(circuit_breaker.FAILURES_TO_OPEN):
            assert _ask(pair[0]).status_code == 4003
    pair[1].forget()


def _let_time_pass() -> None:
    Platform.objects.filter(circuit_until__isnull=False).update(circuit_until=timezone.now())


@pytest.mark.parametrize(
    "silent, code", [(hang(120), 4002), (reset(), 4003)], ids=["hangs", "resets"]
)
def test_after_five_without_an_answer_none_is_sent(
    pair: Pair, silent: Responder, code: int
) -> None:
    """The sixth is answered at once: 4003, from the hub, with the seconds that remain."""
    cpo, emsp = pair
    with emsp.answer("", silent):
        codes = [_ask(cpo).status_code for _ in range(5)]
        emsp.forget()
        result = _ask(cpo)

    assert codes == [code] * 5
    assert answered(result) == (200, 4003)
    assert "DE-MSA did not answer lately" in str(result.message)
    assert str(result.message).endswith((" 10 s", " 9 s", " 8 s"))
    assert result.elapsed < 1
    assert route(result) == (CPA, HUB)
    assert emsp.seen == []


def test_a_platform_that_is_gone_counts_as_silent(pair: Pair) -> None:
    """Nothing listens there: after five attempts none is made."""
    pair[1].stop()

    messages = [str(_ask(pair[0]).message) for _ in range(6)]

    assert ["lately" in each for each in messages] == [False] * 5 + [True]


@pytest.mark.parametrize(
    "responder", [html(500), refuse(3000), broken_json(), unauthorized(), refuse(2001)]
)
def test_a_bad_answer_is_an_answer(pair: Pair, responder: Responder) -> None:
    """Who answers nonsense is there: nobody waits for it in vain."""
    with pair[1].answer("", responder):
        for _ in range(7):
            assert "lately" not in str(_ask(pair[0]).message)

    assert len(pair[1].seen) == 7


def test_only_silence_in_a_row_counts(pair: Pair) -> None:
    """An answer in between and the count begins again."""
    for _ in range(3):
        with pair[1].answer("", reset()):
            for _ in range(4):
                _ask(pair[0])
        assert answered(_ask(pair[0])) == (200, 1000)

    assert Platform.objects.get(name="P2").unanswered == 0


def test_it_recovers_when_it_answers(pair: Pair) -> None:
    """After the pause the next message tries it again; one answer closes the circuit."""
    _open(pair)
    assert _ask(pair[0]).status_code == 4003
    _let_time_pass()

    assert answered(_ask(pair[0])) == (200, 1000)

    platform = Platform.objects.get(name="P2")
    assert (platform.unanswered, platform.circuit_until) == (0, None)
    assert [answered(_ask(pair[0])) for _ in range(2)] == [(200, 1000)] * 2


def test_one_more_silence_opens_it_again(pair: Pair) -> None:
    """A trial that fails is enough."""
    _open(pair)
    _let_time_pass()
    with pair[1].answer("", reset()):
        assert "lately" not in str(_ask(pair[0]).message)
        pair[1].forget()
        assert "lately" in str(_ask(pair[0]).message)

    assert pair[1].seen == []
    until = Platform.objects.get(name="P2").circuit_until
    assert until is not None
    assert timedelta(seconds=5) < until - timezone.now() <= timedelta(seconds=10)


def test_others_are_not_affected(cast: Cast) -> None:
    """Of two eMSPs one is silent: the other is reached, and both reach the CPO."""
    cpo, silent, other = two_emsps(cast)
    _open((cpo, silent))

    assert answered(_ask(cpo)) == (200, 4003)
    assert answered(cpo.hub.get("tokens", "SENDER", to=MSB, sender=CPA)) == (200, 1000)
    for emsp in (silent, other):
        assert answered(emsp.hub.get("locations", "SENDER", to=CPA)) == (200, 1000)


def test_what_is_addressed_to_the_hub_is_taken(pair: Pair) -> None:
    """The hub stores and delivers later: a silent receiver is no reason to refuse its owner."""
    _open(pair)

    assert answered(put_session(pair[0])) == (201, 1000)
    assert answered(put_session(pair[0], to=MSA)) == (200, 4003)


def test_a_refusal_by_the_hub_is_no_silence(pair: Pair) -> None:
    """What is never sent proves nothing about its receiver."""
    for _ in range(7):
        result = pair[0].hub.post("tokens", "SENDER", "T/authorize", b"{", to=MSA, sender=CPA)
        assert result.http_status == 400

    assert Platform.objects.get(name="P2").unanswered == 0
    assert answered(_ask(pair[0])) == (200, 1000)
