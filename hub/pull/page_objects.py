"""The objects of a page, each checked like a push as far as its own text tells.

Spec: 2.2.1 transport and format, pull. No database is asked, so that it can be done before a page's
turn: whose an object may be, and for whom it is, `hub.pull.ingest` decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec

from hub.module_policy import ABOUT_DRIVERS
from hub.pull.sources import Source
from hub.store import merge
from hub.store.identity import object_key
from hub.store.pull_writes import Pulled
from hub.store.write_request import WriteRequest
from ocpi.errors import Fault, Finding, InvalidParameters, NotJson, OcpiError
from ocpi.modules import ObjectType
from ocpi.types import PartyRef, one_line
from ocpi.validation import decode_object, validate

# In characters. What is longer is cut in the quarantine, or refused as an object's key.
LONGEST_TEXT = 20_000
_LONGEST_ID = 255
_LONGEST_KEY = 255
MOST_FINDINGS = 20
_LONGEST_PRINT = 60
_LONGEST_SCALAR = 1_000
_NOTHING = msgspec.Raw()
_STARTS_OF_SCALARS = frozenset(bytes((each,)) for each in b'"-0123456789')


class _Named(msgspec.Struct):
    """What tells an object from others, as it is spelled; the decoder makes nothing of the rest."""

    id: msgspec.Raw = _NOTHING
    uid: msgspec.Raw = _NOTHING
    country_code: msgspec.Raw = _NOTHING
    party_id: msgspec.Raw = _NOTHING
    name: msgspec.Raw = _NOTHING
    address: msgspec.Raw = _NOTHING


_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object calls itself: its owner, its id as the owner spells it, its key."""

    owner: PartyRef
    object_id: str
    key: str

    @property
    def whole(self) -> str:
        """What identifies it among all objects of its module."""
        return f"{self.owner}/{self.key}"


@dataclass(frozen=True, slots=True)
class BrokenObject:
    """An object that cannot be used, and why; `key` is what the quarantine knows it by."""

    key: str
    object_id: str
    text: str
    findings: str
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class PageObject:
    """An object of a page; `identity` is None where it does not say what it is.

    What would be stored of it has no holder and no audience yet.
    """

    identity: Identity | None
    outcome: Pulled | BrokenObject


def checked(
    source: Source, items: Sequence[bytes], correlation_id: str, *, before: int = 0
) -> list[PageObject]:
    """Check each object of a page by itself; `before` of the list came before this page."""
    return [
        _checked(source, text, correlation_id, place)
        for place, text in enumerate(items, before + 1)
    ]


def broken(text: bytes, identity: Identity, error: OcpiError) -> BrokenObject:
    """Return what is kept of a broken object that says what it is."""
    return _kept(identity.whole, identity.object_id, text, error)


def _nameless(source: Source, text: bytes, place: int, error: OcpiError) -> BrokenObject:
    """Return what is kept of a broken object that does not say what it is.

    It is known by whose it says that it is and a digest of its text, and shown by what looks like
    its id, or else by its place in the list and what it is called or begins with.
    """
    named = _named(text)
    digest = blake2b(text, digest_size=16).hexdigest()
    owner = _presumed_owner(named)
    shown = _presumed_id(text) or f"#{place}"
    if shown.startswith("#") and source.module.identifier not in ABOUT_DRIVERS:
        called = (
            _scalar(named.name) or _scalar(named.address) or text[:240].decode(errors="replace")
        )
        shown = f"{shown} {one_line(called, longest=_LONGEST_PRINT)}".rstrip()
    return _kept(f"{owner}/?{digest}" if owner else digest, shown, text, error)


def _kept(key: str, object_id: str, text: bytes, error: OcpiError) -> BrokenObject:
    shown = text[: 4 * LONGEST_TEXT].decode(errors="replace")[:LONGEST_TEXT]
    shown = shown.replace("\0", " ")
    return BrokenObject(key, object_id[:_LONGEST_ID], shown, *_findings_of(error))


def _checked(source: Source, text: bytes, correlation_id: str, place: int) -> PageObject:
    identity = None
    try:
        value = decode_object(text)
        identity = _identity(source.kind, value)
        request = _request(source, identity, value, text, correlation_id)
        write = merge.replacement(request)
    except OcpiError as error:
        if identity is None:
            return PageObject(None, _nameless(source, text, place, error))
        return PageObject(identity, broken(text, identity, error))
    if write.findings:  # a page may have very many: one of each kind is noted
        kinds = {finding.fault: finding for finding in reversed(write.findings)}
        write = replace(write, findings=tuple(kinds.values()))
    return PageObject(identity, Pulled(request, write, source.asked_at))


def _findings_of(error: OcpiError) -> tuple[str, tuple[Fault, ...]]:
    """Return what is wrong, one finding a line, and each kind of fault among them."""
    if isinstance(error, NotJson):
        return str(error), (Fault.NOT_JSON,)
    findings = error.findings if isinstance(error, InvalidParameters) else ()
    lines = [str(each) for each in findings[:MOST_FINDINGS]] or [str(error)]
    if len(findings) > MOST_FINDINGS:
        lines.append(f"and {len(findings) - MOST_FINDINGS:,} more")
    faults = dict.fromkeys(each.fault for each in findings if each.fault)
    return "\n".join(lines), tuple(faults)


def _named(text: bytes) -> _Named:
    # It may have been refused for its very many members: here too none of them may cost memory.
    try:
        return _NAMED.decode(text)
    except (ValueError, RecursionError):
        return _Named()


def _presumed_id(text: bytes) -> str:
    """Return what looks like the id of an object that cannot be identified, also if a number."""
    named = _named(text)
    found = _scalar(named.id) or _scalar(named.uid)
    return "" if found.startswith("#") else found  # that is how a place begins


def _presumed_owner(named: _Named) -> str:
    """Return the party whose it says that it is; empty if that is none."""
    try:
        owner = f"{_scalar(named.country_code)}-{_scalar(named.party_id)}"
        return str(PartyRef.parse(owner))
    except ValueError:
        return ""


def _scalar(raw: msgspec.Raw) -> str:
    """Return a string or number as people read it; empty for all else."""
    text = bytes(raw)
    if not text or len(text) > _LONGEST_SCALAR or text[:1] not in _STARTS_OF_SCALARS:
        return ""
    found = msgspec.json.decode(text, type=str) if text[:1] == b'"' else text.decode()
    return found if found.isprintable() else ""


def _identity(kind: ObjectType, value: dict[str, Any]) -> Identity:
    """Read an object's owner and id; raises `InvalidParameters`, with all that a push is told."""
    names = ("country_code", "party_id", kind.id_field)
    said = [value.get(name) for name in names]
    wrong = [
        name
        for name, each in zip(names, said, strict=True)
        if not isinstance(each, str) or not each or not each.isprintable()
    ]
    if wrong:
        raise InvalidParameters(findings=_as_pushed(kind, value, wrong))
    country_code, party_id, object_id = map(str, said)
    key = object_key(kind, object_id, _variant(kind, value))
    identity = Identity(PartyRef(country_code, party_id), object_id, key)
    if len(identity.whole) > _LONGEST_KEY:
        reason = f"makes, with whose it is, a name of more than {_LONGEST_KEY} characters"
        raise InvalidParameters(findings=(Finding(kind.id_field, reason, Fault.LENGTH),))
    return identity


def _as_pushed(
    kind: ObjectType, value: dict[str, Any], wrong: Sequence[str]
) -> tuple[Finding, ...]:
    """Return what a push is answered, first what is wrong with owner and id."""
    try:
        validate(kind.model, value)
        told: Sequence[Finding] = ()
    except InvalidParameters as error:
        told = error.findings
    first = {finding.path: finding for finding in told if finding.path in wrong}
    text = "is required, as a string of printable characters"
    named = [first.get(name) or Finding(name, text, Fault.CHARACTERS) for name in wrong]
    return (*named, *(finding for finding in told if finding.path not in wrong))


def _variant(kind: ObjectType, value: dict[str, Any]) -> str | None:
    said = value.get(kind.variant.member) if kind.variant else None
    return said if isinstance(said, str) else None


def _request(
    source: Source, identity: Identity, value: dict[str, Any], text: bytes, correlation_id: str
) -> WriteRequest:
    """Return the write that would have pushed an object."""
    kind = source.kind
    return WriteRequest(
        module=source.module.identifier,
        type=kind,
        policy=source.policy,
        version=source.version,
        method="POST" if kind.posted else "PUT",
        owner=identity.owner,
        holder="",
        ids=(identity.object_id,),
        key=identity.key,
        path="" if kind.posted else _path(value, identity.object_id),
        body=text,
        value=value,
        correlation_id=correlation_id,
        variant=_variant(kind, value),
        lenient=source.lenient,
    )


def _path(value: dict[str, Any], object_id: str) -> str:
    """Return an object's path below a receiver's endpoint, as its owner spells it."""
    steps = (value["country_code"], value["party_id"], object_id)
    return "/".join(quote(step, safe="") for step in steps)
