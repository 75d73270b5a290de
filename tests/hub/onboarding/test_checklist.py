"""How far a handshake is, decided from what is known: one row of a table for each case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.models import Exchange, PullState
from hub.onboarding.checklist import Checklist, Retry, State, Step, decide
from hub.onboarding.evidence import Facts
from ocpi.types import InterfaceRole, ModuleID
from parties.models import Credentials, Party
from parties.registration.invitation import Initiator

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOCATIONS = (ModuleID.LOCATIONS, InterfaceRole.SENDER)
TOKENS = (ModuleID.TOKENS, InterfaceRole.RECEIVER)
OFFER = '{"token":"…","url":"u","roles":[{"role":"CPO","country_code":"NL","party_id":"CPA"}]}'

TOKEN, VERSIONS, DETAILS = "Token A handed over", "Versions fetched", "Version details fetched"
THEIR_VERSIONS = "Its versions read by the hub"
THEIR_DETAILS = "Its version details read by the hub"
CREDENTIALS, ROLES, MODULES = "Credentials exchanged", "Roles accepted", "Modules found"
FORM, PULL = "Form of its token", "First pull"


def exchange(method: str, module: str, **changes: Any) -> Exchange:
    """Return an exchange that went well, a second before now."""
    given = {"direction": "in", "status_code": 1000, "http_status": 200, "correlation_id": "c"}
    at = NOW - timedelta(seconds=changes.pop("ago", 1))
    return Exchange(**{**given, "at": at, "method": method, "module": module, **changes})


def came(*, version: str = "", **changes: Any) -> Exchange:
    """Return a call of the platform for versions or details."""
    return exchange("GET", "versions", version=version, **changes)


def went(**changes: Any) -> Exchange:
    """Return a call of the hub for versions or details."""
    return exchange("GET", "versions", **{"direction": "out", **changes})


def post(**changes: Any) -> Exchange:
    """Return a POST of credentials."""
    return exchange("POST", "credentials", **{"request_body": OFFER, **changes})


def token_a(**changes: Any) -> Credentials:
    """Return a token A that is good for a day."""
    return Credentials(
        **{"kind": "A", "last_four": "ab12", "valid_until": NOW + timedelta(days=1), **changes}
    )


def pull(module: str = "locations", **changes: Any) -> PullState:
    """Return how a list of NL-CPA stands: not read yet."""
    return PullState(party=Party(key="NL-CPA"), module=module, **changes)


def listed(checklist: Checklist) -> dict[str, Step]:
    """Return the steps by their title."""
    return {step.title: step for step in checklist.steps}


def decided(**given: Any) -> dict[str, Step]:
    """Return the steps for an invited platform of one CPO that is not registered."""
    invited = {"starts": Initiator.PLATFORM, "now": NOW, "listed": frozenset({"CPO NL-CPA"})}
    return listed(decide(Facts(**{**invited, **given})))


REGISTERED: dict[str, Any] = {
    "is_registered": True,
    "active": frozenset({"CPO NL-CPA"}),
    "endpoints": frozenset({LOCATIONS}),
    "expected": frozenset({LOCATIONS}),
}
FAILED: dict[str, Any] = {
    "status_code": 2001,
    "http_status": 401,
    "status_message": "this token has expired",
}
ON = {**REGISTERED, "pulls": [pull(last_success_at=NOW)]}

CASES: dict[str, tuple[dict[str, Any], str, State, str]] = {
    "nothing was issued": ({}, TOKEN, State.WAITING, "None was issued"),
    "a fresh token": ({"token_a": token_a()}, TOKEN, State.WAITING, "ab12 was not used yet"),
    "a used token": ({"token_a": token_a(first_used_at=NOW)}, TOKEN, State.DONE, "first used"),
    "an expired token": (
        {"token_a": token_a(valid_until=NOW - timedelta(minutes=1))},
        *(TOKEN, State.WRONG, "expired at 2026-03-01 11:59:00 UTC"),
    ),
    "a withdrawn token": (
        {"token_a": token_a(revoked_at=NOW)},
        *(TOKEN, State.WRONG, "was withdrawn"),
    ),
    "a stranger": (
        {"token_a": token_a(), "stranger": came(**FAILED)},
        *(TOKEN, State.CARE, "a token the hub does not know"),
    ),
    "a token of a registered platform": (REGISTERED, TOKEN, State.DONE, "opens nothing any more"),
    "nobody asked": ({}, VERSIONS, State.WAITING, "did not ask yet"),
    "versions were asked for": ({"exchanges": [came()]}, VERSIONS, State.DONE, "11:59:59 UTC"),
    "versions alone are no details": ({"exchanges": [came()]}, DETAILS, State.WAITING, "not ask"),
    "details were asked for": (
        {"exchanges": [came(version="2.2.1")]},
        *(DETAILS, State.DONE, "11:59:59"),
    ),
    "a refused call": (
        {"exchanges": [came(**FAILED)]},
        *(VERSIONS, State.WRONG, "HTTP 401, status code 2001: this token has expired."),
    ),
    "the last call counts": (
        {"exchanges": [came(), came(ago=5, **FAILED)]},
        *(VERSIONS, State.DONE, "11:59:59"),
    ),
    "of a registered platform the last good one": (
        {**REGISTERED, "exchanges": [came(**FAILED), came(ago=5)]},
        *(VERSIONS, State.DONE, "11:59:55"),
    ),
    "a handshake the log has lost": (REGISTERED, VERSIONS, State.DONE, "no trace"),
    "a callback that waits": ({}, THEIR_VERSIONS, State.WAITING, "when the platform POSTs"),
    "a callback that meets nobody": (
        {
            "exchanges": [
                went(http_status=None, status_code=None, status_message="PeerTimeout: 10 s")
            ]
        },
        *(THEIR_VERSIONS, State.WRONG, "No answer: PeerTimeout: 10 s."),
    ),
    "a callback whose details fail": (
        {"exchanges": [went(http_status=404, status_code=None), went(ago=2)]},
        *(THEIR_DETAILS, State.WRONG, "HTTP 404."),
    ),
    "a callback whose versions went well": (
        {"exchanges": [went(http_status=404, status_code=None), went(ago=2)]},
        *(THEIR_VERSIONS, State.DONE, "11:59:58"),
    ),
    "a new attempt begins anew": (
        {"exchanges": [went(correlation_id="d"), went(ago=2), went(ago=3)]},
        *(THEIR_DETAILS, State.WAITING, "POSTs"),
    ),
    "a ping is no attempt": (
        {**REGISTERED, "exchanges": [went(correlation_id="p"), post(), went(ago=5), went(ago=6)]},
        *(THEIR_VERSIONS, State.DONE, "11:59:54"),
    ),
    "nobody sent credentials": ({}, CREDENTIALS, State.WAITING, "Nobody sent"),
    "credentials were refused": (
        {"exchanges": [post(status_code=3001, status_message="cannot be reached")]},
        *(CREDENTIALS, State.WRONG, "HTTP 200, status code 3001: cannot be reached."),
    ),
    "credentials of the other way do not count": (
        {"exchanges": [post(direction="out")]},
        *(CREDENTIALS, State.WAITING, "Nobody sent"),
    ),
    "roles before credentials": ({}, ROLES, State.WAITING, "may register CPO NL-CPA"),
    "a party that is not on the list": (
        {"exchanges": [post(request_body=OFFER.replace("CPA", "CPX"), status_code=2001)]},
        *(ROLES, State.WRONG, "It names CPO NL-CPX, not on its list"),
    ),
    "credentials the log has cut": (
        {"exchanges": [post(request_body=OFFER[:40], status_code=2001)]},
        *(ROLES, State.WAITING, "may register"),
    ),
    "all roles": (REGISTERED, ROLES, State.DONE, "Registered: CPO NL-CPA."),
    "a role it did not name": (
        {**REGISTERED, "listed": frozenset({"CPO NL-CPA", "EMSP NL-CPA"})},
        *(ROLES, State.CARE, "not named by it: EMSP NL-CPA"),
    ),
    "modules before details": ({}, MODULES, State.WAITING, "Known once"),
    "all modules": (REGISTERED, MODULES, State.DONE, "Found: locations SENDER."),
    "a module less": (
        {**REGISTERED, "expected": frozenset({LOCATIONS, TOKENS})},
        *(MODULES, State.CARE, "Missing: tokens RECEIVER"),
    ),
    "no call yet": ({}, FORM, State.WAITING, "made no call"),
    "Base64": ({"form": "BASE64"}, FORM, State.DONE, "in Base64"),
    "a raw token that is taken": ({"form": "RAW"}, FORM, State.CARE, "the hub takes that"),
    "a raw token that is not": (
        {"form": "RAW", "takes_raw": False},
        *(FORM, State.WRONG, "quirk that would take that is off"),
    ),
    "a pull before": ({}, PULL, State.WAITING, "once it is registered"),
    "not pulled": ({**REGISTERED, "is_pulled": False}, PULL, State.DONE, "as its quirk says"),
    "nothing to pull": (
        {**REGISTERED, "endpoints": frozenset({TOKENS})},
        *(PULL, State.DONE, "offers no list"),
    ),
    "a pull about to begin": (REGISTERED, PULL, State.WAITING, "within a minute"),
    "a pull under way": (
        {**REGISTERED, "pulls": [pull(seen=1200, total=5000, tried_at=NOW)]},
        *(PULL, State.WAITING, "NL-CPA locations: 1,200 of 5,000 so far"),
    ),
    "a pull that failed": (
        {**REGISTERED, "pulls": [pull(failures=1, last_error="HTTP 500")]},
        *(PULL, State.WRONG, "NL-CPA locations: HTTP 500"),
    ),
    "a pull that is done": (ON, PULL, State.DONE, "NL-CPA locations: 0 read"),
    "a list about drivers waits for an agreement": (
        {**REGISTERED, "pulls": [pull(last_success_at=NOW), pull("sessions")]},
        *(PULL, State.DONE, "sessions: read once somebody has an agreement"),
    ),
}


@pytest.mark.parametrize("given,title,state,words", CASES.values(), ids=CASES)
def test_each_step_says_how_it_stands(
    given: dict[str, Any], title: str, state: State, words: str
) -> None:
    """From what is known follow the state of a step and a sentence about it."""
    step = decided(**given)[title]
    assert (step.state, words in step.sentence) == (state, True), step.sentence


def test_the_hub_begins_without_a_token_of_its_own() -> None:
    """Where the hub starts it asks first, and whatever failed can be tried again."""
    bad = {"status_code": 2001, "status_message": "unknown token"}
    steps = decided(
        starts=Initiator.HUB,
        exchanges=[post(direction="out", **bad), went(ago=2), went(ago=3)],
    )
    assert list(steps) == [THEIR_VERSIONS, THEIR_DETAILS, CREDENTIALS, ROLES, MODULES, FORM, PULL]
    assert [steps[title].state for title in (THEIR_VERSIONS, CREDENTIALS)] == ["done", "wrong"]
    assert steps[CREDENTIALS].retry is Retry.REGISTER


def test_the_hub_reads_the_roles_out_of_the_answer() -> None:
    """What a platform claims when the hub starts stands in its answer."""
    answer = f'{{"data":{OFFER.replace("CPA", "CPX")},"status_code":1000}}'
    steps = decided(starts=Initiator.HUB, exchanges=[post(direction="out", response_body=answer)])
    assert "CPO NL-CPX" in steps[ROLES].sentence


def test_each_step_has_its_exchange() -> None:
    """Behind a step stands what was said on the wire."""
    versions, details = went(ago=3), went(ago=2)
    steps = decided(exchanges=[post(**FAILED), details, versions, came(ago=9)])
    assert steps[THEIR_VERSIONS].exchanges == (versions,)
    assert steps[THEIR_DETAILS].exchanges == (details,)
    assert steps[CREDENTIALS].exchanges[0].method == "POST"


def test_a_checklist_ends() -> None:
    """It is complete when nothing is left to wait for, however much care it needs."""
    good = [post(), went(ago=2), went(ago=3), came(version="2.2.1", ago=4), came(ago=5)]
    facts = {"starts": Initiator.PLATFORM, "now": NOW, "exchanges": good, "form": "RAW", **ON}
    checklist = decide(Facts(**facts))
    assert (checklist.done, checklist.is_complete) == (len(checklist.steps), True)
    assert not decide(Facts(**{**facts, "is_registered": False})).is_complete
