"""Catching up: 100,000 changes of 5,000 objects came while ten receivers were away.

What they get is bounded by the objects. The same receivers first miss one change of each object:
the limit. Nine tenths of the history are written by SQL, each change a copy of one that came in.
"""

import time
from collections.abc import Iterator

from bench import objects
from bench.environment import USUAL_RECEIVERS, Testbed, connection, only_receivers, worker
from bench.figures import Figure, at_least, at_most
from bench.load import fire
from bench.receivers import skip_to_present, taken, wait_until
from bench.requests import shots
from ocpi.types import ModuleID

OBJECTS = 5_000
CHANGES = 100_000
_QUIET_SECONDS = 2.0
"""After everything is there: a message too many would come within them."""

_COPIES = """
INSERT INTO hub_change (transaction, module, owner, object_key, part_key, audience, revision,
  method, path, body, correlation_id, created_at)
SELECT pg_current_xact_id()::text::bigint, module, owner, object_key, part_key, audience, revision,
  method, path, body, correlation_id, now()
FROM hub_change CROSS JOIN generate_series(1, %(times)s)
WHERE seq > %(after)s ORDER BY generate_series, seq"""


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure how receivers catch up after one change of each object, then after twenty."""
    everything = OBJECTS * USUAL_RECEIVERS
    fire(testbed.url, shots(testbed, objects.put(ModuleID.LOCATIONS), range(OBJECTS)))
    with only_receivers(testbed, USUAL_RECEIVERS):
        skip_to_present(testbed)
        _change_each(testbed, since=OBJECTS)
        once, _ = _back_after(testbed)
        skip_to_present(testbed)
        _miss(testbed)
        seconds, messages = _back_after(testbed)
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


def _miss(testbed: Testbed) -> None:
    with connection(testbed) as db:
        [after] = db.execute("SELECT max(seq) FROM hub_change").fetchone() or (0,)
    _change_each(testbed, since=2 * OBJECTS)
    with connection(testbed) as db:
        db.execute(_COPIES, {"times": CHANGES // OBJECTS - 2, "after": after})
        db.execute("ANALYZE hub_change")
    _change_each(testbed, since=3 * OBJECTS)


def _change_each(testbed: Testbed, *, since: int) -> None:
    fire(testbed.url, shots(testbed, objects.status_of_evse(1), range(OBJECTS), since=since))


def _back_after(testbed: Testbed) -> tuple[float, int]:
    """Return in how many seconds all receivers have everything, and by how many messages.

    They are kept away until the worker runs, so that its start is not measured.
    """
    from hub.tasks import delivery as delivery_tasks  # noqa: PLC0415 - Django is set up by now

    before = taken(testbed)
    _keep_away(testbed, "now() + interval '1 hour'")
    with worker():
        while not delivery_tasks.dispatch.app.control.ping(timeout=0.5):
            pass
        _keep_away(testbed, "NULL")
        began = time.perf_counter()
        delivery_tasks.dispatch.delay()
        seconds = wait_until(testbed, before + OBJECTS * USUAL_RECEIVERS) - began
        time.sleep(_QUIET_SECONDS)
    return seconds, taken(testbed) - before


def _keep_away(testbed: Testbed, until: str) -> None:
    with connection(testbed) as db:
        db.execute(f"UPDATE parties_platform SET failures = 0, next_attempt_at = {until}")
