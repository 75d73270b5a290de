"""The shades of the console, derived from the hub's colour; whatever that is, text is legible.

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
"""Of the shades brighter than the colour: text on dark, or a background of dark text."""
_DIMMED: Mapping[str, float] = {"600": 1.0, "700": 0.62, "800": 0.43, "900": 0.35, "950": 0.16}
"""The colour itself and the darker ones, as shares of its own luminance: text on white, or a
background of white text."""
_BRIGHTEST = 0.16
"""The most luminance of text on a white or light grey page, for a contrast of 4.5."""
_PUREST = 0.6
"""How bright its brightest channel gets before white is mixed in: beyond that it is glaring."""
_WEIGHTS = (0.2126, 0.7152, 0.0722)
"""How much red, green and blue count in the luminance."""
_WHITE = 255
Linear = tuple[float, float, float]


def shades(colour: str) -> dict[str, str]:
    """Return the theme's shades of `#rrggbb`: 600 is the colour itself, unless it is too bright."""
    linear = _linear(colour)
    own = min(_luminance(linear), _BRIGHTEST)
    luminances = {**_LUMINANCES, **{name: own * share for name, share in _DIMMED.items()}}
    return {name: _hex(_lit(linear, luminance)) for name, luminance in luminances.items()}


def painted(drawing: Path, colour: str) -> str:
    """Return an SVG drawing as a `data:` URL, its first `color` replaced by the given one."""
    text = re.sub('color="#[0-9a-f]{6}"', f'color="{colour}"', drawing.read_text(), count=1)
    return f"data:image/svg+xml,{quote(text)}"


def _lit(colour: Linear, luminance: float) -> Linear:
    """Return the colour as bright as that: a multiple of it, and white for what is missing."""
    now = _luminance(colour)
    times = min(luminance / now, max(1.0, _PUREST / max(colour))) if now else 0.0
    white = max(0.0, luminance - now * times) / (1 - now * times)
    red, green, blue = (channel * times * (1 - white) + white for channel in colour)
    return red, green, blue


def _luminance(colour: Linear) -> float:
    return sum(channel * weight for channel, weight in zip(colour, _WEIGHTS, strict=True))


def _linear(colour: str) -> Linear:
    red, green, blue = (int(colour[at : at + 2], 16) / _WHITE for at in (1, 3, 5))
    return _from_srgb(red), _from_srgb(green), _from_srgb(blue)


def _from_srgb(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB


def _hex(colour: Linear) -> str:
    return "#" + "".join(f"{round(_to_srgb(channel) * _WHITE):02x}" for channel in colour)


def _to_srgb(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055  # noqa: PLR2004 - sRGB
