"""Catching up: 100,000 changes of 5,000 objects came while ten receivers were away.

What they get is bounded by the objects. The same receivers first miss one change of each object:
the limit. Nine tenths of the history are written by SQL, each change a copy of one that came in.
"""

import time
from collections.abc import Iterator

from bench import objects
from bench.environment import USUAL_RECEIVERS, Ground, connection, reaching, worker
from bench.figures import Figure, at_least, at_most
from bench.load import fire
from bench.receivers import forget_what_was, taken, wait_until
from bench.requests import shots
from ocpi.types import ModuleID

OBJECTS = 5_000
CHANGES = 100_000
_QUIET_SECONDS = 2.0

_COPIES = """
INSERT INTO hub_change (transaction, module, owner, object_key, part_key, audience, revision,
  method, path, body, correlation_id, created_at)
SELECT pg_current_xact_id()::text::bigint, module, owner, object_key, part_key, audience, revision,
  method, path, body, correlation_id, now()
FROM hub_change CROSS JOIN generate_series(1, %(times)s)
WHERE seq > %(after)s ORDER BY generate_series, seq"""


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure the way back after one change of each object, then after twenty."""
    everything = OBJECTS * USUAL_RECEIVERS
    fire(ground.url, shots(ground, objects.put(ModuleID.LOCATIONS), range(OBJECTS)))
    with reaching(ground, USUAL_RECEIVERS):
        forget_what_was(ground)
        _change_each(ground, since=OBJECTS)
        once, _ = _back_after(ground)
        forget_what_was(ground)
        _miss(ground)
        seconds, messages = _back_after(ground)
    away = f"{CHANGES:,} changes of {OBJECTS:,} objects, {USUAL_RECEIVERS} receivers"
    yield Figure(
        f"catching up with {away}",
        everything / seconds,
        "objects/s",
        everything / once,
        "with one change of each",
        at_least(0.5),
    )
    most = everything * 1.02
    yield Figure(f"messages for {away}", messages, "messages", everything, "objects", at_most(most))


def _miss(ground: Ground) -> None:
    with connection(ground) as db:
        [after] = db.execute("SELECT max(seq) FROM hub_change").fetchone() or (0,)
    _change_each(ground, since=2 * OBJECTS)
    with connection(ground) as db:
        db.execute(_COPIES, {"times": CHANGES // OBJECTS - 2, "after": after})
        db.execute("ANALYZE hub_change")
    _change_each(ground, since=3 * OBJECTS)


def _change_each(ground: Ground, *, since: int) -> None:
    fire(ground.url, shots(ground, objects.status_of_evse(1), range(OBJECTS), since=since))


def _back_after(ground: Ground) -> tuple[float, int]:
    """Return how long all take to have everything, and in how many messages.

    They are kept away until the worker is at work.
    """
    from hub.tasks import delivery as delivery_tasks  # noqa: PLC0415 - Django is set up by now

    before = taken(ground)
    _keep_away(ground, "now() + interval '1 hour'")
    with worker():
        while not delivery_tasks.dispatch.app.control.ping(timeout=0.5):
            pass
        _keep_away(ground, "NULL")
        began = time.perf_counter()
        delivery_tasks.dispatch.delay()
        seconds = wait_until(ground, before + OBJECTS * USUAL_RECEIVERS) - began
        time.sleep(_QUIET_SECONDS)
    return seconds, taken(ground) - before


def _keep_away(ground: Ground, until: str) -> None:
    with connection(ground) as db:
        db.execute(f"UPDATE parties_platform SET failures = 0, next_attempt_at = {until}")
