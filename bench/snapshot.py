"""A newcomer's snapshot: 50,000 Locations pushed to one receiver, compared with deliveries."""

from itertools import pairwise

from bench import bulk_rows, objects
from bench.environment import Testbed, connection, emsp, only_receivers, worker
from bench.figures import Figure, Key, Round, at_least, median_round
from bench.receivers import skip_to_present, taken, wait_until
from ocpi.types import ModuleID

LOCATIONS = 50_000
PARTS = 5
"""The snapshot is measured in so many parts, each a round; the median counts."""

_BEGIN = """
UPDATE hub_snapshot s SET finished_at = NULL, cursor = 0, sent = 0
FROM hub_subscription b JOIN parties_party p ON p.id = b.receiver_id
WHERE b.id = s.subscription_id AND b.module = %(module)s AND p.key = %(receiver)s
  AND s.owner = %(owner)s"""


def to_newcomer(testbed: Testbed, delivered: float) -> Figure:
    """Begin a snapshot for the first eMSP anew; `delivered` is the rate of plain deliveries."""
    bulk_rows.fill(testbed, [objects.put(ModuleID.LOCATIONS)], LOCATIONS)
    with only_receivers(testbed, 1):
        skip_to_present(testbed)
        names = {"module": "locations", "receiver": str(emsp(0)), "owner": str(objects.CPO)}
        with connection(testbed) as db:
            begun = db.execute(_BEGIN, names).rowcount
        if begun != 1:
            raise RuntimeError(f"{begun} snapshots begin anew, not one")
        with worker():
            middle = median_round(Round(rate, delivered) for rate in _rates(testbed))
    what = f"snapshot of {LOCATIONS:,} locations to a newcomer"
    limited_by, aim = "deliveries of changes", at_least(0.5, 0.9)
    return Figure(what, middle.measured, "objects/s", delivered, limited_by, aim, key=Key.SNAPSHOT)


def _rates(testbed: Testbed) -> list[float]:
    """Return how many a second arrived in each part of the snapshot."""
    before, part = taken(testbed), LOCATIONS // PARTS
    moments = [wait_until(testbed, before + 1)]
    moments += [wait_until(testbed, before + number * part) for number in range(1, PARTS + 1)]
    return [part / (later - earlier) for earlier, later in pairwise(moments)]
