"""Figures as pictures: bars of one length each, and columns side by side over time.

They are drawn here, so that a page needs no script for them, and every part of them leads to the
list behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

_WIDTH = 720
_HEIGHT = 150
_TONES = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure among others; `share` is its length in percent."""

    label: str
    shown: str
    share: float
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a picture: its columns as a path, and what they come to."""

    label: str
    shown: str
    path: str
    url: str
    tone: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns over time, one series upon the other."""

    series: Sequence[Series]
    most: str
    marks: Sequence[str]
    """What stands below, from left to right."""
    about: str
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True, slots=True)
class SeriesData:
    """What a series shows: a number for each column."""

    label: str
    shown: str
    numbers: Sequence[float]
    url: str


def progress_bar(done: int, total: int, what: str) -> SafeString:
    """Show how much of some work is done; of an unknown total, that it goes on."""
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


def bars(
    given: Sequence[tuple[str, float, str, str]], tones: Mapping[str, str] | None = None
) -> list[Bar]:
    """Draw figures: label, number, how it is shown and where it leads; the largest is full."""
    most = max((number for _, number, _, _ in given), default=0) or 1
    known = tones or {}
    return [
        Bar(label, shown, round(100 * number / most, 2), url, known.get(label, ""))
        for label, number, shown, url in given
    ]


def columns(given: Sequence[SeriesData], *, marks: Sequence[str], about: str) -> Columns:
    """Draw series one upon the other, the highest column as high as the picture."""
    sums = [sum(numbers) for numbers in zip(*(each.numbers for each in given), strict=True)]
    most = max(sums, default=0)
    base = [0.0] * len(sums)
    series = []
    for number, each in enumerate(given):
        path = _path(base, each.numbers, most or 1)
        base = [below + number for below, number in zip(base, each.numbers, strict=True)]
        series.append(Series(each.label, each.shown, path, each.url, number % _TONES))
    return Columns(series, f"{most:,.0f}" if most >= 1 else f"{most:,.1f}", marks, about)


def _path(base: Sequence[float], numbers: Sequence[float], most: float) -> str:
    """Write the columns of one series, upon those below."""
    step, unit = _WIDTH / max(1, len(numbers)), _HEIGHT / most
    parts = (
        f"M{at * step:.1f} {_HEIGHT - below * unit:.1f}"
        f"h{step * 0.85:.1f}v{-number * unit:.1f}h{-step * 0.85:.1f}z"
        for at, (below, number) in enumerate(zip(base, numbers, strict=True))
        if number
    )
    return "".join(parts)
