"""Rating: CDRs priced from their text, one after the other in one process.

No hub, no database: `rating` has neither. The limit is what is asked of one core.
"""

import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.environment import Testbed
from bench.figures import Figure, at_least
from rating import CdrText, rate

CDRS = 500
ROUNDS = 5
_ENERGY = {"type": "ENERGY", "step_size": 1, "vat": 19}
_NIGHT = {"start_time": "22:00", "end_time": "06:00"}
_PLAIN: list[dict[str, Any]] = [
    {"price_components": [{"type": "FLAT", "price": 0.5, "step_size": 1}, _ENERGY | {"price": 0.4}]}
]
_TIERS: list[dict[str, Any]] = [
    {"price_components": [_ENERGY | {"price": 0.25}], "restrictions": _NIGHT | {"max_kwh": 30}},
    {"price_components": [_ENERGY | {"price": 0.35}], "restrictions": _NIGHT},
    {"price_components": [_ENERGY | {"price": 0.45}], "restrictions": {"max_kwh": 20}},
    {"price_components": [_ENERGY | {"price": 0.5}]},
]


def measure(_testbed: Testbed) -> Iterator[Figure]:
    """Price CDRs without restrictions, and with times of day and tiers over four periods."""
    yield _figure("one period, no restrictions", _cdr(_PLAIN, [20]), 10_000)
    yield _figure("4 periods, times of day, tiers", _cdr(_TIERS, [20, 21, 22, 23]), 3_000)


def _figure(what: str, text: str, asked: int) -> Figure:
    measured = median(_rate(CdrText(text, "2.2.1")) for _ in range(ROUNDS))
    return Figure(what, measured, "CDRs/s", asked, "asked of a core", at_least(1))


def _rate(cdr: CdrText) -> float:
    """Return how many CDRs a second of CPU prices."""
    began = time.process_time()
    for _ in range(CDRS):
        rate(cdr, (), "Europe/Berlin")
    return CDRS / (time.process_time() - began)


def _cdr(elements: list[dict[str, Any]], hours: list[int]) -> str:
    """Return a CDR of whole hours with 10.5 kWh each; it declares no cost."""
    tariff = {"country_code": "NL", "party_id": "CPA", "id": "T1", "currency": "EUR"}
    volumes = [{"type": "ENERGY", "volume": 10.5}, {"type": "TIME", "volume": 1}]
    periods = [
        {"start_date_time": f"2026-03-02T{hour}:00:00Z", "dimensions": volumes} for hour in hours
    ]
    cdr = {
        "start_date_time": periods[0]["start_date_time"],
        "end_date_time": "2026-03-03T00:00:00Z",
        "currency": "EUR",
        "cdr_location": {"id": "LOC1", "address": "Rooseveltlaan 3A", "country": "BEL"},
        "tariffs": [tariff | {"elements": elements}],
        "charging_periods": periods,
    }
    return json.dumps(tariff | cdr | {"id": "CDR1"})
