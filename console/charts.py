"""Charts of figures: horizontal bars, and columns over time.

They are drawn as SVG on the server, so that a page needs no script for them; every bar and series
links to the list behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

_WIDTH = 720
_HEIGHT = 150
"""Of the picture, in its own units."""
_COLOURS = 8
"""Of series: the classes of console.css."""


class BarData(NamedTuple):
    """What a bar shows: a number, how it is written, and the list behind it."""

    label: str
    number: float
    shown: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar as it is drawn; `share` is its length in percent."""

    label: str
    shown: str
    share: float
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """The columns of one colour as an SVG path, and their sum as it is written."""

    label: str
    shown: str
    path: str
    url: str
    tone: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns over time, the series stacked upon each other."""

    series: Sequence[Series]
    most: str
    marks: Sequence[str]
    """Labels below the columns, from left to right."""
    about: str
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True, slots=True)
class SeriesData:
    """What a series shows: a number for each column, and their sum as it is written."""

    label: str
    shown: str
    numbers: Sequence[float]
    url: str


def progress_bar(done: int, total: int, what: str) -> SafeString:
    """Show how much of `total` is done; if that is 0, the total is not known."""
    if not total:
        return format_html(
            '{} <progress class="hub-progress" aria-label="{}"></progress>', f"{done:,}", what
        )
    return format_html(
        '<span class="hub-key">{} of {}</span>'
        ' <progress class="hub-progress" aria-label="{}" max="{}" value="{}"></progress>',
        f"{done:,}",
        f"{total:,}",
        what,
        total,
        min(done, total),
    )


def bars(given: Sequence[BarData], tones: Mapping[str, str] | None = None) -> list[Bar]:
    """Draw bars, the longest as long as there is room; `tones` are colours by label."""
    most = max((each.number for each in given), default=0) or 1
    known = tones or {}
    return [
        Bar(
            each.label,
            each.shown,
            round(100 * each.number / most, 2),
            each.url,
            known.get(each.label, ""),
        )
        for each in given
    ]


def columns(given: Sequence[SeriesData], *, marks: Sequence[str], about: str) -> Columns:
    """Draw series stacked upon each other, the highest column as high as the picture."""
    sums = [sum(numbers) for numbers in zip(*(each.numbers for each in given), strict=True)]
    most = max(sums, default=0)
    base = [0.0] * len(sums)
    series = []
    for colour, each in enumerate(given):
        path = _path(base, each.numbers, most or 1)
        base = [below + number for below, number in zip(base, each.numbers, strict=True)]
        series.append(Series(each.label, each.shown, path, each.url, colour % _COLOURS))
    return Columns(series, f"{most:,.0f}" if most >= 1 else f"{most:,.1f}", marks, about)


def _path(base: Sequence[float], numbers: Sequence[float], most: float) -> str:
    """Return the columns of one series as an SVG path, stacked upon `base`."""
    step, unit = _WIDTH / max(1, len(numbers)), _HEIGHT / most
    parts = (
        f"M{at * step:.1f} {_HEIGHT - below * unit:.1f}"
        f"h{step * 0.85:.1f}v{-number * unit:.1f}h{-step * 0.85:.1f}z"
        for at, (below, number) in enumerate(zip(base, numbers, strict=True))
        if number
    )
    return "".join(parts)
