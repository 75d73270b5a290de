"""The statement that looks subscribers up."""

from datetime import datetime
from typing import NamedTuple

from database.sql import Query
from hub.delivery.sql.reach import OWNERS_OF_EACH, REACHABLE
from hub.delivery.sql.tables import SNAPSHOT, SUBSCRIPTION
from parties.connection_status import ConnectionStatus


class SubscriberRow(NamedTuple):
    """A subscription and its receiver; `ahead`, `in_doubt` and `quirks` are JSON texts."""

    id: int
    transaction: int
    seq: int
    ahead: str
    in_doubt: str
    compacted_to: int
    party: str
    platform_id: int
    has_failed: bool
    last_seen_at: datetime | None
    paused_until: datetime | None
    quirks: str
    endpoint: str
    owners: list[str]
    has_snapshot: bool


def _subscribers(owners: str) -> Query[SubscriberRow]:
    return Query(
        f"""
WITH pair (owner, receiver) AS ({{pairs}}), found AS MATERIALIZED (
  SELECT b.id, b.transaction, b.seq, b.ahead::text, b.in_doubt::text, b.compacted_to, p.holder,
    f.id AS platform_id, f.failures > 0 OR f.status = '{ConnectionStatus.OFFLINE}', f.last_seen_at,
    f.next_attempt_at, f.quirks::text, e.url, ARRAY({owners}) AS owners
  FROM {SUBSCRIPTION} b {REACHABLE}
  WHERE b.id = ANY(%(ids)s::bigint[]) AND b.module = %(module)s
), forgotten AS (
  DELETE FROM {SNAPSHOT} s USING found
  WHERE s.subscription_id = found.id AND NOT s.owner = ANY(found.owners))
SELECT found.*, EXISTS (SELECT FROM {SNAPSHOT} s
  WHERE s.subscription_id = found.id AND s.finished_at IS NULL)
FROM found""",
        SubscriberRow,
    )


SUBSCRIBERS = {is_personal: _subscribers(of) for is_personal, of in OWNERS_OF_EACH.items()}
"""By whether a module is personal. Snapshots of owners without access are deleted on the way."""
