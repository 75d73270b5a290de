"""The writes: one statement stores the object, its parts and its entry in the feed."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Subquery

from database import sql
from hub.module_policy import ModulePolicy
from hub.store import anonymity, merge, object_size, reads, write_request
from hub.store.identity import variant_query
from hub.store.merge import PartRow, PlannedWrite, StoredDocument, StoredPartText
from hub.store.sql.writes import LOCK, Statements, statements
from hub.store.write_request import WriteRequest
from ocpi.errors import InvalidParameters
from ocpi.types import fold
from ocpi.validation import Finding

_OPTIMISTIC_ATTEMPTS = 3
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a write; `findings` are oddities that it was stored with.

    It is `repeated` when the store had exactly that already.
    """

    created: bool
    repeated: bool = False
    findings: tuple[Finding, ...] = ()


def apply(request: WriteRequest) -> Applied:
    """Store a write and append it to the feed; raises `OcpiError` and stores nothing if refused.

    The object's lock must be taken before the transaction number, which a transaction gets with its
    first write. So do not call it in a transaction that has written; `fork` of the same object may
    come before, because it takes the same lock.
    """
    match request.method:
        case "DELETE":
            return _delete(request)
        case "POST":
            return _post(request)
        case "PUT" if len(request.ids) == 1:
            return _put(request)
    # A PATCH, or the PUT of a part: it changes a stored object.
    write_request.check(request)
    write_request.check_removals(request)
    for _ in range(_OPTIMISTIC_ATTEMPTS):
        applied = _change(request)
        if applied is not None:
            return applied
    return _change_locked(request)


def fork(request: WriteRequest) -> None:
    """Give an audience its own copy of what is for everybody, unless it has one (A-34)."""
    sql.row(_statements(request).fork, _object_parameters(request))


def forget_if_older(request: WriteRequest) -> None:
    """Forget an audience's own copy that is older than what is for everybody."""
    copies = request.policy.model._default_manager.filter(  # noqa: SLF001 - a documented name
        owner=request.holder, object_key=request.key
    )
    for_all = copies.filter(audience="").values("last_updated")
    copies.filter(audience=request.audience, last_updated__lt=Subquery(for_all)).delete()


def _put(request: WriteRequest) -> Applied:
    if request.type.variant is not None:
        request = write_request.with_variant(request)
    write = merge.replacement(request)
    done = sql.row(_statements(request).put, parameters(request, write))
    if done is None:
        return repeat(request, write.findings)
    return Applied(created=bool(done[0]), findings=write.findings)


def _post(request: WriteRequest) -> Applied:
    """Store a posted object; the same again is a retry, other content is refused (A-96)."""
    write = merge.replacement(request)
    is_new = not is_repeated_post(request)
    if is_new and sql.row(_statements(request).post, parameters(request, write)) is not None:
        return Applied(created=True, findings=write.findings)
    # Again, because another POST may have come in between: it raises if that had other content.
    is_repeated_post(request)
    return repeat(request, write.findings)


def is_repeated_post(request: WriteRequest) -> bool:
    """Whether this was posted for its audience before.

    Raises `InvalidParameters` if its id was posted with other content, for whatever audience.
    """
    kind = request.type
    known = reads.posted_as(request.policy, request.holder, request.key)
    if not all(anonymity.is_same(text, request.body) for text in known.values()):
        text = f"a {kind.name} is immutable, and {request.ids[0]!r} was posted with other content"
        raise InvalidParameters(f"{kind.id_field}: {text}; correct it by a new {kind.name}")
    return request.audience in known


def _delete(request: WriteRequest) -> Applied:
    values = (
        _object_parameters(request) | _feed_parameters(request) | {"changed_part": "", "body": None}
    )
    if sql.row(_statements(request).delete, values) is None:
        text = f"the hub holds no {request.type.name} {request.ids[0]!r} of {request.owner}"
        raise request.type.unknown(text, http_status=404)
    return Applied(created=False)


def repeat(request: WriteRequest, findings: tuple[Finding, ...] = ()) -> Applied:
    """Count a write that changed nothing.

    It is fed again if it had become a dead letter of its only receiver, or if the object had
    vanished from its owner's lists.
    """
    whole = {"changed_part": "", "body": request.body.decode()}
    sql.row(
        _statements(request).repeat, _object_parameters(request) | _feed_parameters(request) | whole
    )
    return Applied(created=False, repeated=True, findings=findings)


def _change(request: WriteRequest) -> Applied | None:
    """Read, merge, write; None when another write of the object came in between."""
    stored = _read(request)
    write = merge.change(request, stored)
    if write.unchanged:
        return repeat(request, write.findings)
    if stored is not None:
        object_size.check(request, stored, write)
    extra = {"seq": stored.seq if stored else 0, "expected": stored.revision if stored else 0}
    done = sql.row(_statements(request).change, parameters(request, write) | extra)
    return Applied(created=write.created, findings=write.findings) if done else None


def _change_locked(request: WriteRequest) -> Applied:
    """Do the same under the object's lock, which cannot fail, but makes others wait longer."""
    with transaction.atomic():
        sql.row(LOCK, {"lock": _lock_name(request)})
        applied = _change(request)
    if applied is None:
        problem = f"{_lock_name(request)} changed under its own lock"
        raise RuntimeError(problem)
    return applied


def _read(request: WriteRequest) -> StoredDocument | None:
    """Read the object with the parts that the write is about."""
    values = _object_parameters(request) | {"parts": write_request.part_keys(request)}
    found = sql.rows(_statements(request).read, values)
    if not found:
        return None
    parts = {
        row.part_key: StoredPartText(row.part_text, current=row.is_current)
        for row in found
        if row.part_key is not None
    }
    return StoredDocument(*found[0][:5], parts)


def parameters(request: WriteRequest, write: PlannedWrite) -> dict[str, Any]:
    """Return all parameters of the statement for a write."""
    policy = request.policy
    # The write of a part has no columns; `has_columns` is false then and the object keeps its own.
    values = dict(zip(policy.columns, write.columns, strict=False))
    values["recipient"] = request.recipient
    return {
        **_object_parameters(request),
        **_feed_parameters(request),
        "object_id": write.object_id,
        "version": request.version,
        "text": write.text,
        "digest": digest(request.body),
        "last_updated": write.last_updated,
        "last_updated_text": write.last_updated_text,
        "stale": write.stale,
        **{f"column_{name}": values.get(name) for name in _statements(request).columns},
        "parts": msgspec.json.encode(
            [_part_parameters(policy, row) for row in write.parts]
        ).decode(),
        "has_columns": bool(write.columns),
        "changed_part": fold(request.ids[1]) if len(request.ids) > 1 else "",
        "body": request.body.decode(),
    }


def digest(body: bytes) -> bytes:
    """Return the digest by which a repeated body is recognised."""
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _object_parameters(request: WriteRequest) -> dict[str, Any]:
    """Return the parameters that name the object."""
    return {
        "lock": _lock_name(request),
        "owner": request.holder,
        "key": request.key,
        "audience": request.audience,
    }


def _feed_parameters(request: WriteRequest) -> dict[str, Any]:
    """Return the further parameters of a feed entry."""
    return {
        "module": request.module,
        "method": request.method,
        "path": request.path + variant_query(request.type, request.key),
        "correlation_id": request.correlation_id,
    }


def _part_parameters(policy: ModulePolicy, part: PartRow) -> dict[str, Any]:
    """Return the values of one part; JSON costs a fraction of what an SQL array does."""
    return {
        "uid": part.uid,
        "key": part.key,
        "position": part.position,
        "text": part.text,
        "last_updated": part.last_updated,
        **dict(zip(policy.part_columns, part.columns, strict=True)),
    }


def _lock_name(request: WriteRequest) -> str:
    """Return the name of the lock under which an object's writes follow one another.

    Each audience's copy has a lock of its own. A personal object has one lock whatever its audience
    (the owner of its token), because a write may change that.
    """
    audience = "" if request.policy.personal else request.audience
    return f"{request.module}/{request.holder}/{request.key}/{audience}"


def _statements(request: WriteRequest) -> Statements:
    return statements(request.policy, is_fed=request.is_fed)
