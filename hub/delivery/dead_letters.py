"""What a receiver would not take, kept for people to look at."""

from collections.abc import Collection, Sequence

from hub.delivery.pushing import Result
from hub.models import DeadLetter


def record(subscription_id: int, results: Sequence[Result], *, superseded: Collection[str]) -> None:
    """Record what the receiver refused, and forget what was refused before of some paths."""
    if superseded:
        DeadLetter.objects.filter(subscription=subscription_id, path__in=superseded).delete()
    DeadLetter.objects.bulk_create(
        DeadLetter(
            subscription_id=subscription_id,
            owner=result.push.lane[0],
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
