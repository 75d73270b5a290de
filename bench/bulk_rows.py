"""A table filled at the speed of the database, with copies of what the hub accepted once.

Copies differ in their number and `last_updated` and are, byte for byte, what the hub would have
stored: how fast it stores is measured elsewhere.
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.db import models

from bench.environment import Testbed, connection
from bench.load import fire
from bench.objects import NUMBER, UPDATED, Template
from bench.requests import original

_NUMBERED = ("object_id", "object_key", "text")
_ORIGINAL = f"o.object_id LIKE '%{NUMBER}'"


def fill(testbed: Testbed, originals: Sequence[Template], count: int) -> None:
    """Fill a module's table with so many copies alone, made of the originals in turn."""
    from hub.module_policy import POLICIES  # noqa: PLC0415 - Django is set up by now

    policy = POLICIES[originals[0].module]
    table = policy.model._meta.db_table
    with connection(testbed) as db:
        db.execute(f"TRUNCATE {table} RESTART IDENTITY CASCADE")
        for each in originals:
            fire(testbed.url, [original(testbed, each)])
        with _without_indexes(db, table):
            db.execute(_copies(table, _columns(policy.model)), [count])
        if policy.part_model is not None:
            _fill_parts(db, table, policy.part_model)
        db.execute(f"DELETE FROM {table} o WHERE {_ORIGINAL}")
        db.execute(f"VACUUM ANALYZE {table}")


def copies_of_owners(
    testbed: Testbed, template: Template, shares: Sequence[tuple[str, int]], stretch: int
) -> Iterator[int]:
    """Copy the one object that is stored for owners one after the other, so many for each.

    Yields how many there are, after every `stretch` of them; at the end the original is gone.
    """
    from hub.module_policy import POLICIES  # noqa: PLC0415 - Django is set up by now

    policy = POLICIES[template.module]
    table = policy.model._meta.db_table
    whose = [owner for owner, number in shares for _ in range(number)]
    statement = _copies_of_owners(table, _columns(policy.model))
    with connection(testbed) as db:
        with _without_indexes(db, table):
            for first in range(0, len(whose), stretch):
                owners = whose[first : first + stretch]
                db.execute(statement, {"owners": owners, "first": first})
                yield first + len(owners)
        if policy.part_model is not None:
            _fill_parts(db, table, policy.part_model, of_owner=False)
        db.execute(f"DELETE FROM {table} o WHERE {_ORIGINAL}")


def _copies_of_owners(table: str, columns: Sequence[str]) -> str:
    """Write the copying of one stretch: owner by owner, the text as that owner would send it."""
    copied = [name for name in columns if name != "seq"]
    chosen = ", ".join("w.owner" if name == "owner" else _copied(name) for name in copied)
    chosen = chosen.replace("replace(o.text,", f"replace({_OWN_TEXT},")
    return f"""INSERT INTO {table} ({", ".join(copied)})
SELECT {chosen} FROM unnest(%(owners)s::text[]) WITH ORDINALITY AS w(owner, place)
CROSS JOIN LATERAL (SELECT w.place + %(first)s AS n) AS numbered
CROSS JOIN (SELECT * FROM {table} ORDER BY seq LIMIT 1) AS o
{_MOMENTS}
ORDER BY n"""


_OWN_TEXT = """replace(replace(o.text,
  '"country_code":"' || left(o.owner, 2) || '"', '"country_code":"' || left(w.owner, 2) || '"'),
  '"party_id":"' || substr(o.owner, 4, 3) || '"', '"party_id":"' || substr(w.owner, 4, 3) || '"')"""


def _fill_parts(
    db: psycopg.Connection, table: str, model: type[models.Model], *, of_owner: bool = True
) -> None:
    """Give every copy the parts of its original: the only one of its owner, or of all."""
    parts = model._meta.db_table
    own = [name for name in _columns(model) if name not in {"id", "object_id"}]
    db.execute(
        f"""INSERT INTO {parts} (object_id, {", ".join(own)})
SELECT copy.seq, {", ".join(f"p.{name}" for name in own)} FROM {table} copy
JOIN {table} o ON {"o.owner = copy.owner AND " * of_owner}{_ORIGINAL} AND o.seq <> copy.seq
JOIN {parts} p ON p.object_id = o.seq ORDER BY copy.seq, p.position"""
    )
    db.execute(f"DELETE FROM {parts} p USING {table} o WHERE p.object_id = o.seq AND {_ORIGINAL}")
    db.execute(f"VACUUM ANALYZE {parts}")


def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if not field.generated]


def _copies(table: str, columns: Sequence[str]) -> str:
    """Write the copying: `n` counts, originals take turns in the order they were stored."""
    copied = [name for name in columns if name != "seq"]
    chosen = ", ".join(_copied(name) for name in copied)
    return f"""INSERT INTO {table} ({", ".join(copied)})
SELECT {chosen} FROM generate_series(1, %s) AS n
JOIN (SELECT *, row_number() OVER (ORDER BY seq) - 1 AS turn, count(*) OVER () AS turns
  FROM {table}) AS o ON o.turn = n %% o.turns
{_MOMENTS}
ORDER BY n"""


_MOMENTS = """
CROSS JOIN LATERAL (SELECT timestamptz '2027-01-01Z' + n * interval '1 second' AS moment) AS m
CROSS JOIN LATERAL (
  SELECT to_char(m.moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS spelled) AS s"""


def _copied(column: str) -> str:
    if column == "last_updated":
        return "m.moment"
    if column == "reference":  # by which a CDR is asked for
        return "gen_random_uuid()"
    text = f"o.{column}"
    if column in _NUMBERED:
        text = f"replace({text}, '{NUMBER}', n::text)"
    if column in {"text", "last_updated_text"}:
        text = f"replace({text}, '{UPDATED}', s.spelled)"
    return text


@contextmanager
def _without_indexes(db: psycopg.Connection, table: str) -> Iterator[None]:
    """Take away the indexes that are no constraints and make them again at the end."""
    found = db.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [table],
    ).fetchall()
    for name, _ in found:
        db.execute(f"DROP INDEX {name}")
    yield
    for _, definition in found:
        db.execute(definition)
