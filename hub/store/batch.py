"""Batches: drafts of one module and kind, of distinct objects, written in one transaction.

A pipeline of psycopg is one transaction: what is sent in it is committed by its end, or all of it
undone. In a transaction that is open already, it is a part of that. Each begins with the locks of
all its objects (docs/decisions/0002-order-of-the-feed.md).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg

from hub.store import anonymity, merge, object_size, write_request
from hub.store.items import Item, item, repeated_item, written_item
from hub.store.merge import Draft, Kind, PlannedWrite, StoredDocument, StoredPartText
from hub.store.object_size import OtherParts
from hub.store.sql import writes as statements
from hub.store.sql.writes import LOCK, Statements, StoredRow, WrittenRow
from hub.store.write_request import WriteRequest
from ocpi.errors import InvalidParameters, OcpiError
from ocpi.validation import Finding

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a write; `findings` are oddities that it was stored with.

    It is `repeated` when the store had exactly that already. `reference` is what the URL of a
    posted object has of it.
    """

    created: bool
    repeated: bool = False
    findings: tuple[Finding, ...] = ()
    reference: str | None = None


class EpochPassed(Exception):
    """The epoch that a write was decided in is over; nothing was stored: decide it anew."""


class PostUnderWay(Exception):
    """The same object is being posted to its receiver; nothing was stored: wait for that."""


Outcome = Applied | OcpiError | EpochPassed | PostUnderWay
"""What became of a draft: but for `Applied`, nothing was stored of it."""


def run(connection: Connection, drafts: Sequence[Draft]) -> list[Outcome]:
    """Write drafts and return what became of each, in their order.

    Raises `psycopg.Error`: then nothing is written, unless the connection broke at the end.
    """
    outcomes = _RUNS[drafts[0].kind](connection, drafts)
    return [outcomes.get(n) or EpochPassed() for n in range(len(drafts))]


def execute(
    connection: Connection, statement: str, items: Sequence[object], *, prepared: bool = True
) -> "psycopg.RawCursor":
    """Send a statement with its list of items."""
    values = [msgspec.json.encode(items).decode()]
    return psycopg.RawCursor(connection).execute(statement.encode(), values, prepare=prepared)


def lock(connection: Connection, names: Sequence[str]) -> None:
    """Take the locks of objects until the end of the transaction."""
    execute(connection, LOCK, names)


def written(cursor: "psycopg.RawCursor") -> dict[int, WrittenRow]:
    """Return what a statement wrote, by the numbers of the items."""
    return {row[0]: WrittenRow(*row) for row in cursor.fetchall()}


def _put(connection: Connection, drafts: Sequence[Draft]) -> dict[int, Outcome]:
    items = [_planned_item(n, draft) for n, draft in enumerate(drafts)]
    with connection.pipeline():
        lock(connection, [draft.lock for draft in drafts])
        put = execute(connection, _statements(drafts).put, items)
        _forget_older_copies(connection, drafts, items)
        rows = written(put)
        same = [n for n, row in rows.items() if row.created is None]
        counted = _repeat(connection, drafts, same)
    return _stored(drafts, rows) | _repeated(drafts, counted)


def _delete(connection: Connection, drafts: Sequence[Draft]) -> dict[int, Outcome]:
    items = [item(n, draft) for n, draft in enumerate(drafts)]
    with connection.pipeline():
        lock(connection, [draft.lock for draft in drafts])
        deleted = execute(connection, _statements(drafts).delete, items)
    rows = written(deleted)
    unknown: dict[int, Outcome] = {
        n: _unknown(drafts[n].request) for n, row in rows.items() if row.created is None
    }
    return _stored(drafts, rows) | unknown


def _unknown(request: WriteRequest) -> OcpiError:
    text = f"the hub holds no {request.type.name} {request.ids[0]!r} of {request.owner}"
    return request.type.unknown(text, http_status=404)


def _post(connection: Connection, drafts: Sequence[Draft]) -> dict[int, Outcome]:
    """Store posted objects; the same again is a retry, other content is refused (A-96)."""
    items = [_planned_item(n, draft) for n, draft in enumerate(drafts)]
    with connection.pipeline():
        lock(connection, [draft.lock for draft in drafts])
        posted = execute(connection, _statements(drafts).post, items)
        rows = written(posted)
        known = [n for n, row in rows.items() if row.created is None]
        outcomes = _post_known(connection, drafts, known) if known else {}
    return _stored(drafts, rows) | outcomes


def _post_known(
    connection: Connection, drafts: Sequence[Draft], numbers: Sequence[int]
) -> dict[int, Outcome]:
    """Compare what was posted under ids that are known, and store what is for one more audience."""
    texts = _posted_texts(connection, drafts, numbers)
    outcomes = _contradictions(drafts, texts)
    same = [n for n in numbers if n not in outcomes]
    repeated = [n for n in same if drafts[n].request.audience in texts[n]]
    others = [n for n in same if n not in repeated and texts[n]]
    beside = [_planned_item(n, drafts[n]) | {"beside": True} for n in others]
    posted = execute(connection, _statements(drafts).post, beside)
    counted = _repeat(connection, drafts, repeated)
    under_way: dict[int, Outcome] = {n: PostUnderWay() for n in same if n not in repeated}
    stored = _stored(drafts, written(posted))
    return outcomes | under_way | stored | _repeated(drafts, counted)


def repeat_post(connection: Connection, draft: Draft) -> Outcome | None:
    """Count a POST that was stored for its audience before; None if it was not."""
    with connection.pipeline():
        texts = _posted_texts(connection, [draft], [0])
        outcomes = _contradictions([draft], texts)
        if outcomes or draft.request.audience not in texts[0]:
            return outcomes.get(0)
        counted = execute(connection, _statements([draft]).repeat, _repeated_items([draft], [0]))
    return _repeated([draft], written(counted))[0]


def _posted_texts(
    connection: Connection, drafts: Sequence[Draft], numbers: Sequence[int]
) -> dict[int, dict[str, str]]:
    """Return what was posted under the ids of drafts, by its audiences."""
    lock(connection, [drafts[n].lock for n in numbers])
    items = [item(n, drafts[n]) for n in numbers]
    texts: dict[int, dict[str, str]] = {n: {} for n in numbers}
    for n, audience, text in execute(connection, _statements(drafts).posted, items).fetchall():
        texts[n][audience] = text
    return texts


def _contradictions(
    drafts: Sequence[Draft], texts: Mapping[int, Mapping[str, str]]
) -> dict[int, Outcome]:
    """Return the errors of POSTs whose id was posted with other content, for any audience."""
    return {
        n: _contradiction(drafts[n].request)
        for n, known in texts.items()
        if not all(anonymity.is_same(text, drafts[n].request.body) for text in known.values())
    }


def _contradiction(request: WriteRequest) -> OcpiError:
    kind = request.type
    text = f"a {kind.name} is immutable, and {request.ids[0]!r} was posted with other content"
    return InvalidParameters(f"{kind.id_field}: {text}; correct it by a new {kind.name}")


def _change(connection: Connection, drafts: Sequence[Draft]) -> dict[int, Outcome]:
    """Read, merge, write, under the locks of the objects."""
    own = _statements(drafts)
    with connection.pipeline():
        lock(connection, [draft.lock for draft in drafts])
        plans, outcomes = _plans(connection, drafts, _read(connection, drafts))
        items = [item(n, drafts[n]) for n in plans]
        if _are_own_copies(drafts):
            execute(connection, own.fork, items)
        different = {n: write for n, write in plans.items() if not write.unchanged}
        changed = execute(
            connection,
            own.change,
            [written_item(n, drafts[n], write) for n, write in different.items()],
        )
        same = [n for n, write in plans.items() if write.unchanged]
        counted = _repeat(connection, drafts, same)
        _forget_older_copies(connection, drafts, items)
    done = written(changed) | counted
    return outcomes | {
        n: Applied(write.created, repeated=n in same, findings=write.findings)
        for n, write in plans.items()
        if n in done
    }


def _plans(
    connection: Connection,
    drafts: Sequence[Draft],
    stored: Mapping[int, StoredDocument | None],
) -> tuple[dict[int, PlannedWrite], dict[int, Outcome]]:
    """Return what is made of each object, and the errors of those that must not be changed so."""
    plans: dict[int, PlannedWrite] = {}
    refused: dict[int, Outcome] = {}
    growing: dict[int, StoredDocument] = {}
    for n, document in stored.items():
        try:
            plans[n] = merge.change(drafts[n].request, document)
        except OcpiError as error:
            refused[n] = error
            continue
        if document is not None and object_size.grows(document, plans[n]):
            growing[n] = document
    for n, others in _others(connection, drafts, growing, plans).items():
        try:
            object_size.check(drafts[n].request, growing[n], plans[n], others)
        except OcpiError as error:
            refused[n] = error
            del plans[n]
    return plans, refused


def _others(
    connection: Connection,
    drafts: Sequence[Draft],
    growing: Mapping[int, StoredDocument],
    plans: Mapping[int, PlannedWrite],
) -> dict[int, OtherParts]:
    """Return how much some changes leave as it is."""
    if not growing or drafts[0].request.policy.part_model is None:
        return {n: OtherParts(0, 0) for n in growing}
    asked = [
        {"n": n, "seq": document.seq, "part_keys": [row.key for row in plans[n].parts]}
        for n, document in growing.items()
    ]
    found = execute(connection, _statements(drafts).others, asked).fetchall()
    return {n: OtherParts(number, octets) for n, number, octets in found}


def _read(connection: Connection, drafts: Sequence[Draft]) -> dict[int, StoredDocument | None]:
    """Read the objects with the parts that the writes are about."""
    items = [
        item(n, draft) | {"part_keys": write_request.part_keys(draft.request)}
        for n, draft in enumerate(drafts)
    ]
    found: dict[int, list[StoredRow]] = {}
    for values in execute(connection, _statements(drafts).read, items).fetchall():
        found.setdefault(values[0], []).append(StoredRow(*values))
    return {n: _document(rows) for n, rows in found.items()}


def _document(rows: Sequence[StoredRow]) -> StoredDocument | None:
    first = rows[0]
    if first.seq is None:
        return None
    parts = {
        row.part_key: StoredPartText(
            row.part_text, current=row.is_current, findings=row.findings_of_part
        )
        for row in rows
        if row.part_key is not None
    }
    return StoredDocument(
        first.seq,
        first.revision,
        first.text,
        first.last_updated,
        first.last_updated_text,
        parts,
        first.findings,
        first.part_findings,
        first.set_aside,
    )


def _repeat(
    connection: Connection, drafts: Sequence[Draft], numbers: Sequence[int]
) -> dict[int, WrittenRow]:
    """Count writes that changed nothing, in the transaction that found it out.

    They are fed again if they had become a dead letter of their only receiver, or if the object had
    vanished from its owner's lists.
    """
    if not numbers:
        return {}
    return written(
        execute(connection, _statements(drafts).repeat, _repeated_items(drafts, numbers))
    )


def _forget_older_copies(
    connection: Connection, drafts: Sequence[Draft], items: Sequence[Item]
) -> None:
    """Forget own copies that are older than what is for everybody."""
    if _are_own_copies(drafts):
        execute(connection, _statements(drafts).forget, items)


def _are_own_copies(drafts: Sequence[Draft]) -> bool:
    """Whether these are for one party alone, of what else is for everybody."""
    request = drafts[0].request
    return not request.is_fed and not request.policy.personal


def _planned_item(n: int, draft: Draft) -> dict[str, Any]:
    assert draft.write is not None  # noqa: S101 - of a PUT or POST it is planned before
    return written_item(n, draft, draft.write)


def _repeated_items(drafts: Sequence[Draft], numbers: Sequence[int]) -> list[dict[str, Any]]:
    return [repeated_item(n, drafts[n]) for n in numbers]


def _stored(drafts: Sequence[Draft], rows: Mapping[int, WrittenRow]) -> dict[int, Outcome]:
    """Return what became of those that were written."""
    return {
        n: Applied(row.created, findings=_findings(drafts[n]), reference=row.reference)
        for n, row in rows.items()
        if row.created is not None
    }


def _repeated(drafts: Sequence[Draft], rows: Mapping[int, WrittenRow]) -> dict[int, Outcome]:
    """Return what became of those that were there already."""
    return {
        n: Applied(
            created=False,
            repeated=True,
            findings=_findings(drafts[n]),
            reference=row.reference,
        )
        for n, row in rows.items()
    }


def _findings(draft: Draft) -> tuple[Finding, ...]:
    return draft.write.findings if draft.write else ()


def _statements(drafts: Sequence[Draft]) -> Statements:
    request = drafts[0].request
    return statements.statements(request.policy, is_fed=request.is_fed)


_RUNS: Mapping[Kind, Callable[[Connection, Sequence[Draft]], dict[int, Outcome]]] = {
    Kind.PUT: _put,
    Kind.POST: _post,
    Kind.CHANGE: _change,
    Kind.DELETE: _delete,
}
