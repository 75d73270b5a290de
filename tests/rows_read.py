"""How many rows PostgreSQL reads for a statement: what must not grow is counted, not timed."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection

from database.sql import Query


def rows_read(statement: str | Query[Any], parameters: Mapping[str, Any]) -> int:
    """Run a statement; return how many rows its scans of tables looked at, kept or not.

    Tables have to be analyzed, else the plan is a guess.
    """
    text = statement if isinstance(statement, str) else statement.text
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", parameters)
        [[plan]] = cursor.fetchall()
    return round(sum(_looked_at(node) for node in _nodes(plan[0]["Plan"])))


def _looked_at(node: dict[str, Any]) -> float:
    if "Relation Name" not in node or node["Node Type"] == "ModifyTable":
        return 0
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    rows = node["Actual Rows"] + sum(node.get(each, 0) for each in removed)
    return float(rows * node["Actual Loops"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
