"""What a receiver would not take, kept for people to look at."""

from collections.abc import Collection, Sequence

from hub.delivery.pushing import Result
from hub.models import DeadLetter

_REASON_LENGTH = 2_000


def record(subscription_id: int, results: Sequence[Result], *, delivered: Collection[str]) -> None:
    """Record what the receiver refused; of one path the last refusal counts, until it passes."""
    settled = {*delivered} | {result.push.path for result in results}
    if not settled:
        return
    DeadLetter.objects.filter(subscription=subscription_id, path__in=settled).delete()
    DeadLetter.objects.bulk_create(
        DeadLetter(
            subscription_id=subscription_id,
            owner=result.push.lane[0],
            method=result.push.method,
            path=result.push.path,
            body=result.push.body,
            http_status=result.http_status,
            status_code=result.status_code,
            reason=result.reason[:_REASON_LENGTH],
            correlation_id=result.push.correlation_id,
        )
        for result in results
    )
