"""The SQL of the parties: statements, and what their rows are."""

# ruff: noqa: SLF001, S608 - _meta is the documented way to a table's name; no text has a value

from parties.models import ObservedDeviation

DEVIATION = ObservedDeviation._meta.db_table

ADD_DEVIATION = f"""
INSERT INTO {DEVIATION} (platform_id, deviation, times, first_at, last_at, example)
VALUES (%(platform)s::bigint, %(deviation)s::text, %(times)s::bigint, now(), now(),
  %(example)s::text)
ON CONFLICT (platform_id, deviation) DO UPDATE SET times = {DEVIATION}.times + excluded.times,
  last_at = excluded.last_at, example = excluded.example
RETURNING id"""
"""Counts what was met again; the last example replaces the one before."""
