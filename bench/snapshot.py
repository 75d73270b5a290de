"""A newcomer's snapshot: 50,000 Locations pushed to one receiver, beside what deliveries reach."""

from itertools import pairwise

from bench import bulk_rows, objects
from bench.environment import Ground, connection, emsp, reaching, worker
from bench.figures import Figure, Key, Round, at_least, median_round
from bench.receivers import forget_what_was, taken, wait_until
from ocpi.types import ModuleID

LOCATIONS = 50_000
PARTS = 5
"""The rate is the median of these parts of the way: each is a round of its own."""

_BEGIN = """
UPDATE hub_snapshot s SET finished_at = NULL, cursor = 0, sent = 0
FROM hub_subscription b JOIN parties_party p ON p.id = b.receiver_id
WHERE b.id = s.subscription_id AND b.module = %(module)s AND p.key = %(receiver)s
  AND s.owner = %(owner)s"""


def to_newcomer(ground: Ground, delivered: float) -> Figure:
    """Let the first eMSP be owed all Locations of the CPO; `delivered` is a rate of deliveries."""
    bulk_rows.fill(ground, [objects.put(ModuleID.LOCATIONS)], LOCATIONS)
    with reaching(ground, 1):
        forget_what_was(ground)
        names = {"module": "locations", "receiver": str(emsp(0)), "owner": str(objects.CPO)}
        with connection(ground) as db:
            begun = db.execute(_BEGIN, names).rowcount
        if begun != 1:
            raise RuntimeError(f"{begun} snapshots begin anew, not one")
        with worker():
            middle = median_round(Round(rate, delivered) for rate in _rates(ground))
    what = f"snapshot of {LOCATIONS:,} locations to a newcomer"
    limited_by, aim = "deliveries of changes", at_least(0.5, 0.9)
    return Figure(what, middle.measured, "objects/s", delivered, limited_by, aim, key=Key.SNAPSHOT)


def _rates(ground: Ground) -> list[float]:
    """Return how many a second arrived in each part of the way."""
    before, part = taken(ground), LOCATIONS // PARTS
    moments = [wait_until(ground, before + 1)]
    moments += [wait_until(ground, before + number * part) for number in range(1, PARTS + 1)]
    return [part / (later - earlier) for earlier, later in pairwise(moments)]
