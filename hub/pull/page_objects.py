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

from hub.pull.sources import Source
from hub.store import merge
from hub.store.identity import object_key
from hub.store.pull_writes import Pulled
from hub.store.write_request import WriteRequest
from ocpi.errors import Fault, Finding, InvalidParameters, NotJson, OcpiError
from ocpi.modules import ObjectType
from ocpi.types import PartyRef
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
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class PageObject:
    """An object of a page; `identity` is None where it does not say what it is.

    What would be stored of it has no holder and no audience yet.
    """

    identity: Identity | None
    outcome: Pulled | BrokenObject


def checked(source: Source, items: Sequence[bytes], correlation_id: str) -> list[PageObject]:
    """Check each object of a page by itself."""
    return [_checked(source, text, correlation_id) for text in items]


def broken(text: bytes, identity: Identity | None, error: OcpiError) -> BrokenObject:
    """Return what is kept of a broken object, under its identity or else a digest of its text."""
    if identity is not None:
        key, object_id = identity.whole, identity.object_id
    else:
        key, object_id = blake2b(text, digest_size=16).hexdigest(), _presumed_id(text)
    shown = text[: 4 * LONGEST_TEXT].decode(errors="replace")[:LONGEST_TEXT]
    shown = shown.replace("\0", " ")
    return BrokenObject(key, object_id[:_LONGEST_ID], shown, *_findings_of(error))


def _checked(source: Source, text: bytes, correlation_id: str) -> PageObject:
    identity = None
    try:
        value = decode_object(text)
        identity = _identity(source.kind, value)
        request = _request(source, identity, value, text, correlation_id)
        write = merge.replacement(request)
    except OcpiError as error:
        return PageObject(identity, broken(text, identity, error))
    if write.findings:  # a page may have very many: one of each kind is noted
        kinds = {finding.fault: finding for finding in reversed(write.findings)}
        write = replace(write, findings=tuple(kinds.values()))
    return PageObject(identity, Pulled(request, write, source.asked_at))


def _findings_of(error: OcpiError) -> tuple[str, Fault | None]:
    """Return what is wrong, one finding a line, and the first kind of fault among them."""
    if isinstance(error, NotJson):
        return str(error), Fault.NOT_JSON
    findings = error.findings if isinstance(error, InvalidParameters) else ()
    text = "\n".join(str(each) for each in findings[:MOST_FINDINGS]) or str(error)
    return text, next((each.fault for each in findings if each.fault), None)


def _presumed_id(text: bytes) -> str:
    """Return what looks like the id of an object that cannot be identified."""
    # It may have been refused for its very many members: here too none of them may cost memory.
    try:
        found = _NAMED.decode(text).id
    except (ValueError, RecursionError):
        return ""
    return found if found.isprintable() else ""


def _identity(kind: ObjectType, value: dict[str, Any]) -> Identity:
    """Read an object's owner and id; raises `InvalidParameters`."""
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
    identity = Identity(PartyRef(country_code, party_id), object_id, key)
    if len(identity.whole) > _LONGEST_KEY:
        reason = f"makes, with whose it is, a name of more than {_LONGEST_KEY} characters"
        raise InvalidParameters(findings=(Finding(kind.id_field, reason, Fault.LENGTH),))
    return identity


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
    )


def _path(value: dict[str, Any], object_id: str) -> str:
    """Return an object's path below a receiver's endpoint, as its owner spells it."""
    steps = (value["country_code"], value["party_id"], object_id)
    return "/".join(quote(step, safe="") for step in steps)
