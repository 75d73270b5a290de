"""Who is wrong when a flow between the hub and a peer fails."""

import pytest

from tests.peers.table import as_json, hub_is_wrong, lines
from tests.peers.verdicts import Exchange, Outcome, Verdict, Wrong, verdict, wrong_by

WELL = Exchange("out", "PUT locations NL/CPA/L1", 200, 1000, "")
REFUSED = Exchange("out", "PUT locations NL/CPA/L1", 422, None, "HTTP 422, no message")


@pytest.mark.parametrize(
    "exchange, wrong",
    [
        (REFUSED, Wrong.PEER),
        (Exchange("out", "GET locations", 200, None, "no OCPI envelope"), Wrong.PEER),
        (Exchange("out", "POST cdrs", None, None, "did not answer in time"), Wrong.PEER),
        (Exchange("in", "PUT tokens", 200, 2001, "uid: required"), Wrong.PEER),
        (Exchange("in", "PUT tokens", 200, 3000, "the hub failed"), Wrong.HUB),
        (Exchange("in", "PUT tokens", 502, None, ""), Wrong.HUB),
        (Exchange("in", "GET versions", None, None, ""), Wrong.HUB),
        (Exchange("out", "GET credentials", 401, None, "wants no Base64"), Wrong.SPECIFICATION),
    ],
)
def test_whoever_refuses_what_is_right_is_wrong(exchange: Exchange, wrong: Wrong) -> None:
    """A peer that refuses the hub, and one that sends what the hub refuses; the hub by 3000."""
    assert wrong_by(exchange) is wrong


def test_a_flow_that_reached_its_end_is_done() -> None:
    """Whatever failed on the way was made good."""
    assert verdict(succeeded=True, exchanges=[REFUSED, WELL]) == Verdict(Outcome.DONE)


def test_the_deepest_failure_decides() -> None:
    """The hub's answer repeats what its receiver did."""
    asked = Exchange("in", "POST commands START_SESSION", 200, 4002, "no answer")
    found = verdict(succeeded=False, exchanges=[WELL, REFUSED, asked])

    assert (found.outcome, found.wrong) == (Outcome.FAILED, Wrong.PEER)
    assert "HTTP 422" in found.reason


def test_a_failure_that_nobody_said_anything_about_is_nobodys_yet() -> None:
    """It is looked into by a person."""
    found = verdict(succeeded=False, exchanges=[WELL], reason="L1 did not arrive")
    assert found == Verdict(Outcome.FAILED, Wrong.UNKNOWN, "L1 did not arrive")


SEEN = {
    "good": {"push": Verdict(Outcome.DONE), "pull": Verdict(Outcome.DONE)},
    "bad": {"push": Verdict(Outcome.FAILED, Wrong.PEER, "HTTP 422")},
}


def test_the_table_has_a_row_for_each_peer_and_the_reasons_below() -> None:
    """A flow that was not tried says so."""
    assert lines(SEEN, ["push", "pull"]) == [
        "peer  push        pull",
        "good  done        done",
        "bad   peer wrong  not tried",
        "",
        "bad, push: HTTP 422",
    ]


def test_the_json_has_an_object_for_each_peer_and_flow() -> None:
    """Machine readable, with the same words."""
    assert as_json(SEEN)[-1] == {
        "peer": "bad",
        "flow": "push",
        "outcome": "failed",
        "wrong": "peer",
        "reason": "HTTP 422",
    }


@pytest.mark.parametrize(
    "wrong, expected", [(Wrong.PEER, False), (Wrong.HUB, True), (Wrong.UNKNOWN, True)]
)
def test_only_what_may_be_the_hubs_fault_fails_the_run(wrong: Wrong, *, expected: bool) -> None:
    """Peers may be as wrong as they are."""
    assert hub_is_wrong({"x": {"push": Verdict(Outcome.FAILED, wrong)}}) is expected
