r"""Somebody else's text on its way to a terminal, a shell or a log: what acts there is shown.

Control characters move the cursor, recolour, rename the window or press Enter; separators begin
lines that the hub never wrote; marks of direction show words in another order than they are in.
Each is written as JSON writes it, `\u001b`, so that JSON remains the same JSON.
"""

import re
from typing import Final

ACTING: Final = (
    r"\x00-\x1f\x7f-\x9f"  # C0, DEL and C1
    r"\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f"
)
"""What no terminal shows as it is, to be put between the brackets of a regular expression."""

_ACTING = re.compile(f"[{ACTING}]")
_BUT_LINES = re.compile(rf"(?![\n\t])[{ACTING}]")


def escaped(text: str, *, lines: bool = False) -> str:
    """Return text in which what acts is shown; with `lines`, newlines and tabs are left."""
    if text.isascii() and text.isprintable():
        return text
    return (_BUT_LINES if lines else _ACTING).sub(_shown, text)


def acts(text: str) -> bool:
    """Whether a terminal would do anything but show a text."""
    return _ACTING.search(text) is not None


def _shown(found: re.Match[str]) -> str:
    """Write a character as JSON does: by its units in UTF-16."""
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
