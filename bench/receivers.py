"""The receivers: what they took, and what the feed still has for them."""

import json
import time
import urllib.request

from bench.environment import Testbed, connection

PATIENCE = 240.0
"""Seconds until all messages of a measurement have to be there."""


def taken(testbed: Testbed) -> int:
    """Ask the sinks how many messages they took."""
    with urllib.request.urlopen(f"{testbed.sinks[0]}/count") as answer:  # noqa: S310 - our own sink
        return int(json.load(answer))


def skip_to_present(testbed: Testbed) -> None:
    """Put every receiver at the present end of the feed, with no snapshot unfinished."""
    from hub.delivery import subscriptions  # noqa: PLC0415 - Django is set up by now

    subscriptions.reconcile()
    with connection(testbed) as db:
        db.execute("UPDATE hub_snapshot SET finished_at = now()")
        db.execute(
            "UPDATE hub_subscription SET seq = 9223372036854775807, "
            "transaction = pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1"
        )
        db.execute(
            "UPDATE parties_platform SET failures = 0, unreachable = 0, next_attempt_at = NULL"
        )
        db.execute("VACUUM ANALYZE hub_change")


def wait_until(testbed: Testbed, count: int) -> float:
    """Wait until the sinks took so many messages; return when that was."""
    end = time.perf_counter() + PATIENCE
    while taken(testbed) < count:
        if time.perf_counter() > end:
            message = f"only {taken(testbed)} of {count} messages arrived: {_held_up(testbed)}"
            raise RuntimeError(message)
        time.sleep(0.02)
    return time.perf_counter()


def _held_up(testbed: Testbed) -> str:
    """Name who is left alone at present, and whose lease somebody holds."""
    with connection(testbed) as db:
        paused = db.execute(
            "SELECT name, failures, last_error FROM parties_platform WHERE next_attempt_at > now()"
        ).fetchall()
        leased = db.execute(
            "SELECT receiver_id, module FROM hub_subscription WHERE lease_until > now()"
        ).fetchall()
    return f"in back-off {paused}, with a lease {leased}"
