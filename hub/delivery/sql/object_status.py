"""The statement that counts what each receiver of an object has not had of it."""

from datetime import datetime
from typing import NamedTuple

from database.sql import Query
from hub.delivery.sql.tables import CHANGE, RECEIPT, SNAPSHOT, SUBSCRIPTION


class UndeliveredRow(NamedTuple):
    """What one subscription lacks of an object: changes, since when, and whether its snapshot."""

    subscription_id: int
    number: int
    oldest: datetime | None
    awaits_snapshot: bool


# A change is undelivered if it lies beyond the position, is not noted as dealt with ahead of a gap,
# and is not part of what was taken already: the state with revision 8 contains changes 6 and 7
# although the position is still before them.
# Where the latest state counts, a snapshot that is not there yet is about to be begun.
UNDELIVERED = Query(
    f"""
SELECT b.id, missed.number, missed.oldest, NOT (b.module = ANY(%(every_message)s::text[])
  OR EXISTS (SELECT FROM {SNAPSHOT} s WHERE s.subscription_id = b.id AND s.owner = %(owner)s::text
    AND (s.finished_at IS NOT NULL OR s.cursor >= %(seq)s::bigint)))
FROM {SUBSCRIPTION} b CROSS JOIN LATERAL (
  SELECT count(*) AS number, min(c.created_at) AS oldest FROM {CHANGE} c
  WHERE c.module = b.module AND c.owner = %(owner)s::text AND c.object_key = %(key)s::text
    AND c.audience = %(audience)s::text AND (c.transaction, c.seq) > (b.transaction, b.seq)
    AND (%(part)s::text = '' OR c.part_key IN ('', %(part)s::text))
    AND NOT b.ahead @> jsonb_build_array(jsonb_build_array(c.transaction, c.seq))
    AND NOT EXISTS (SELECT FROM {RECEIPT} r WHERE r.subscription_id = b.id
      AND r.owner = c.owner AND r.object_key = c.object_key AND r.part_key IN ('', c.part_key)
      AND r.revision >= c.revision)) AS missed
WHERE b.id = ANY(%(ids)s::bigint[])""",
    UndeliveredRow,
)
