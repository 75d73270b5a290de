"""The shades of the console, derived from the hub's colour; whatever that is, words are legible.

Each shade has a luminance of its own (WCAG 2, chapter 1.4.3: contrast is of luminances alone),
reached by dimming or brightening the colour and, where it cannot be brighter, by white.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

_LUMINANCES: Mapping[str, float] = {
    "50": 0.96,
    "100": 0.88,
    "200": 0.78,
    "300": 0.66,
    "400": 0.51,
    "500": 0.37,
}
"""Of the shades brighter than the colour, which stand on dark or behind dark words."""
_DIMMED: Mapping[str, float] = {"600": 1.0, "700": 0.62, "800": 0.43, "900": 0.35, "950": 0.16}
"""Of the colour itself and the darker ones, on white or behind white words: shares of its own."""
_BRIGHTEST = 0.16
"""What words of it on a white or light grey page may be, for a contrast of 4.5."""
_PUREST = 0.6
"""How bright its brightest part gets before there is white in it: beyond that it is glaring."""
_WEIGHTS = (0.2126, 0.7152, 0.0722)
_WHITE = 255
Linear = tuple[float, float, float]


def shades(colour: str) -> dict[str, str]:
    """Return the theme's shades of `#rrggbb`: 600 is the colour itself, unless it is too bright."""
    linear = _linear(colour)
    own = min(_luminance(linear), _BRIGHTEST)
    luminances = {**_LUMINANCES, **{name: own * share for name, share in _DIMMED.items()}}
    return {name: _written(_lit(linear, luminance)) for name, luminance in luminances.items()}


def painted(drawing: Path, colour: str) -> str:
    """Return an SVG drawing, whose `color` is made the given one, as an address that holds it."""
    text = re.sub('color="#[0-9a-f]{6}"', f'color="{colour}"', drawing.read_text(), count=1)
    return f"data:image/svg+xml,{quote(text)}"


def _lit(colour: Linear, luminance: float) -> Linear:
    """Return the colour as bright as that: a multiple of it, and white for what is missing."""
    now = _luminance(colour)
    times = min(luminance / now, max(1.0, _PUREST / max(colour))) if now else 0.0
    white = max(0.0, luminance - now * times) / (1 - now * times)
    red, green, blue = (part * times * (1 - white) + white for part in colour)
    return red, green, blue


def _luminance(colour: Linear) -> float:
    return sum(part * weight for part, weight in zip(colour, _WEIGHTS, strict=True))


def _linear(colour: str) -> Linear:
    red, green, blue = (int(colour[at : at + 2], 16) / _WHITE for at in (1, 3, 5))
    return _unfolded(red), _unfolded(green), _unfolded(blue)


def _unfolded(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB


def _written(colour: Linear) -> str:
    return "#" + "".join(f"{round(_folded(part) * _WHITE):02x}" for part in colour)


def _folded(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055  # noqa: PLR2004 - sRGB
