"""Commands that list something say what they leave out, beside the list and beside its JSON."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command

from hub.management.commands import dead_letters, kept_cdrs
from hub.models import KeptCdr
from sandbox.misbehaviour import refuse
from tests.cast import CPA, Cast, a_location, push


def listed(*words: str) -> tuple[int, str]:
    """Return how many rows a command gives as JSON, and what it says beside them."""
    out, err = StringIO(), StringIO()
    call_command(*words, "--json", stdout=out, stderr=err)
    return len(json.loads(out.getvalue())), err.getvalue()


def test_dead_letters_go_on_below_the_last(
    cast: Cast, deliver_all: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence has the words that list the others; the last page says nothing."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    with emsp.answer("PUT /locations/", refuse(2001)):
        for number in (1, 2, 3):
            push(cpo, a_location(CPA, number))
        deliver_all()
    assert listed("dead_letters") == (3, "")
    monkeypatch.setattr(dead_letters, "MOST_ROWS", 2)

    number, said = listed("dead_letters")

    assert (number, said.startswith("There are older ones: dead_letters --before ")) == (2, True)
    assert listed("dead_letters", *said.split()[-2:]) == (1, "")


@pytest.mark.django_db
def test_kept_cdrs_go_on_below_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """As dead letters do."""
    for _ in range(3):
        KeptCdr.objects.create(
            platform="P1",
            owner="NL-CPA",
            recipient="DE-MSA",
            text="{}",
            posted_at="2026-01-01T00:00:00Z",
        )
    monkeypatch.setattr(kept_cdrs, "MOST_ROWS", 2)

    number, said = listed("kept_cdrs")

    assert (number, "older ones" in said) == (2, True)
    assert listed("kept_cdrs", *said.split()[-2:]) == (1, "")


def test_the_audit_says_that_there_are_others(cast: Cast) -> None:
    """Where `--limit`, also the usual one, cuts the list."""
    cast.join("P1")
    cast.join("P2")
    assert listed("audit", "--limit", "1") == (
        1,
        "There are older ones than these 1: see --limit\n",
    )
    assert listed("audit", "--limit", "1000")[1] == ""
