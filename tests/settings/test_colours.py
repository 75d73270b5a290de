"""The hub's colour in the console: itself where it is legible, and legible whatever it is."""

import re
from pathlib import Path
from random import Random

import pytest
from django.conf import settings
from django.test import Client

from settings.colours import painted, shades

_LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b(?=[;\s\"'])|\b(?:rgba?|hsla?|oklch)\(")
_STYLES = [
    path
    for package in ("console", "operators")
    for kind in ("*.css", "*.js", "*.html")
    for path in Path(settings.BASE_DIR, package).rglob(kind)
    if "leaflet" not in path.parts
]


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", ["#0f766e", "#1d4ed8", "#7c3aed", "#0000ff", "#000000"])
def test_a_colour_that_is_legible_is_taken_as_it_is(colour: str) -> None:
    """600 is what the theme has for buttons and links."""
    assert shades(colour)["600"] == colour


@pytest.mark.parametrize(
    "colour",
    ["#ffffff", "#ffff00", "#00ff00"]
    + [f"#{number:06x}" for number in Random(7).sample(range(1 << 24), 60)],
)
def test_words_are_legible_whatever_the_colour_is(colour: str) -> None:
    """4.5 to 1: white on it, it on white and grey pages, and its bright shades on dark pages."""
    own = shades(colour)
    assert list(own) == ["50", *(str(number) for number in range(100, 1_000, 100)), "950"]
    for shade, ground in (("600", "#ffffff"), ("600", "#f3f4f6"), ("700", "#ffffff")):
        assert contrast(own[shade], ground) >= 4.5
    for shade, ground in (("400", "#1f2937"), ("500", "#1f2937"), ("500", "#111827")):
        assert contrast(own[shade], ground) >= 4.5
    brightness = [luminance(each) for each in own.values()]
    assert brightness == sorted(brightness, reverse=True)


def test_the_console_has_the_colour_of_the_settings(admin_client: Client) -> None:
    """As the theme's primary colours."""
    text = admin_client.get("/admin/").content.decode()
    red, green, blue = (int(settings.HUB_COLOUR[at : at + 2], 16) for at in (1, 3, 5))
    assert f"--color-primary-600: rgb({red}, {green}, {blue})" in text


def test_the_logo_of_the_console_has_it_too(admin_client: Client, tmp_path: Path) -> None:
    """Whatever colour the drawing has."""
    text = admin_client.get("/admin/").content.decode()
    assert f"color%3D%22%23{settings.HUB_COLOUR[1:]}%22" in text
    drawing = tmp_path / "logo.svg"
    drawing.write_text('<svg color="#0f766e"><rect fill="currentColor"/></svg>')
    assert painted(drawing, "#7c3aed").startswith(
        "data:image/svg+xml,%3Csvg%20color%3D%22%237c3aed"
    )


def test_every_other_colour_is_in_one_place() -> None:
    """The head of console.css; whoever needs another one names it there."""
    assert _STYLES
    for path in _STYLES:
        text = path.read_text()
        if path.name == "console.css":
            text = text.partition("/* What the theme has no class for. */")[2]
            assert text
        assert _LITERAL.findall(text) == [], path
