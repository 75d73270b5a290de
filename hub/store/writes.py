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


def apply(request: WriteRequest) -> Applied:
    """Store a write and append it to the feed; raises `OcpiError` and stores nothing.

    Not inside a transaction that has written: its number would be older than the object's lock.
    """
    match request.method:
        case "DELETE":
            return _delete(request)
        case "POST":
            return _post(request)
        case "PUT" if len(request.ids) == 1:
            return _put(request)
    write_request.check(request)
    write_request.check_removals(request)
    for _ in range(_OPTIMISTIC_ATTEMPTS):
        applied = _change(request)
        if applied is not None:
            return applied
    return _change_locked(request)


def fork(request: WriteRequest) -> None:
    """Give an audience its own copy of what is for everybody, unless it has one (A-34)."""
    sql.row(_statements(request).fork, _this(request))


def forget_if_older(request: WriteRequest) -> None:
    """Forget an audience's own variant that is older than what is for everybody."""
    models = request.policy.model._default_manager.filter(  # noqa: SLF001 - a documented name
        owner=request.holder, object_key=request.key
    )
    for_all = models.filter(audience="").values("last_updated")
    models.filter(audience=request.audience, last_updated__lt=Subquery(for_all)).delete()


def _put(request: WriteRequest) -> Applied:
    if request.type.variant is not None:
        request = write_request.told_apart(request)
    write = merge.replacement(request)
    done = sql.row(_statements(request).put, parameters(request, write))
    if done is None:
        return repeat(request, write.findings)
    return Applied(created=bool(done[0]), findings=write.findings)


def _post(request: WriteRequest) -> Applied:
    """Store what can be posted once; the same again is a retry, another is refused (A-96)."""
    write = merge.replacement(request)
    is_new = not check_same(request)
    if is_new and sql.row(_statements(request).post, parameters(request, write)) is not None:
        return Applied(created=True, findings=write.findings)
    check_same(request)
    return repeat(request, write.findings)


def check_same(request: WriteRequest) -> bool:
    """Tell whether its audience has a posted object; raises when it was another, for whomever."""
    kind = request.type
    known = reads.posted_as(request.policy, request.holder, request.key)
    if not all(anonymity.is_same(text, request.body) for text in known.values()):
        text = f"a {kind.name} is immutable, and {request.ids[0]!r} was posted with other content"
        raise InvalidParameters(f"{kind.id_field}: {text}; correct it by a new {kind.name}")
    return request.audience in known


def _delete(request: WriteRequest) -> Applied:
    nothing = {"changed_part": "", "body": None}
    parameters = _this(request) | _fed(request) | nothing
    if sql.row(_statements(request).delete, parameters) is None:
        text = f"the hub holds no {request.type.name} {request.ids[0]!r} of {request.owner}"
        raise request.type.unknown(text, http_status=404)
    return Applied(created=False)


def repeat(request: WriteRequest, findings: tuple[Finding, ...] = ()) -> Applied:
    """Count what changed nothing; what had been given up at its receiver is delivered after all."""
    whole = {"changed_part": "", "body": request.body.decode()}
    sql.row(_statements(request).repeat, _this(request) | _fed(request) | whole)
    return Applied(created=False, repeated=True, findings=findings)


def _change(request: WriteRequest) -> Applied | None:
    """Read, decide, write; None when somebody else wrote in between."""
    stored = _read(request)
    write = merge.change(request, stored)
    if write.unchanged:
        return repeat(request, write.findings)
    if stored is not None:
        growth.check(request, stored, write)
    extra = {"seq": stored.seq if stored else 0, "expected": stored.revision if stored else 0}
    done = sql.row(_statements(request).change, parameters(request, write) | extra)
    return Applied(created=write.created, findings=write.findings) if done else None


def _change_locked(request: WriteRequest) -> Applied:
    """Do the same holding the object's lock: the way out of contention."""
    with transaction.atomic():
        sql.row(LOCK, {"lock": _lock_name(request)})
        applied = _change(request)
    if applied is None:
        problem = f"{_lock_name(request)} changed under its own lock"
        raise RuntimeError(problem)
    return applied


def _read(request: WriteRequest) -> StoredDocument | None:
    """Read the object with the parts the message is about."""
    wanted = _this(request) | {"parts": write_request.part_keys(request)}
    found = sql.rows(_statements(request).read, wanted)
    if not found:
        return None
    parts = {
        key: StoredPartText(text=text, current=current)
        for *_, key, text, current in found
        if key is not None
    }
    seq, revision, text, last_updated, last_updated_text = found[0][:5]
    return StoredDocument(seq, revision, text, last_updated, last_updated_text, parts)


def parameters(request: WriteRequest, write: PlannedWrite) -> dict[str, Any]:
    """Name every value of the write for the statement."""
    policy = request.policy
    values = dict(zip(policy.columns, write.columns, strict=False))
    values["recipient"] = request.recipient
    return {
        **_this(request),
        **_fed(request),
        "object_id": write.object_id,
        "version": request.version,
        "text": write.text,
        "digest": digest(request.body),
        "last_updated": write.last_updated,
        "last_updated_text": write.last_updated_text,
        "stale": write.stale,
        **{f"column_{name}": values.get(name) for name in _statements(request).columns},
        "parts": msgspec.json.encode([_row(policy, row) for row in write.parts]).decode(),
        "has_columns": bool(write.columns),
        "changed_part": fold(request.ids[1]) if len(request.ids) > 1 else "",
        "body": request.body.decode(),
    }


def digest(body: bytes) -> bytes:
    """Return what tells a body from the one stored before."""
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _this(request: WriteRequest) -> dict[str, Any]:
    """Name the object a message is about."""
    return {
        "lock": _lock_name(request),
        "owner": request.holder,
        "key": request.key,
        "audience": request.audience,
    }


def _fed(request: WriteRequest) -> dict[str, Any]:
    """Name what the feed says of a message beside its object."""
    return {
        "module": request.module,
        "method": request.method,
        "path": request.path + variant_query(request.type, request.key),
        "correlation_id": request.correlation_id,
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


def _lock_name(request: WriteRequest) -> str:
    """Name what is written one after the other: all variants of what may change hands at once."""
    audience = "" if request.policy.personal else request.audience
    return f"{request.module}/{request.holder}/{request.key}/{audience}"


def _statements(request: WriteRequest) -> Statements:
    return statements(request.policy, is_fed=request.is_fed)
