"""The limit of serving: the hub's own page SQL by psycopg, its rows joined, without HTTP."""

import time
from dataclasses import dataclass

from bench.environment import Testbed, connection
from ocpi.types import ModuleID, PartyRef

WHAT = "same SQL, bytes joined"
SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Reader:
    """A party that reads a list: of which owners it may see objects, and how many on a page."""

    module: ModuleID
    party: PartyRef
    owners: tuple[PartyRef, ...]
    limit: int


def bare(testbed: Testbed, reader: Reader, *, after: int, counts: bool = False) -> float:
    """Return pages a second behind a place, as fast as one connection goes."""
    from hub.module_policy import POLICIES  # noqa: PLC0415 - Django is set up by now
    from hub.store import reads  # noqa: PLC0415
    from hub.store.sql import reads as statements  # noqa: PLC0415

    policy = POLICIES[reader.module]
    values = {
        "owners": [str(owner) for owner in reader.owners],
        "party": str(reader.party),
        "after": after,
        "offset": 0,
        "limit": reader.limit + 1,
        "bytes": reads.MOST_BYTES,
    }
    pages = 0
    with connection(testbed) as db:
        started = time.perf_counter()
        while time.perf_counter() - started < SECONDS:
            rows = db.execute(statements.page(policy).text, values, prepare=True).fetchall()
            if counts:
                db.execute(statements.count(policy), values, prepare=True).fetchone()
            ("[" + ",".join(text for _, _, text in rows[: reader.limit]) + "]").encode()
            pages += 1
        return pages / (time.perf_counter() - started)
