"""Ingestion of a page: each object by itself is stored, passed over or quarantined.

Spec: 2.2.1 transport and format, pull; TF-31, TF-53, TF-103 to TF-107. An object's owner is the
party that it names itself, whichever party was asked for the list.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hub.gateway import posts_in_flight, token_owner
from hub.pull import object_retention, page_objects
from hub.pull.page_objects import BrokenObject, Identity, PageObject
from hub.pull.sources import Source
from hub.store import pull_writes
from hub.store.pull_writes import Pulled, PullOutcome
from ocpi.errors import Fault, Finding, InvalidParameters, OcpiError, UnknownReceiver
from parties import deviations


@dataclass(slots=True)
class IngestResult:
    """What became of a page: how many objects were stored, passed over and so on; which are broken.

    `listed` has the keys of all objects of the party that was asked, broken or not,
    `listed_of_others` owner and key of those of other parties of the platform. The page
    `is_gapless` if each of its objects could be identified.
    """

    counts: Counter[str] = field(default_factory=Counter)
    listed: set[str] = field(default_factory=set)
    listed_of_others: set[str] = field(default_factory=set)
    broken: list[BrokenObject] = field(default_factory=list)
    is_gapless: bool = True


def apply(source: Source, objects: Sequence[PageObject]) -> IngestResult:
    """Store what can be stored of a page, and return what became of all of it."""
    result = IngestResult(Counter(seen=len(objects)))
    usable: list[Pulled] = []
    for one in objects:
        _ingest_one(source, one, usable, result)
    if source.kind.posted:
        usable = _not_under_way(usable, result)
    outcomes = pull_writes.store(usable) if usable else []
    for pulled, outcome in zip(usable, outcomes, strict=True):
        if outcome in _BROKEN_OUTCOMES:
            text, identity = pulled.request.body, _identity_of(pulled)
            result.broken.append(page_objects.broken(text, identity, _BROKEN_OUTCOMES[outcome]))
        else:
            result.counts[outcome.value] += 1
            if outcome is PullOutcome.STORED and pulled.write.findings:
                odd = deviations.odd_object(source.module.identifier, pulled.write.findings)
                deviations.note(source.platform_id, odd)
    result.counts["quarantined"] = len(result.broken)
    return result


def _not_under_way(usable: list[Pulled], result: IngestResult) -> list[Pulled]:
    """Leave out what is being posted right now: a CDR must not reach its receiver by two ways.

    The next crawl finds it in the list again.
    """
    posted = posts_in_flight.under_way([pulled.key for pulled in usable])
    result.counts[PullOutcome.OLDER.value] += sum(pulled.key in posted for pulled in usable)
    return [pulled for pulled in usable if pulled.key not in posted]


_BROKEN_OUTCOMES = {
    PullOutcome.CONTRADICTS: InvalidParameters(
        findings=(
            Finding("id", "never changes, and the hub has it with other content", Fault.IMMUTABLE),
        )
    ),
    PullOutcome.UNUSABLE: OcpiError("the database cannot hold one of its values"),
}


def _ingest_one(
    source: Source, one: PageObject, usable: list[Pulled], result: IngestResult
) -> None:
    """Add an object to what is `usable`, or note in `result` why it is not."""
    identity = one.identity
    # A Location whose coordinates are broken is in the list, and must not count as missing from it.
    if identity is not None and identity.owner == source.party:
        result.listed.add(identity.key)
    elif identity is not None and str(identity.owner) in source.own:
        result.listed_of_others.add(identity.whole)
    if isinstance(one.outcome, BrokenObject):
        result.is_gapless &= identity is not None
        result.broken.append(one.outcome)
    else:
        _ingest_sound(source, one.outcome, usable, result)


def _ingest_sound(
    source: Source, sound: Pulled, usable: list[Pulled], result: IngestResult
) -> None:
    try:
        pulled = _entitled(source, sound)
    except UnknownReceiver:
        result.counts["passed_over"] += 1
    except OcpiError as error:
        text, identity = sound.request.body, _identity_of(sound)
        result.broken.append(page_objects.broken(text, identity, error))
    else:
        if _is_over(pulled):
            result.counts[PullOutcome.OLDER.value] += 1
        else:
            usable.append(pulled)


def _is_over(pulled: Pulled) -> bool:
    request = pulled.request
    return object_retention.is_over(request.module, request.value, pulled.write.last_updated)


def _entitled(source: Source, pulled: Pulled) -> Pulled:
    """Set whose an object is and for whom; raises `UnknownReceiver` if no party may have it."""
    request = pulled.request
    if not source.may_have(request.owner):
        reason = f"{request.owner} is no party of this platform that may have {source.kind.name}s"
        raise InvalidParameters(findings=(Finding("party_id", reason, Fault.FOREIGN_OWNER),))
    holder = source.holder_of(request.owner)
    audience = _audience(source, holder, pulled)
    return replace(
        pulled, request=replace(request, holder=holder, audience=audience, recipient=audience)
    )


def _audience(source: Source, owner: str, pulled: Pulled) -> str:
    """Return the holder that a personal object is for (TF-105), empty for what is for everybody."""
    if not source.policy.personal:
        return ""
    to = token_owner.owner_of(pulled.request.value, sender=owner)
    holder = source.entitled(owner, to)
    if not holder:
        raise UnknownReceiver(f"{to.ref} may not have it")
    if source.is_of_predecessor(holder, pulled.write.last_updated):
        raise UnknownReceiver(f"{to.ref} was another when this was made")
    return holder


def _identity_of(pulled: Pulled) -> Identity:
    request = pulled.request
    return Identity(request.owner, request.ids[0], request.key)
