"""`python -m bench [accepting] [pulling] …`: measures all parts, or those that are named.

`python -m bench scale [SHARE]` is none of them and takes as long as all: see `bench.scale`.
`python -m bench budget` prints where the CPU time of a message goes: see `bench.budget`.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench import (
    acceptance,
    budget,
    catch_up,
    cdr_prices,
    crawl,
    delivery,
    fan_out,
    history,
    lists,
    memory,
    ocpi_python,
    pull,
    relay,
    scale,
    store_write,
)
from bench.environment import Testbed, testbed
from bench.figures import Figure, duration, table, unmeasured

RECEIVERS = 50
MOST_SECONDS = 20 * 60
"""A complete run may take; each part says what it took."""
RESULTS = Path(__file__).parent / "RESULTS.md"
PARTS: Mapping[str, tuple[str, Callable[[Testbed], Iterator[Figure]]]] = {
    "accepting": ("Accepting changes", acceptance.measure),
    "storing": ("Asking the database", store_write.measure),
    "serving": ("Serving lists", lists.measure),
    "relaying": ("Relaying", relay.measure),
    "delivering": ("Delivering", delivery.measure),
    "fanning_out": ("Fanning out", fan_out.measure),
    "catching_up": ("Catching up after an outage", catch_up.measure),
    "crawling": ("Crawling a large list", crawl.measure),
    "rating": ("Pricing CDRs", cdr_prices.measure),
    "pulling": ("Reading a platform's list", pull.measure),
    "comparing": ("Beside another implementation", ocpi_python.measure),
}


def main(chosen: list[str]) -> int:
    """Print each figure as it is known; a complete run is kept in RESULTS.md and HISTORY.md."""
    if chosen[:1] == ["scale"]:
        return scale.main(chosen[1:])
    if chosen == ["budget"]:
        with testbed(RECEIVERS) as found:
            print(budget.tables(budget.measure(found)))
        return 0
    sections: dict[str, list[Figure]] = {}
    took = {"starting": 0.0}
    started = time.monotonic()
    with testbed(RECEIVERS) as found:
        took["starting"] = time.monotonic() - started
        for name in chosen or list(PARTS):
            title, measure = PARTS[name]
            print(f"measuring: {name} …", flush=True)
            began = time.monotonic()
            sections[title] = list(_printed(measure(found)))
            took[name] = time.monotonic() - began
            print(f"{name} took {took[name]:,.0f} s", flush=True)
        missed = [each for part in sections.values() for each in part if each.is_missed_target]
        spent = budget.tables(budget.measure(found)) if missed and not chosen else ""
        took["budget"] = time.monotonic() - started - sum(took.values())
        notes = [
            f"resident size of the largest web process at the end: {memory.web(found):,.0f} MB",
            duration(took, MOST_SECONDS),
        ]
    if not chosen:
        notes += unmeasured(sections)
    text = table(sections, notes) + spent
    print(f"\n{text}")
    figures = [figure for section in sections.values() for figure in section]
    if not chosen:
        RESULTS.write_text(text, encoding="utf-8")
        history.append(figures)
    return 1 if any(figure.is_met is False for figure in figures) else 0


def _printed(figures: Iterator[Figure]) -> Iterator[Figure]:
    for figure in figures:
        print(figure.row(), flush=True)
        yield figure


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
