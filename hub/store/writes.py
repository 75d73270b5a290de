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
    """What became of an accepted message; `findings` are what was kept although it was odd.

    It is `repeated` when all of it was there already: nothing is fed then.
    """

    created: bool
    repeated: bool = False
    findings: tuple[Finding, ...] = ()


def apply(request: WriteRequest) -> Applied:
    """Store a write and append it to the feed; a refused one raises `OcpiError` and stores nothing.

    The object's lock has to come before the transaction number, which the first write draws. So
    do not call it in a transaction that has written, but under this same lock: `fork`, `apply`.
    """
    match request.method:
        case "DELETE":
            return _delete(request)
        case "POST":
            return _post(request)
        case "PUT" if len(request.ids) == 1:
            return _put(request)
    # What is left changes what is stored: a PATCH, or the PUT of a part.
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
    """Store what can be posted once; the same again is a retry, another is refused (A-96)."""
    write = merge.replacement(request)
    is_new = not is_repeated_post(request)
    if is_new and sql.row(_statements(request).post, parameters(request, write)) is not None:
        return Applied(created=True, findings=write.findings)
    is_repeated_post(
        request
    )  # another POST may have come in between: it must not be another object
    return repeat(request, write.findings)


def is_repeated_post(request: WriteRequest) -> bool:
    """Whether this was posted for its audience before; raise if its id has other content."""
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

    It is fed again if its only receiver had been given up for it, or if the object had vanished
    from its owner's lists.
    """
    whole = {"changed_part": "", "body": request.body.decode()}
    sql.row(
        _statements(request).repeat, _object_parameters(request) | _feed_parameters(request) | whole
    )
    return Applied(created=False, repeated=True, findings=findings)


def _change(request: WriteRequest) -> Applied | None:
    """Read, decide, write; None when somebody else wrote in between."""
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
    """Name every value of the write for the statement."""
    policy = request.policy
    # A write may have no columns: the object's own stay as they are then (`has_columns`).
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
    """Return the digest by which the same body, PUT again, is recognised."""
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _object_parameters(request: WriteRequest) -> dict[str, Any]:
    """Name the object a message is about."""
    return {
        "lock": _lock_name(request),
        "owner": request.holder,
        "key": request.key,
        "audience": request.audience,
    }


def _feed_parameters(request: WriteRequest) -> dict[str, Any]:
    """Name what the feed says of a message beside its object."""
    return {
        "module": request.module,
        "method": request.method,
        "path": request.path + variant_query(request.type, request.key),
        "correlation_id": request.correlation_id,
    }


def _part_parameters(policy: ModulePolicy, part: PartRow) -> dict[str, Any]:
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
    """Return the name of the lock under which an object's writes follow one another.

    Each audience's copy has a lock of its own. A personal object has one lock whatever its audience
    (the owner of its token), because a write may change that.
    """
    audience = "" if request.policy.personal else request.audience
    return f"{request.module}/{request.holder}/{request.key}/{audience}"


def _statements(request: WriteRequest) -> Statements:
    return statements(request.policy, is_fed=request.is_fed)
