"""What a receiver would not take, kept for people to look at and to send again."""

from collections.abc import Iterator, Sequence

from database.sql import Statement
from hub.delivery.plan_latest import Push, whole
from hub.delivery.push import Result
from hub.models import DeadLetter
from hub.triage import SetAside

LETTERS = SetAside(
    DeadLetter,
    "dead letters",
    party="subscription__receiver__key",
    module="subscription__module",
)


def record(subscription_id: int, results: Sequence[Result]) -> None:
    """Record what the receiver refused."""
    DeadLetter.objects.bulk_create(
        DeadLetter(
            subscription_id=subscription_id,
            owner=result.push.lane[0],
            object_key=result.push.lane[1],
            method=result.push.method,
            path=result.push.path,
            body=result.push.body or None,
            http_status=result.http_status,
            status_code=result.status_code,
            reason=result.told,
            correlation_id=result.push.correlation_id,
        )
        for result in results
    )


def forgetting(subscription_id: int, superseded: Sequence[Push]) -> Iterator[Statement]:
    """Return what forgets what was refused before of some paths.

    What was refused of a part ends with the whole object too.
    """
    wholes = {
        push.lane[:2] for push in superseded if push.is_state and push.lane == whole(push.lane)
    }
    if superseded:
        named = {
            "subscription": subscription_id,
            "paths": list({push.path for push in superseded}),
            "owners": [owner for owner, _ in wholes],
            "keys": [key for _, key in wholes],
        }
        yield _FORGET, named


_FORGET = """
DELETE FROM hub_deadletter WHERE subscription_id = %(subscription)s::bigint AND (
  path = ANY(%(paths)s::text[]) OR (owner, object_key) IN (
    SELECT owner, key FROM unnest(%(owners)s::text[], %(keys)s::text[]) AS w(owner, key)))
RETURNING NULL"""
