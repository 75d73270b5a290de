"""The receivers: what they took, and what they are still to get."""

import json
import time
import urllib.request

from bench.environment import Ground, connection

PATIENCE = 240.0


def taken(ground: Ground) -> int:
    """Ask the sinks how many messages they took."""
    with urllib.request.urlopen(f"{ground.sinks[0]}/count") as answer:  # noqa: S310 - our own sink
        return int(json.load(answer))


def forget_what_was(ground: Ground) -> None:
    """Put every receiver at the present end of the feed, nothing of the past still owed."""
    from hub.delivery import subscriptions  # noqa: PLC0415 - Django is set up by now

    subscriptions.reconcile()
    with connection(ground) as db:
        db.execute("UPDATE hub_snapshot SET finished_at = now()")
        db.execute(
            "UPDATE hub_subscription SET seq = 9223372036854775807, "
            "transaction = pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1"
        )
        db.execute("VACUUM ANALYZE hub_change")


def wait_until(ground: Ground, count: int) -> float:
    """Wait until the sinks took so many messages; return when that was."""
    end = time.perf_counter() + PATIENCE
    while taken(ground) < count:
        if time.perf_counter() > end:
            message = f"only {taken(ground)} of {count} messages arrived"
            raise RuntimeError(message)
        time.sleep(0.02)
    return time.perf_counter()
