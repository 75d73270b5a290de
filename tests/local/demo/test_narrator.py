"""Events of the sandbox platforms become sentences."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.demo.narrator import Story, Tail


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the story."""
    return Clock()


@pytest.fixture
def said() -> list[str]:
    """What was said."""
    return []


@pytest.fixture
def story(clock: Clock, said: list[str]) -> Story:
    """A story that is only listened to."""
    return Story(said.append, clock=clock)


def push(
    number: int, path: str, *, at: float, kind: str = "patch", status: str = ""
) -> dict[str, Any]:
    """Return the CPO's event of a push."""
    event = {"event": kind, "party": "NL-CPA", "path": f"NL/CPA/{path}", "at": at}
    return {**event, "module": "locations", "correlation_id": f"c{number}", "status": status}


def receipt(
    number: int | str, path: str, *, at: float, party: str = "DE-MSA", module: str = "locations"
) -> dict[str, Any]:
    """Return a receiver's event of a receipt."""
    event = {"event": "received", "party": party, "path": f"NL/CPA/{path}", "at": at}
    return {**event, "module": module, "correlation_id": f"c{number}"}


def pending(story: Story, party: str = "DE-MSA") -> set[str]:
    """Return the pushes that this receiver is not known to have."""
    return {
        push.event["correlation_id"]
        for pushes in story.pushes.values()
        for push in pushes
        if party not in push.known_to
    }


def test_a_push_and_its_receipt_are_a_delivery(story: Story, said: list[str]) -> None:
    """The time runs from sending to receiving."""
    story.hear(push(1, "L1", at=99.0, kind="put"))
    story.hear(receipt(1, "L1", at=99.014))
    story.narrate()
    assert said == ["PUT L1 → delivered to DE-MSA in 14 ms [c1]"]
    assert pending(story) == set()


def test_the_receipt_may_be_told_first(story: Story, said: list[str]) -> None:
    """The CPO's event of a push comes when it is answered, which may be after its delivery."""
    story.hear(receipt(1, "L1/E1", at=99.02))
    story.narrate()
    story.hear(push(1, "L1/E1", at=99.0, status="CHARGING"))
    story.narrate()
    assert said == ["PATCH L1/E1 CHARGING → delivered to DE-MSA in 20 ms [c1]"]


def test_a_later_state_settles_the_earlier_one(story: Story) -> None:
    """The hub delivers states: of two changes before their turn the second is sent."""
    story.hear(push(1, "L1/E1", at=99.0))
    story.hear(push(2, "L1/E1", at=99.1))
    story.hear(push(3, "L1/E1", at=99.2))
    story.hear(push(4, "L1/E2", at=99.0))
    story.hear(receipt(2, "L1/E1", at=99.3))
    story.narrate()
    assert pending(story) == {"c3", "c4"}


def test_a_whole_location_settles_its_evses(story: Story) -> None:
    """A snapshot holds every change made before it."""
    story.hear(push(1, "L1/E1", at=99.0))
    story.hear(push(2, "L10/E1", at=99.0))
    story.hear(receipt("?", "L1", at=99.5))
    story.narrate()
    assert pending(story) == {"c2"}


def test_each_receiver_is_told_of(story: Story, said: list[str]) -> None:
    """A broadcast reaches several parties, each in its own time."""
    story.hear(push(1, "L1", at=99.0, kind="put"))
    story.hear(receipt(1, "L1", at=99.014))
    story.narrate()
    story.hear(receipt(1, "L1", at=99.02, party="FR-MSB"))
    story.narrate()
    assert said == [
        "PUT L1 → delivered to DE-MSA in 14 ms [c1]",
        "PUT L1 → delivered to FR-MSB in 20 ms [c1]",
    ]


def test_an_object_is_none_of_another_module(story: Story) -> None:
    """Location 1 and session 1 have nothing to do with each other."""
    story.hear(push(1, "1", at=99.0))
    story.hear(receipt("?", "1", at=99.5, module="sessions"))
    story.narrate()
    assert pending(story) == {"c1"}


def test_what_nobody_received_is_forgotten(story: Story, clock: Clock) -> None:
    """A session has one receiver; the others never get it."""
    story.hear(push(1, "L1", at=99.0))
    clock.now += 61
    story.hear(push(2, "L1", at=160.0))
    assert pending(story) == {"c2"}


@pytest.mark.parametrize("module, text", [("tokens", "blocked ****3F2A"), ("tariffs", "…")])
def test_rare_news_are_all_said(story: Story, said: list[str], module: str, text: str) -> None:
    """Tokens and tariffs are said one by one, whatever else is going on."""
    for number in range(9):
        sent = push(number, f"{number}", at=99.0)
        story.hear({**sent, "module": module, "text": text})
        story.hear(receipt(number, f"{number}", at=99.018, module=module))
    story.narrate()
    assert said == [f"NL-CPA {text} → known to DE-MSA in 18 ms [c{n}]" for n in range(9)]


def test_business_is_said(story: Story, said: list[str]) -> None:
    """A session starts, a driver is turned away, a CDR is checked."""
    started = {"module": "sessions", "text": "S7 started at L3/E2"}
    story.hear({**push(7, "S7", at=99.0, kind="put"), **started})
    story.hear(receipt(7, "S7", at=99.015, module="sessions"))
    story.hear({**push(8, "C7", at=99.5, kind="post"), "module": "cdrs", "text": "CDR C7"})
    story.hear(receipt(8, "C7", at=99.6, module="cdrs"))
    story.narrate()
    story.hear({"event": "turned_away", "text": "L3/E2: token ****3F2A is blocked, no session"})
    cdr = {"session": "S7", "cdr": "C7", "kwh": 12.4, "cost": 6.2123, "currency": "EUR"}
    cdr["correlation_id"] = "0123456789"
    story.hear({"event": "agrees", "party": "DE-MSA", **cdr})
    wrong = {**cdr, "currency": "GBP", "reason": "total_cost is too much"}
    story.hear({"event": "disagrees", "party": "DE-MSA", **wrong})
    assert said == [
        "S7 started at L3/E2 → DE-MSA in 15 ms [c7]",
        "L3/E2: token ****3F2A is blocked, no session",
        "S7 12.4 kWh → CDR C7 € 6.21 → DE-MSA, agrees with its session [01234567]",
        "S7 12.4 kWh → CDR C7 GBP 6.21 → DE-MSA, DISAGREES: total_cost is too much [01234567]",
    ]


def test_the_steps_of_a_journey_are_said(story: Story, said: list[str]) -> None:
    """A tap, an order, its result: with the beginning of the id by which it is found."""
    event = {"event": "step", "party": "NL-CPA", "text": "asked about a tap: DE-MSA says ALLOWED"}
    story.hear({**event, "correlation_id": "0a1b2c3d-4e5f"})
    assert said == ["NL-CPA asked about a tap: DE-MSA says ALLOWED [0a1b2c3d]"]


def test_every_session_is_said(story: Story, said: list[str]) -> None:
    """However much else is going on: it is somebody's journey."""
    for number in range(9):
        sent = {**push(number, f"S{number}", at=99.0), "module": "sessions", "text": "goes on"}
        story.hear(sent)
        story.hear(receipt(number, f"S{number}", at=99.018, module="sessions"))
    story.narrate()
    assert said == [f"goes on → DE-MSA in 18 ms [c{number}]" for number in range(9)]


def test_a_fast_stream_is_summed_up(story: Story, clock: Clock, said: list[str]) -> None:
    """A person reads a few lines a second; the rest is counted and measured."""
    for number in range(10):
        story.hear(push(number, f"L{number}", at=99.0))
        story.hear(receipt(number, f"L{number}", at=99.0 + number / 100))
    story.narrate()
    assert len(said) == 4
    clock.now += 6
    story.narrate()
    assert said[4:] == ["… and 6 more delivered, median 65 ms, slowest 90 ms"]
    assert story.delivered == 10


def test_platforms_are_heard_registering_and_finishing(story: Story, said: list[str]) -> None:
    """The demo waits for both."""
    story.hear({"event": "registered", "party": "NL-CPA", "at": 1.0, "version": "2.2.1"})
    story.hear({"event": "done", "party": "NL-CPA", "at": 2.0})
    assert (story.registered, story.done) == ({"NL-CPA"}, {"NL-CPA"})
    assert said == ["NL-CPA registered (OCPI 2.2.1)"]


def test_a_refusal_is_told_with_its_reason(story: Story, said: list[str]) -> None:
    """What goes wrong is no secret; a fact that is missing is a question mark."""
    story.hear({"event": "refused", "party": "NL-CPA", "method": "PUT", "reason": "2001"})
    assert said == ["NL-CPA: PUT ? was refused: 2001"]


def test_a_log_is_read_line_by_line(tmp_path: Path) -> None:
    """Half a line waits for its end; what is no event is left alone."""
    log = tmp_path / "log"
    whole = json.dumps({"event": "done", "party": "NL-CPA"})
    log.write_text(f"warning: something\n[1]\n{whole}\n{whole[:5]}")
    tail = Tail(log)
    assert len(list(tail.events())) == 1
    assert list(tail.events()) == []
    with log.open("a") as more:
        more.write(f"{whole[5:]}\n")
    assert len(list(tail.events())) == 1
