"""The steps of a handshake and the state of each, decided from the evidence alone.

Spec: 2.2.1 credentials (registration), versions; A-02, A-79, A-84. An operator may pass on every
sentence to the other side.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.models import Exchange, PullState
from hub.module_policy import ABOUT_DRIVERS, POLICIES
from hub.onboarding.evidence import Facts, claimed_parties, is_good
from hub.onboarding.outcomes import failure
from hub.onboarding.proposals import Proposal, propose
from ocpi.transport.authorization import TokenForm
from parties.models import Credentials
from parties.registration.discovery import Interface
from parties.registration.invitation import Initiator


class State(StrEnum):
    """The state of a step."""

    DONE = "done"
    CARE = "care"
    """Done, and somebody should look at it."""
    WRONG = "wrong"
    WAITING = "waiting"


class Retry(StrEnum):
    """What an operator can do about a step, by a button beside it."""

    INVITE = "invite"
    REGISTER = "register"
    ROTATE = "rotate"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and the exchanges that its sentence is about."""

    title: str
    state: State
    sentence: str
    exchanges: tuple[Exchange, ...] = ()
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Checklist:
    """All steps of a handshake, in the order in which they happen."""

    starts: Initiator
    steps: Sequence[Step]
    proposals: Sequence[Proposal] = ()
    """What may help, if somebody types it."""

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(step.state in {State.DONE, State.CARE} for step in self.steps)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.done == len(self.steps)


def decide(facts: Facts) -> Checklist:
    """Return the steps, in the order that follows from which side starts."""
    versions, details = [*facts.fetched_by_hub(), None, None][:2]
    fetched_by_hub = _steps_of_hub(facts, versions, details)
    offer = _exchange_step(
        "Credentials exchanged",
        facts,
        facts.credentials_exchange(),
        "Nobody sent credentials yet.",
        _retry_of_hub(facts),
    )
    common = (_roles(facts), _modules(facts), _token_form(facts), _first_pull(facts))
    if facts.starts is Initiator.HUB:
        return Checklist(facts.starts, (*fetched_by_hub, offer, *common), propose(facts))
    fetched_by_platform = (
        _exchange_step(
            title,
            facts,
            facts.fetched_by_platform(details=is_details),
            "The platform did not ask yet.",
            None,
        )
        for title, is_details in (("Versions fetched", False), ("Version details fetched", True))
    )
    steps = (_token_a(facts), *fetched_by_platform, *fetched_by_hub, offer, *common)
    return Checklist(facts.starts, steps, propose(facts))


def _steps_of_hub(
    facts: Facts, versions: Exchange | None, details: Exchange | None
) -> Sequence[Step]:
    """Return the two steps in which the hub asks the platform."""
    awaited = (
        "The hub asks when the platform POSTs its credentials."
        if facts.starts is Initiator.PLATFORM
        else "The hub did not ask yet."
    )
    steps = (
        ("Its versions read by the hub", versions),
        ("Its version details read by the hub", details),
    )
    return [
        _exchange_step(title, facts, row, awaited, _retry_of_hub(facts)) for title, row in steps
    ]


def _retry_of_hub(facts: Facts) -> Retry | None:
    return Retry.REGISTER if facts.starts is Initiator.HUB else None


def _exchange_step(
    title: str, facts: Facts, row: Exchange | None, awaited: str, retry: Retry | None
) -> Step:
    """Return a step that one exchange decides; `awaited` is its sentence until there is one."""
    failed = failure(facts, row) if row is not None else ""
    if row is not None and failed and is_good(row):
        sentence = f"Answered with success, but {failed}. At {_clock(row.at)}."
        return Step(title, State.WRONG, sentence, (row,), retry)
    if row is not None and is_good(row):
        return Step(title, State.DONE, f"At {_clock(row.at)}.", (row,))
    if row is not None and not facts.is_registered:
        return Step(title, State.WRONG, f"{outcome(row)} At {_clock(row.at)}.", (row,), retry)
    if facts.is_registered:
        return Step(title, State.DONE, "It is registered; the message log has no trace of this.")
    return Step(title, State.WAITING, awaited, retry=retry)


def outcome(row: Exchange) -> str:
    """Return a sentence that says how a request failed."""
    if row.http_status is None:
        return f"No answer: {row.status_message or 'nobody knows why'}."
    code = f", status code {row.status_code}" if row.status_code is not None else ""
    words = f": {row.status_message.rstrip('.')}" if row.status_message else ""
    return f"HTTP {row.http_status}{code}{words}."


def _token_a(facts: Facts) -> Step:
    title, token = "Token A handed over", facts.token_a
    if facts.is_registered:
        return Step(title, State.DONE, "It was used, and opens nothing any more.")
    if token is None:
        return Step(title, State.WAITING, "None was issued yet.", retry=Retry.INVITE)
    name, trouble = f"The one that ends in {token.last_four}", _trouble(token, facts.now)
    if trouble:
        return Step(title, State.WRONG, f"{name} {trouble}.", retry=Retry.INVITE)
    if token.first_used_at is not None:
        return Step(title, State.DONE, f"{name} was first used at {_clock(token.first_used_at)}.")
    if facts.stranger is not None:
        sentence = (
            f"{name} was not used, but somebody called with a token the hub does not know, or"
            f" writes it in a form it does not know. {outcome(facts.stranger)}"
        )
        return Step(title, State.CARE, sentence, (facts.stranger,), Retry.INVITE)
    until = f" It is good until {_clock(token.valid_until)}." if token.valid_until else ""
    return Step(title, State.WAITING, f"{name} was not used yet.{until}", retry=Retry.INVITE)


def _trouble(token: Credentials, now: datetime) -> str:
    """Return why a token is not valid any more; empty if it is."""
    if token.revoked_at is not None:
        return f"was withdrawn at {_clock(token.revoked_at)}"
    if token.valid_until is not None and token.valid_until <= now:
        return f"expired at {_clock(token.valid_until)}"
    return ""


def _roles(facts: Facts) -> Step:
    title, offer = "Roles accepted", facts.credentials_exchange()
    if facts.is_registered:
        registered, missing = f"Registered: {_all(facts.active)}.", facts.listed - facts.active
        if missing:
            sentence = f"{registered} On its list, and not named by it: {_all(missing)}."
            return Step(title, State.CARE, sentence)
        return Step(title, State.DONE, registered)
    refused = claimed_parties(offer) - facts.listed if offer is not None else frozenset()
    if offer is not None and refused:
        sentence = (
            f"It names {_all(refused)}, not on its list: add there what is agreed on, or have the"
            " platform leave it out."
        )
        return Step(title, State.WRONG, sentence, (offer,))
    return Step(title, State.WAITING, f"It may register {_all(facts.listed) or 'nobody yet'}.")


def _modules(facts: Facts) -> Step:
    title = "Modules found"
    if not facts.is_registered:
        return Step(title, State.WAITING, "Known once its version details were read.")
    asked = tuple(facts.fetched_by_hub()[1:2])
    found = f"Found: {_interfaces(facts.endpoints)}."
    missing = facts.expected - facts.endpoints
    if not missing:
        return Step(title, State.DONE, found, asked)
    module, side = min(missing)
    command = f"manage.py endpoint {shlex.quote(facts.name)} {module} {side} URL"
    sentence = (
        f"{found} Missing: {_interfaces(missing)}; well if the platform does without. One that it"
        f" has and does not advertise is added by hand: {command}"
    )
    return Step(title, State.CARE, sentence, asked, Retry.ROTATE)


def _token_form(facts: Facts) -> Step:
    title = "Form of its token"
    if facts.form == TokenForm.BASE64:
        return Step(title, State.DONE, "It sends its token in Base64, as specified.")
    if facts.form and facts.takes_raw:
        return Step(title, State.CARE, "It sends its token without Base64; the hub takes that.")
    if facts.form:
        sentence = "It sends its token without Base64; the quirk that would take that is off."
        return Step(title, State.WRONG, sentence)
    return Step(title, State.WAITING, "It made no call with a token of the hub yet.")


def _first_pull(facts: Facts) -> Step:
    title = "First pull"
    if not facts.is_registered:
        return Step(title, State.WAITING, "Begins once it is registered.")
    if not facts.is_pulled:
        return Step(title, State.DONE, "It is not pulled, as its quirk says.")
    if not facts.pulls:
        return _without_pulls(title, facts)
    progress = f"{'; '.join(map(_progress, facts.pulls))}."
    state = _pull_state(facts.pulls)
    retry = None if state is State.DONE else Retry.PULL
    return Step(title, state, progress, retry=retry)


def _without_pulls(title: str, facts: Facts) -> Step:
    lists = {module for module, side in facts.endpoints if side == "SENDER" and module in POLICIES}
    if lists:
        return Step(title, State.WAITING, "Begins within a minute.")
    return Step(title, State.DONE, "It offers no list to read.")


def _pull_state(pulls: Sequence[PullState]) -> State:
    """Return the worst state of all lists; one that waits for an agreement does not count."""
    unread = [pull for pull in pulls if not pull.last_success_at and not _waits_for_agreement(pull)]
    if any(pull.failures for pull in unread):
        return State.WRONG
    return State.WAITING if unread else State.DONE


def _waits_for_agreement(pull: PullState) -> bool:
    """Return whether a list about drivers is not read yet, as nobody may have what is in it."""
    return pull.module in ABOUT_DRIVERS and pull.tried_at is None


def _progress(pull: PullState) -> str:
    name = f"{pull.party.key} {pull.module}"
    if pull.last_success_at:
        return f"{name}: {pull.seen:,} read"
    if _waits_for_agreement(pull):
        return f"{name}: read once somebody has an agreement with it"
    if pull.failures:
        return f"{name}: {pull.last_error}"
    of = f" of {pull.total:,}" if pull.total else ""
    return f"{name}: {pull.seen:,}{of} so far"


def _interfaces(found: Iterable[Interface]) -> str:
    return ", ".join(sorted(f"{module} {side}" for module, side in found)) or "none"


def _all(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
