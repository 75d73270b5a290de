"""What a receiver took of each object, and when: one statement for a whole batch.

docs/decisions/0008-who-has-what.md.
"""

from collections.abc import Collection, Iterable, Iterator

from database.sql import Statement
from hub.delivery.plan_latest import LaneKey, Push
from hub.delivery.push import Result

_NOTE = """
INSERT INTO hub_receipt AS known (subscription_id, owner, object_key, part_key, revision,
  delivered_at, tried_at, trouble, in_doubt)
SELECT %(subscription)s::bigint, w.owner, w.key, w.part, w.revision,
  CASE WHEN w.revision IS NOT NULL THEN statement_timestamp() END, statement_timestamp(),
  w.trouble, w.in_doubt
FROM unnest(%(owners)s::text[], %(keys)s::text[], %(parts)s::text[], %(revisions)s::bigint[],
  %(troubles)s::text[], %(doubts)s::boolean[]) AS w(owner, key, part, revision, trouble, in_doubt)
ON CONFLICT (subscription_id, owner, object_key, part_key) DO UPDATE SET
  revision = COALESCE(EXCLUDED.revision, known.revision),
  delivered_at = COALESCE(EXCLUDED.delivered_at, known.delivered_at),
  tried_at = EXCLUDED.tried_at, trouble = EXCLUDED.trouble, in_doubt = EXCLUDED.in_doubt
RETURNING NULL"""

_Line = tuple[int | None, str, bool]


def noting(
    subscription_id: int, delivered: Iterable[Push], failed: Collection[Result]
) -> Iterator[Statement]:
    """Return what notes what was taken, and what was tried in vain, of each lane once."""
    lines: dict[LaneKey, _Line] = {push.lane: (push.revision, "", False) for push in delivered}
    for result in failed:
        revision, _, _ = lines.get(result.push.lane, (None, "", False))
        lines[result.push.lane] = (revision, result.reason, result.in_doubt)
    if lines:
        named = {
            "subscription": subscription_id,
            "owners": [owner for owner, _, _ in lines],
            "keys": [key for _, key, _ in lines],
            "parts": [part for _, _, part in lines],
            "revisions": [revision for revision, _, _ in lines.values()],
            "troubles": [trouble for _, trouble, _ in lines.values()],
            "doubts": [in_doubt for _, _, in_doubt in lines.values()],
        }
        yield _NOTE, named
