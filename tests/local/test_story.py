"""What the sandbox platforms tell becomes sentences."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.story import Story, Tail


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
    """Return what the CPO tells of a push."""
    told = {"event": kind, "party": "NL-CPA", "path": f"NL/CPA/{path}", "at": at}
    return {**told, "correlation_id": f"c{number}", "status": status}


def receipt(number: int | str, path: str, *, at: float) -> dict[str, Any]:
    """Return what the eMSP tells of a receipt."""
    told = {"event": "received", "party": "DE-MSA", "path": f"NL/CPA/{path}", "at": at}
    return {**told, "correlation_id": f"c{number}"}


def test_a_push_and_its_receipt_are_a_delivery(story: Story, said: list[str]) -> None:
    """The time runs from sending to receiving."""
    story.hear(push(1, "L1", at=99.0, kind="put"))
    story.hear(receipt(1, "L1", at=99.014))
    story.tell()
    assert said == ["PUT L1 → delivered to DE-MSA in 14 ms"]
    assert story.pending == {}


def test_the_receipt_may_be_told_first(story: Story, said: list[str]) -> None:
    """The CPO tells of a push when it is answered, which may be after its delivery."""
    story.hear(receipt(1, "L1/E1", at=99.02))
    story.tell()
    story.hear(push(1, "L1/E1", at=99.0, status="CHARGING"))
    story.tell()
    assert said == ["PATCH L1/E1 CHARGING → delivered to DE-MSA in 20 ms"]


def test_a_later_state_settles_the_earlier_one(story: Story) -> None:
    """The hub delivers states: of two changes before their turn the second is sent."""
    story.hear(push(1, "L1/E1", at=99.0))
    story.hear(push(2, "L1/E1", at=99.1))
    story.hear(push(3, "L1/E1", at=99.2))
    story.hear(push(4, "L1/E2", at=99.0))
    story.hear(receipt(2, "L1/E1", at=99.3))
    story.tell()
    assert set(story.pending) == {"c3", "c4"}


def test_a_whole_location_settles_its_evses(story: Story) -> None:
    """A snapshot holds every change made before it."""
    story.hear(push(1, "L1/E1", at=99.0))
    story.hear(push(2, "L10/E1", at=99.0))
    story.hear(receipt("?", "L1", at=99.5))
    story.tell()
    assert set(story.pending) == {"c2"}


def test_a_fast_stream_is_summed_up(story: Story, clock: Clock, said: list[str]) -> None:
    """A person reads a few lines a second; the rest is counted and measured."""
    for number in range(10):
        story.hear(push(number, f"L{number}", at=99.0))
        story.hear(receipt(number, f"L{number}", at=99.0 + number / 100))
    story.tell()
    assert len(said) == 4
    clock.now += 6
    story.tell()
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
