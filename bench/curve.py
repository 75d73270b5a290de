"""The curve of a run: how throughput and latency change with the number of processes, as SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 320, 200
"""Of each of the two charts of a curve."""
_EDGE = 40
_COLOURS = ("#0f766e", "#b45309", "#6d28d9", "#be123c")


@dataclass(frozen=True, slots=True)
class Point:
    """What so many processes do: how many a second, after how many milliseconds at the median."""

    processes: int
    rate: float
    latency: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One kind of work, done by more and more processes."""

    what: str
    points: Sequence[Point]


def drawn(curves: Sequence[Curve]) -> str:
    """Draw throughput on the left and latency on the right, each relative to one process."""
    rates = [[(p.processes, p.rate / one.points[0].rate) for p in one.points] for one in curves]
    times = [
        [(p.processes, p.latency / one.points[0].latency) for p in one.points if p.latency]
        for one in curves
        if one.points[0].latency
    ]
    timed = [one.what for one in curves if one.points[0].latency]
    names = [one.what for one in curves]
    parts = [
        *_chart("throughput, times that of one process", names, rates, left=0),
        *_chart("median latency, times that of one process", timed, times, left=WIDTH),
    ]
    height = HEIGHT + 18 * (len(curves) + 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {height}"'
        ' font-family="sans-serif" font-size="11" role="img">'
        "<title>Throughput and latency by the number of processes</title>"
        f"{''.join(parts)}</svg>\n"
    )


_Line = Sequence[tuple[int, float]]


def _chart(title: str, names: Sequence[str], lines: Sequence[_Line], left: int) -> Iterator[str]:
    """Draw lines over the number of processes, with its axes and below it whose is which colour."""
    most_x = max((x for line in lines for x, _ in line), default=1)
    most_y = max((y for line in lines for _, y in line), default=1.0) * 1.1

    def at(x: float, y: float) -> tuple[float, float]:
        across = left + _EDGE + (WIDTH - 2 * _EDGE) * x / most_x
        return round(across, 1), round(HEIGHT - _EDGE - (HEIGHT - 2 * _EDGE) * y / most_y, 1)

    (x0, y0), (x1, y1) = at(0, 0), at(most_x, most_y)
    yield f'<text x="{x0}" y="20" fill="#334155">{escape(title)}</text>'
    yield f'<path d="M{x0} {y1}V{y0}H{x1}" fill="none" stroke="#94a3b8"/>'
    for x in sorted({x for line in lines for x, _ in line}):
        where = f'x="{at(x, 0)[0]}" y="{y0 + 14}" text-anchor="middle"'
        yield f'<text {where} fill="#334155">{x}</text>'
    for place, (name, line) in enumerate(zip(names, lines, strict=True)):
        colour = _COLOURS[place % len(_COLOURS)]
        path = "L".join("{} {}".format(*at(x, y)) for x, y in line)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in line:
            yield '<circle cx="{}" cy="{}" r="3" fill="{}"/>'.format(*at(x, y), colour)
        below = HEIGHT + 18 * place
        yield f'<text x="{x0}" y="{below}" fill="{colour}">{escape(name)}</text>'
