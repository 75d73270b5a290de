"""The writes: one statement stores the object, its parts and its entry in the feed."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Subquery

from database import sql
from hub.policy import Policy
from hub.store import anonymity, growth, merge, reads, write_request
from hub.store.identity import variant_query
from hub.store.merge import PartRow, PlannedWrite, StoredDocument, StoredPartText
from hub.store.sql import LOCK, Statements, statements
from hub.store.write_request import WriteRequest
from ocpi.errors import InvalidParameters
from ocpi.types import fold
from ocpi.validation import Finding

_OPTIMISTIC_ATTEMPTS = 3
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an accepted message; `findings` are what was kept although it was odd.

    It is `repeated` when all of it was there already: nothing is fed then.
    """

    created: bool
    repeated: bool = False
    findings: tuple[Finding, ...] = ()


def apply(message: WriteRequest) -> Applied:
    """Store a write and append it to the feed; raises `OcpiError` and stores nothing.

    Not inside a transaction that has written: its number would be older than the object's lock.
    """
    match message.method:
        case "DELETE":
            return _delete(message)
        case "POST":
            return _post(message)
        case "PUT" if len(message.ids) == 1:
            return _put(message)
    write_request.check(message)
    write_request.check_removals(message)
    for _ in range(_OPTIMISTIC_ATTEMPTS):
        applied = _change(message)
        if applied is not None:
            return applied
    return _change_locked(message)


def fork(message: WriteRequest) -> None:
    """Give an audience its own copy of what is for everybody, unless it has one (A-34)."""
    sql.row(_statements(message).fork, _this(message))


def forget_if_older(message: WriteRequest) -> None:
    """Forget an audience's own variant that is older than what is for everybody."""
    models = message.policy.model._default_manager.filter(  # noqa: SLF001 - a documented name
        owner=message.holder, object_key=message.key
    )
    for_all = models.filter(audience="").values("last_updated")
    models.filter(audience=message.audience, last_updated__lt=Subquery(for_all)).delete()


def _put(message: WriteRequest) -> Applied:
    if message.type.variant is not None:
        message = write_request.told_apart(message)
    write = merge.replacement(message)
    done = sql.row(_statements(message).put, parameters(message, write))
    if done is None:
        return repeat(message, write.findings)
    return Applied(created=bool(done[0]), findings=write.findings)


def _post(message: WriteRequest) -> Applied:
    """Store what can be posted once; the same again is a retry, another is refused (A-96)."""
    write = merge.replacement(message)
    is_new = not check_same(message)
    if is_new and sql.row(_statements(message).post, parameters(message, write)) is not None:
        return Applied(created=True, findings=write.findings)
    check_same(message)
    return repeat(message, write.findings)


def check_same(message: WriteRequest) -> bool:
    """Tell whether its audience has a posted object; raises when it was another, for whomever."""
    kind = message.type
    known = reads.posted_as(message.policy, message.holder, message.key)
    if not all(anonymity.is_same(text, message.body) for text in known.values()):
        text = f"a {kind.name} is immutable, and {message.ids[0]!r} was posted with other content"
        raise InvalidParameters(f"{kind.id_field}: {text}; correct it by a new {kind.name}")
    return message.audience in known


def _delete(message: WriteRequest) -> Applied:
    nothing = {"changed_part": "", "body": None}
    parameters = _this(message) | _fed(message) | nothing
    if sql.row(_statements(message).delete, parameters) is None:
        text = f"the hub holds no {message.type.name} {message.ids[0]!r} of {message.owner}"
        raise message.type.unknown(text, http_status=404)
    return Applied(created=False)


def repeat(message: WriteRequest, findings: tuple[Finding, ...] = ()) -> Applied:
    """Count what changed nothing; what had been given up at its receiver is delivered after all."""
    whole = {"changed_part": "", "body": message.body.decode()}
    sql.row(_statements(message).repeat, _this(message) | _fed(message) | whole)
    return Applied(created=False, repeated=True, findings=findings)


def _change(message: WriteRequest) -> Applied | None:
    """Read, decide, write; None when somebody else wrote in between."""
    stored = _read(message)
    write = merge.change(message, stored)
    if write.unchanged:
        return repeat(message, write.findings)
    if stored is not None:
        growth.check(message, stored, write)
    extra = {"seq": stored.seq if stored else 0, "expected": stored.revision if stored else 0}
    done = sql.row(_statements(message).change, parameters(message, write) | extra)
    return Applied(created=write.created, findings=write.findings) if done else None


def _change_locked(message: WriteRequest) -> Applied:
    """Do the same holding the object's lock: the way out of contention."""
    with transaction.atomic():
        sql.row(LOCK, {"lock": _lock_name(message)})
        applied = _change(message)
    if applied is None:
        problem = f"{_lock_name(message)} changed under its own lock"
        raise RuntimeError(problem)
    return applied


def _read(message: WriteRequest) -> StoredDocument | None:
    """Read the object with the parts the message is about."""
    wanted = _this(message) | {"parts": write_request.part_keys(message)}
    found = sql.rows(_statements(message).read, wanted)
    if not found:
        return None
    parts = {
        key: StoredPartText(text=text, current=current)
        for *_, key, text, current in found
        if key is not None
    }
    seq, revision, text, last_updated, last_updated_text = found[0][:5]
    return StoredDocument(seq, revision, text, last_updated, last_updated_text, parts)


def parameters(message: WriteRequest, write: PlannedWrite) -> dict[str, Any]:
    """Name every value of the write for the statement."""
    policy = message.policy
    values = dict(zip(policy.columns, write.columns, strict=False))
    values["recipient"] = message.recipient
    return {
        **_this(message),
        **_fed(message),
        "object_id": write.object_id,
        "version": message.version,
        "text": write.text,
        "digest": digest(message.body),
        "last_updated": write.last_updated,
        "last_updated_text": write.last_updated_text,
        "stale": write.stale,
        **{f"column_{name}": values.get(name) for name in _statements(message).columns},
        "parts": msgspec.json.encode([_row(policy, row) for row in write.parts]).decode(),
        "has_columns": bool(write.columns),
        "changed_part": fold(message.ids[1]) if len(message.ids) > 1 else "",
        "body": message.body.decode(),
    }


def digest(body: bytes) -> bytes:
    """Return what tells a body from the one stored before."""
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _this(message: WriteRequest) -> dict[str, Any]:
    """Name the object a message is about."""
    return {
        "lock": _lock_name(message),
        "owner": message.holder,
        "key": message.key,
        "audience": message.audience,
    }


def _fed(message: WriteRequest) -> dict[str, Any]:
    """Name what the feed says of a message beside its object."""
    return {
        "module": message.module,
        "method": message.method,
        "path": message.path + variant_query(message.type, message.key),
        "correlation_id": message.correlation_id,
    }


def _row(policy: Policy, part: PartRow) -> dict[str, Any]:
    """Name the values of one part; as JSON they travel at a fraction of an SQL array's cost."""
    return {
        "uid": part.uid,
        "key": part.key,
        "position": part.position,
        "text": part.text,
        "last_updated": part.last_updated,
        **dict(zip(policy.part_columns, part.columns, strict=True)),
    }


def _lock_name(message: WriteRequest) -> str:
    """Name what is written one after the other: all variants of what may change hands at once."""
    audience = "" if message.policy.personal else message.audience
    return f"{message.module}/{message.holder}/{message.key}/{audience}"


def _statements(message: WriteRequest) -> Statements:
    return statements(message.policy, is_fed=message.is_fed)
