"""The writes: one statement stores the object, its parts and its entry in the feed."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.db import transaction

from hub.policy import Policy
from hub.store import incoming, planning, statements
from hub.store.incoming import Incoming
from hub.store.planning import PartRow, Stored, StoredPartText, Write
from ocpi.types import fold
from ocpi.validation import Finding
from parties import database

_OPTIMISTIC_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an accepted message; `findings` are what was kept although it was odd."""

    created: bool
    findings: tuple[Finding, ...] = ()


def apply(message: Incoming) -> Applied:
    """Store a PUT or PATCH and append it to the feed; raises `OcpiError` and stores nothing.

    Not inside a transaction that has written: its number would be older than the object's lock.
    """
    if message.method == "PUT" and len(message.ids) == 1:
        write = planning.replacement(message)
        created = _run(_statements(message.policy).put, parameters(message, write))
        return Applied(created=created, findings=write.findings)
    incoming.check(message)
    for _ in range(_OPTIMISTIC_ATTEMPTS):
        applied = _change(message)
        if applied is not None:
            return applied
    return _change_locked(message)


def _change(message: Incoming) -> Applied | None:
    """Read, decide, write; None when somebody else wrote in between."""
    stored = _read(message)
    write = planning.change(message, stored)
    extra = {"seq": stored.seq if stored else 0, "expected": stored.revision if stored else 0}
    done = database.row(_statements(message.policy).change, parameters(message, write) | extra)
    return Applied(created=write.created, findings=write.findings) if done else None


def _change_locked(message: Incoming) -> Applied:
    """Do the same holding the object's lock: the way out of contention."""
    with transaction.atomic():
        database.row(statements.LOCK, {"lock": _lock_name(message)})
        applied = _change(message)
    if applied is None:
        problem = f"{_lock_name(message)} changed under its own lock"
        raise RuntimeError(problem)
    return applied


def _run(sql: str, parameters: dict[str, Any]) -> bool:
    done = database.row(sql, parameters)
    if done is None:
        problem = "an upsert returned no row"
        raise RuntimeError(problem)
    return bool(done[0])


def _read(message: Incoming) -> Stored | None:
    """Read the object with the parts the message is about."""
    found = database.rows(
        _statements(message.policy).read,
        {
            "owner": str(message.owner),
            "key": fold(message.ids[0]),
            "audience": message.audience,
            "parts": incoming.part_keys(message),
        },
    )
    if not found:
        return None
    parts = {
        key: StoredPartText(text=text, current=current)
        for *_, key, text, current in found
        if key is not None
    }
    seq, revision, text, last_updated, last_updated_text = found[0][:5]
    return Stored(seq, revision, text, last_updated, last_updated_text, parts)


def parameters(message: Incoming, write: Write) -> dict[str, Any]:
    """Name every value of the write for the statement."""
    policy = message.policy
    columns = dict(zip(policy.columns, write.columns, strict=False))
    return {
        "lock": _lock_name(message),
        "owner": str(message.owner),
        "object_id": write.object_id,
        "key": fold(message.ids[0]),
        "audience": message.audience,
        "version": message.version,
        "text": write.text,
        "last_updated": write.last_updated,
        "last_updated_text": write.last_updated_text,
        **{f"column_{name}": columns.get(name) for name in policy.columns},
        "parts": orjson.dumps([_row(policy, row) for row in write.parts]).decode(),
        "module": message.module.identifier.value,
        "changed_part": fold(message.ids[1]) if len(message.ids) > 1 else "",
        "method": message.method,
        "path": message.path,
        "body": message.body.decode(),
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


def _lock_name(message: Incoming) -> str:
    module, key = message.module.identifier.value, fold(message.ids[0])
    return f"{module}/{message.owner}/{key}/{message.audience}"


@cache
def _statements(policy: Policy) -> statements.Statements:
    return statements.build(policy)
