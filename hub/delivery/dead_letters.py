"""Dead letters: what a receiver will not get any more, for people to look at and to send again.

docs/decisions/0008-who-has-what.md.
"""

from collections.abc import Sequence

from database.sql import Statement
from hub.delivery.push import Push, Result, whole
from hub.delivery.sql import receipts as statements
from hub.models import DeadLetter
from hub.review_queue import ReviewQueue

DEAD_LETTERS = ReviewQueue(
    DeadLetter,
    "dead letters",
    party="subscription__receiver__key",
    module="subscription__module",
)


def add(subscription_id: int, results: Sequence[Result]) -> None:
    """Make a dead letter of each message that was refused, given up or not sent."""
    DeadLetter.objects.bulk_create(
        DeadLetter(
            subscription_id=subscription_id,
            owner=result.push.key[0],
            object_key=result.push.key[1],
            method=result.push.method,
            path=result.push.path,
            body=result.push.body or None,
            http_status=result.http_status,
            status_code=result.status_code,
            reason=result.explanation,
            correlation_id=result.push.correlation_id,
        )
        for result in results
    )


def drop(subscription_id: int, superseding: Sequence[Push]) -> list[Statement]:
    """Return the statement that deletes the dead letters that some pushes make up for, if any do.

    The PUT of a whole object makes up for what was refused of its parts too.
    """
    if not superseding:
        return []
    wholes = {push.key[:2] for push in superseding if push.is_state and push.key == whole(push.key)}
    named = {
        "subscription": subscription_id,
        "paths": list({push.path for push in superseding}),
        "owners": [owner for owner, _ in wholes],
        "keys": [key for _, key in wholes],
    }
    return [(statements.DROP_DEAD_LETTERS, named)]
