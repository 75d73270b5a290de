"""Ingestion of a page: each object by itself is stored, passed over or quarantined.

Spec: 2.2.1 transport and format, pull; TF-31, TF-53, TF-103 to TF-107. An object's owner is the
party that it names itself, whichever party was asked for the list.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec

from hub.gateway import posts_in_flight, token_owner
from hub.pull import object_retention
from hub.pull.sources import Source
from hub.store import merge, pull_writes
from hub.store.identity import object_key
from hub.store.pull_writes import Pulled, PullOutcome
from hub.store.write_request import WriteRequest
from ocpi.errors import Fault, Finding, InvalidParameters, NotJson, OcpiError, UnknownReceiver
from ocpi.modules import ObjectType
from ocpi.types import PartyRef, parse_datetime
from ocpi.validation import decode_object

# In characters. What is longer is cut in the quarantine, or refused as an object's key.
LONGEST_TEXT = 20_000
_LONGEST_ID = 255
_LONGEST_KEY = 255
MOST_FINDINGS = 20


class _Named(msgspec.Struct):
    """The id of an object; the decoder skips all else without making Python objects of it."""

    id: str = ""


_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class BrokenObject:
    """An object that cannot be used, and why; `key` is what the quarantine knows it by."""

    key: str
    object_id: str
    text: str
    findings: str
    fault: Fault | None = None


@dataclass(slots=True)
class IngestResult:
    """What became of a page: how many objects were stored, passed over and so on; which are broken.

    `listed` has the keys of all objects of the party that was asked, broken or not. The page
    `is_gapless` if each of its objects could be identified.
    """

    counts: Counter[str] = field(default_factory=Counter)
    listed: set[str] = field(default_factory=set)
    broken: list[BrokenObject] = field(default_factory=list)
    is_gapless: bool = True


@dataclass(frozen=True, slots=True)
class _Identity:
    """What an object calls itself, as its owner spells it."""

    country_code: str
    party_id: str
    object_id: str
    key: str

    @property
    def owner(self) -> PartyRef:
        return PartyRef(self.country_code, self.party_id)

    @property
    def whole(self) -> str:
        """What identifies it among all objects of its module."""
        return f"{self.owner}/{self.key}"

    @property
    def path(self) -> str:
        """Its path below a receiver's endpoint."""
        steps = (self.country_code, self.party_id, self.object_id)
        return "/".join(quote(step, safe="") for step in steps)


def apply(source: Source, items: Sequence[bytes], correlation_id: str) -> IngestResult:
    """Store what can be stored of a page, and return what became of all of it."""
    result = IngestResult(Counter(seen=len(items)))
    usable: list[Pulled] = []
    for text in items:
        _ingest_one(source, text, correlation_id, usable, result)
    if source.kind.posted:
        usable = _not_under_way(usable, result)
    outcomes = pull_writes.store(usable) if usable else []
    for pulled, outcome in zip(usable, outcomes, strict=True):
        if outcome in _BROKEN_OUTCOMES:
            _reject(result, pulled.request.body, _identity_of(pulled), *_BROKEN_OUTCOMES[outcome])
        else:
            result.counts[outcome.value] += 1
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
    PullOutcome.CONTRADICTS: (
        "id: never changes, and the hub has it with other content",
        Fault.IMMUTABLE,
    ),
    PullOutcome.UNUSABLE: ("the database cannot hold one of its values", None),
}


def _ingest_one(
    source: Source, text: bytes, correlation_id: str, usable: list[Pulled], result: IngestResult
) -> None:
    """Add an object to what is `usable`, or note in `result` why it is not."""
    identity = None
    try:
        value = decode_object(text)
        identity = _identity(source, value)
        # Before its fields are checked: a Location whose coordinates are broken is in the list, and
        # must not count as missing from it.
        if str(identity.owner) == str(source.party):
            result.listed.add(identity.key)
        pulled = _checked(source, identity, value, text, correlation_id)
        if object_retention.is_over(source.module.identifier, value, pulled.write.last_updated):
            result.counts[PullOutcome.OLDER.value] += 1
        else:
            usable.append(pulled)
    except UnknownReceiver:
        result.counts["passed_over"] += 1
    except OcpiError as error:
        result.is_gapless &= identity is not None
        _reject(result, text, identity, *_findings_of(error))


def _identity(source: Source, value: dict[str, Any]) -> _Identity:
    """Read an object's owner and id; raises `InvalidParameters`."""
    kind = source.kind
    names = ("country_code", "party_id", kind.id_field)
    said = [value.get(name) for name in names]
    wrong = tuple(
        Finding(name, "is required, as a string of printable characters", Fault.REQUIRED)
        for name, each in zip(names, said, strict=True)
        if not isinstance(each, str) or not each or not each.isprintable()
    )
    if wrong:
        raise InvalidParameters(findings=wrong)
    country_code, party_id, object_id = map(str, said)
    key = object_key(kind, object_id, _variant(kind, value))
    identity = _Identity(country_code, party_id, object_id, key)
    if len(identity.whole) > _LONGEST_KEY:
        reason = f"makes, with whose it is, a name of more than {_LONGEST_KEY} characters"
        raise InvalidParameters(findings=(Finding(kind.id_field, reason, Fault.LENGTH),))
    return identity


def _variant(kind: ObjectType, value: dict[str, Any]) -> str | None:
    said = value.get(kind.variant.member) if kind.variant else None
    return said if isinstance(said, str) else None


def _checked(
    source: Source, identity: _Identity, value: dict[str, Any], text: bytes, correlation_id: str
) -> Pulled:
    """Check an object like a push; raises `UnknownReceiver` if no party here may have it."""
    kind = source.kind
    request = WriteRequest(
        module=source.module.identifier,
        type=kind,
        policy=source.policy,
        version=source.version,
        method="POST" if kind.posted else "PUT",
        owner=identity.owner,
        holder=str(identity.owner),
        ids=(identity.object_id,),
        key=identity.key,
        path="" if kind.posted else identity.path,
        body=text,
        value=value,
        correlation_id=correlation_id,
        variant=_variant(kind, value),
    )
    write = merge.replacement(request)
    if not source.may_have(request.owner):
        reason = f"{request.owner} is no party of this platform that may have {kind.name}s"
        raise InvalidParameters(findings=(Finding("party_id", reason, Fault.FOREIGN_OWNER),))
    request = replace(request, holder=source.holder_of(request.owner))
    return Pulled(_addressed(source, request, value), write, source.asked_at)


def _addressed(source: Source, request: WriteRequest, value: dict[str, Any]) -> WriteRequest:
    """Set the audience of a personal object (TF-105)."""
    if not source.policy.personal:
        return request
    to = token_owner.owner_of(value, sender=request.holder)
    holder = source.entitled(request.holder, to)
    if not holder:
        raise UnknownReceiver(f"{to.ref} may not have it")
    if source.is_of_predecessor(holder, parse_datetime(str(value["last_updated"]))):
        raise UnknownReceiver(f"{to.ref} was another when this was made")
    return replace(request, audience=holder, recipient=holder)


def _identity_of(pulled: Pulled) -> _Identity:
    request = pulled.request
    owner = request.owner
    return _Identity(owner.country_code, owner.party_id, request.ids[0], request.key)


def _findings_of(error: OcpiError) -> tuple[str, Fault | None]:
    """Return what is wrong, one finding a line, and the first kind of fault among them."""
    if isinstance(error, NotJson):
        return str(error), Fault.NOT_JSON
    findings = error.findings if isinstance(error, InvalidParameters) else ()
    text = "\n".join(str(each) for each in findings[:MOST_FINDINGS]) or str(error)
    return text, next((each.fault for each in findings if each.fault), None)


def _reject(
    result: IngestResult,
    text: bytes,
    identity: _Identity | None,
    findings: str,
    fault: Fault | None,
) -> None:
    """Note a broken object, by its identity or else by a digest of its text."""
    if identity is not None:
        key, object_id = identity.whole, identity.object_id
    else:
        key, object_id = blake2b(text, digest_size=16).hexdigest(), _presumed_id(text)
    shown = text[: 4 * LONGEST_TEXT].decode(errors="replace")[:LONGEST_TEXT]
    shown = shown.replace("\0", " ")
    result.broken.append(BrokenObject(key, object_id[:_LONGEST_ID], shown, findings, fault))


def _presumed_id(text: bytes) -> str:
    """Return what looks like the id of an object that cannot be identified."""
    # It may have been refused for its very many members: here too none of them may cost memory.
    try:
        found = _NAMED.decode(text).id
    except (ValueError, RecursionError):
        return ""
    return found if found.isprintable() else ""
