"""`python -m bench [accepting] [serving] [delivering]`: measure all, or the parts named."""

import sys
from collections.abc import Callable, Iterator

from bench import accepting, delivering, serving
from bench.figures import RESULTS, Figure, table
from bench.ground import Ground, ground, resident_megabytes

RECEIVERS = 10
PARTS: dict[str, Callable[[Ground], Iterator[Figure]]] = {
    "accepting": accepting.measure,
    "serving": serving.measure,
    "delivering": delivering.measure,
}


def main(wanted: list[str]) -> int:
    """Print each figure as it is known; a complete run is kept in RESULTS.md."""
    figures: list[Figure] = []
    with ground(RECEIVERS) as found:
        for name in wanted or list(PARTS):
            print(f"measuring: {name} …", flush=True)
            for figure in PARTS[name](found):
                figures.append(figure)
                print(figure.row(), flush=True)
        web = resident_megabytes(found)
    notes = [f"resident size of the largest web process after all of it: {web:,.0f} MB"]
    text = table(figures, notes)
    print(f"\n{text}")
    if not wanted:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if all(figure.ratio >= (figure.target or 0) for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
