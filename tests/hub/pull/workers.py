"""What a worker does about lists, and what came of it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import F

from hub.models import PullState
from hub.pull import crawl, schedule
from ocpi.types import PartyRef
from sandbox import SandboxPlatform
from sandbox.recorder import Seen
from tests.cast import CPA

Json = dict[str, Any]


def read_all(limit: int = 50) -> int:
    """Read every list that is due to its end, as start_pulls and the workers do."""
    schedule.reconcile()
    for number in range(limit):
        found = schedule.due()
        if not found:
            return number
        for state_id in found:
            lease = crawl.claim(state_id)
            assert lease is not None
            crawl.crawl(lease)
    raise AssertionError("lists are due without end")


def read(module: str = "locations", party: PartyRef = CPA, *, full: bool = False) -> PullState:
    """Read one list again; return how it stands."""
    schedule.reconcile()
    chosen = state(module, party)
    schedule.request([chosen.pk], full=full)
    lease = crawl.claim(chosen.pk)
    assert lease is not None
    crawl.crawl(lease)
    return state(module, party)


def state(module: str = "locations", party: PartyRef = CPA) -> PullState:
    """Return how a list stands."""
    return PullState.objects.get(party__key=str(party), module=module)


def offer(platform: SandboxPlatform, module: str, *values: Json) -> None:
    """Put objects into a platform's own list without sending them."""
    store = platform.own[module]
    for value in values:
        key = (value["country_code"], value["party_id"], str(value[store.kind.id_field]))
        store[key] = json.dumps(value)


def asked(platform: SandboxPlatform, module: str = "locations") -> list[Seen]:
    """Return the requests for a list a platform saw, oldest first."""
    return list(_asked(platform, module))


def _asked(platform: SandboxPlatform, module: str) -> Iterator[Seen]:
    for seen in platform.seen:
        if seen.method == "GET" and f"/sender/{module}" in seen.route:
            yield seen


def read_days_later(module: str = "locations") -> PullState:
    """Read everything again, when the last complete reading of everything is days old."""
    PullState.objects.update(full_since=F("full_since") - timedelta(days=3))
    return read(module, full=True)
