"""Items: a write as the statements take it, one of a list (`hub.store.sql.writes`)."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from hub.module_policy import ModulePolicy
from hub.store.identity import variant_query
from hub.store.merge import Draft, PartRow, PlannedWrite
from hub.store.sql.writes import searched
from ocpi.types import fold

_DIGEST_BYTES = 16

Item = Mapping[str, Any]


def item(n: int, draft: Draft) -> dict[str, Any]:
    """Return what names the object of a write, and its entry in the feed but for its text."""
    request = draft.request
    return {
        "n": n,
        "epoch": draft.epoch,
        "owner": request.holder,
        "key": request.key,
        "audience": request.audience,
        "module": str(request.module),
        "method": request.method,
        "path": request.path + variant_query(request.type, request.key),
        "correlation_id": request.correlation_id,
        "changed_part": "",
    }


def repeated_item(n: int, draft: Draft) -> dict[str, Any]:
    """Return the item of a write that changes nothing."""
    return item(n, draft) | {"body": draft.request.body.decode()}


def written_item(n: int, draft: Draft, write: PlannedWrite) -> dict[str, Any]:
    """Return the item of a write that stores something."""
    request, policy = draft.request, draft.request.policy
    # The write of a part has no columns; `has_columns` is false then and the object keeps its own.
    columns = dict(zip(policy.columns, write.columns, strict=False))
    columns["recipient"] = request.recipient
    return item(n, draft) | {
        "body": (write.body or request.body).decode(),
        "changed_part": fold(request.ids[1]) if len(request.ids) > 1 else "",
        "object_id": write.object_id,
        "version": request.version,
        "text": write.text,
        "digest": digest(request.body),
        "last_updated": write.last_updated,
        "last_updated_text": write.last_updated_text,
        "stale": int(write.stale),
        "findings": write.own_findings,
        "part_findings": write.part_findings,
        "mended": write.mended,
        "set_aside": write.set_aside,
        "claimed": request.is_claimed,
        "has_columns": bool(write.columns),
        "parts": [_part_item(policy, row) for row in write.parts],
        **{name: columns.get(name) for name in searched(policy)},
    }


def digest(body: bytes) -> bytes:
    """Return the digest by which a repeated body is recognised."""
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _part_item(policy: ModulePolicy, part: PartRow) -> dict[str, Any]:
    return {
        "uid": part.uid,
        "key": part.key,
        "position": part.position,
        "text": part.text,
        "last_updated": part.last_updated,
        "findings": part.findings,
        **dict(zip(policy.part_columns, part.columns, strict=True)),
    }
