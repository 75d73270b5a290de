"""A CDR that is on its way to its receiver is not sent a second time."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from hub.gateway import posts_in_flight
from hub.models import Cdr, Change, Posting
from ocpi.types import PartyRef, fold
from sandbox import Result, SandboxPlatform
from sandbox.misbehaviour import hang, html, refuse, reset
from sandbox.server import Call, Responder
from tests.cast import HUB, MSA
from tests.hub.charging_objects import answered, asked, post_cdr, posts
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import a_cdr

Pair = tuple[SandboxPlatform, SandboxPlatform]
HELD = 0.6


def _at_once(*tasks: Callable[[], Result]) -> list[Result]:
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [each.result() for each in [pool.submit(task) for task in tasks]]


def _six(cpo: SandboxPlatform, to: PartyRef | None) -> list[Result]:
    return _at_once(*(6 * [lambda: post_cdr(cpo, to=to)]))


def _slowly(responder: Responder | None = None) -> Responder:
    def respond(call: Call) -> None:
        time.sleep(HELD)
        if responder is None:
            call.send(call.usual())
        else:
            responder(call)

    return respond


@pytest.mark.security("S-17")
@pytest.mark.conformance("CDR-08")
@pytest.mark.parametrize("to", [MSA, None], ids=["direct", "without TO"])
def test_six_posts_at_once_are_one(pair: Pair, to: PartyRef | None) -> None:
    """One call to the eMSP, one CDR, one Location, and the same answer to all six."""
    cpo, emsp = pair
    emsp.answer("POST", _slowly())

    results = _six(cpo, to)

    assert len(posts(emsp)) == 1
    assert {answered(each) for each in results} == {(201, 1000)}
    assert len({each.location for each in results}) == 1
    assert len({each.body for each in results}) == 1
    assert Cdr.objects.count() == 1
    assert answered(post_cdr(cpo, to=to)) == (200, 1000)
    assert len(posts(emsp)) == 1


@pytest.mark.security("S-17")
@pytest.mark.parametrize(
    "responder,answer",
    [
        (refuse(2001, "no such contract"), (200, 2001)),
        (html(500), (200, 4000)),
        (reset(), (200, 4003)),
    ],
)
def test_what_is_refused_is_refused_to_all_and_tried_again_later(
    pair: Pair, responder: Responder, answer: tuple[int, int]
) -> None:
    """Those that waited get the answer of the first; a later one is passed on."""
    cpo, emsp = pair
    rule = emsp.answer("POST", _slowly(responder))

    results = _six(cpo, MSA)

    assert {answered(each) for each in results} == {answer}
    assert len({each.message for each in results}) == 1
    assert len(posts(emsp)) == 1
    rule.cancel()
    assert answered(post_cdr(cpo, to=MSA)) == (201, 1000)
    assert len(posts(emsp)) == 2


@pytest.mark.security("S-17")
def test_a_time_out_leaves_the_outcome_open(pair: Pair) -> None:
    """4002 to all that waited; the repeat is sent, since nobody knows whether the first arrived."""
    cpo, emsp = pair
    rule = emsp.answer("POST", hang(30))

    results = _six(cpo, MSA)

    assert {answered(each) for each in results} == {(200, 4002)}
    assert len(posts(emsp)) == 1
    rule.cancel()
    assert answered(post_cdr(cpo, to=MSA)) == (201, 1000)


@pytest.mark.security("S-17")
@pytest.mark.conformance("CDR-09")
def test_another_content_under_the_id_is_the_conflict_it_was(pair: Pair) -> None:
    """It waits for the first, and is refused once that one was accepted."""
    cpo, emsp = pair
    emsp.answer("POST", _slowly())

    def other() -> Result:
        time.sleep(HELD / 3)
        return post_cdr(cpo, to=MSA, total_energy=1.0)

    first, second = _at_once(lambda: post_cdr(cpo, to=MSA), other)

    assert (answered(first), answered(second)) == ((201, 1000), (200, 2001))
    assert "immutable" in str(second.message)
    assert len(posts(emsp)) == 1


@pytest.mark.security("S-17")
def test_the_same_content_in_another_spelling_is_a_repeat(pair: Pair) -> None:
    """Members in another order, other white space: one CDR."""
    cpo, emsp = pair
    emsp.answer("POST", _slowly())
    text = json.dumps(dict(reversed(a_cdr().items())), indent=1)

    def again() -> Result:
        time.sleep(HELD / 3)
        return post_cdr(cpo, text, to=MSA)

    first, second = _at_once(lambda: post_cdr(cpo, to=MSA), again)

    assert (answered(first), answered(second)) == ((201, 1000), (200, 1000))
    assert first.location == second.location
    assert len(posts(emsp)) == 1


@pytest.mark.security("S-17")
def test_one_to_the_hub_waits_for_one_to_the_party(
    pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """However it is addressed, it is the same CDR for the same eMSP."""
    cpo, emsp = pair
    emsp.answer("POST", _slowly())

    def to_hub() -> Result:
        time.sleep(HELD / 3)
        return post_cdr(cpo, to=HUB)

    results = _at_once(lambda: post_cdr(cpo, to=MSA), to_hub)
    deliver_all()

    assert {answered(each) for each in results} <= {(200, 1000), (201, 1000)}
    assert len(posts(emsp)) == 1
    assert not Change.objects.exists()


@pytest.mark.security("S-17")
@pytest.mark.parametrize("to", [MSA, None], ids=["direct", "without TO"])
def test_what_is_on_its_way_is_not_delivered_from_its_owners_list(
    pair: Pair, deliver_all: Callable[[], int], to: PartyRef | None
) -> None:
    """A list that is read meanwhile has it too; what was refused may come from there later."""
    cpo, emsp = pair
    offer(cpo, "cdrs", a_cdr())
    older: list[int] = []

    def read_first(responder: Responder) -> Responder:
        def respond(call: Call) -> None:
            older.append(read("cdrs", full=True).older)
            deliver_all()
            connection.close()
            responder(call)

        return respond

    refused = emsp.answer("POST", read_first(refuse(2001, "not now")))
    assert post_cdr(cpo, to=to).status_code == 2001
    refused.cancel()
    taken = emsp.answer("POST", read_first(lambda call: call.send(call.usual())))
    assert answered(post_cdr(cpo, to=to)) == (201, 1000)
    taken.cancel()

    assert (older, len(posts(emsp))) == ([1, 1], 2)
    assert read("cdrs", full=True).unchanged == 1
    deliver_all()
    assert len(posts(emsp)) == 2


@pytest.mark.security("S-17")
@pytest.mark.conformance("CDR-10")
def test_credit_cdrs_and_others_do_not_wait_for_each_other(pair: Pair) -> None:
    """A claim is about one id: what has another is on its way at the same time."""
    cpo, emsp = pair
    credit = a_cdr(id="C1-C", credit=True, credit_reference_id="C1")
    meanwhile: list[Result] = []

    def respond(call: Call) -> None:
        if call.seen.json["id"] == "C1":
            meanwhile.append(post_cdr(cpo, credit, to=MSA))
        call.send(call.usual())

    emsp.answer("POST", respond)
    post_cdr(cpo, to=MSA)

    assert [answered(each) for each in meanwhile] == [(201, 1000)]


def _claimed_by_another(seconds: float) -> None:
    now = timezone.now()
    Posting.objects.create(
        owner="NL-CPA",
        object_key=fold("C1"),
        audience="DE-MSA",
        digest=b"",
        claim=uuid4(),
        until=now + timedelta(seconds=seconds),
    )


@pytest.mark.security("S-17")
def test_the_claim_of_a_process_that_died_runs_out(pair: Pair, settings: LazySettings) -> None:
    """Until then 4002, to be repeated; afterwards the next one sends it."""
    settings.HUB_REQUEST_TIMEOUT = 0.3
    cpo, emsp = pair
    _claimed_by_another(60)
    assert answered(post_cdr(cpo, to=MSA)) == (200, 4002)
    assert asked(emsp, "cdrs") == []
    Posting.objects.update(until=timezone.now())
    assert answered(post_cdr(cpo, to=MSA)) == (201, 1000)
    Posting.objects.update(until=timezone.now())
    assert posts_in_flight.forget_expired() == 1
    assert answered(post_cdr(cpo, to=MSA)) == (200, 1000)


@pytest.mark.security("S-17")
def test_an_answer_too_long_to_keep_is_asked_for_by_each(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait see that it was accepted, in the hub's words."""
    monkeypatch.setattr(posts_in_flight, "MOST_ANSWER_BYTES", 10)
    cpo, emsp = pair
    emsp.answer("POST", _slowly())

    results = _six(cpo, MSA)

    assert sorted(map(answered, results)) == 5 * [(200, 1000)] + [(201, 1000)]
    assert len({each.location for each in results}) == 1
    assert len(posts(emsp)) == 1
