"""Where texts quote what identifies a driver, in whichever spelling, and the texts without it.

JSON may escape any character of a value, a URL may write it in percents.
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import quote, unquote

from hub.models.charging import ERASED

__all__ = ["ERASED", "Quotes"]

_SHORTEST = 4
_UNMISTAKABLE = 8
_WORD = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS = re.compile(r"""[^\s/?&=#"'<>]++""")
_NEVER = r"(?!)"


class Quotes:
    """Some values, and how they are found.

    A value of fewer than four characters cannot be told from other text and is not looked for; one
    of fewer than eight counts where it stands alone.
    """

    def __init__(self, values: Iterable[str]) -> None:
        told = {value for value in values if len(value) >= _SHORTEST and value != ERASED}
        self.values = sorted(told, key=lambda value: (-len(value), value))
        self._found = re.compile("|".join(map(_alone, self.values)) or _NEVER, re.IGNORECASE)

    def is_in(self, text: str) -> bool:
        """Tell whether a text quotes one of them."""
        return self.erased(text) != text

    def erased(self, text: str) -> str:
        """Return a text with each of them replaced; all else is as it was."""
        text = self._found.sub(ERASED, text)
        if "\\" in text:
            text = _STRINGS.sub(self._string, text)
        return _STEPS.sub(self._step, text) if "%" in text else text

    def _string(self, found: re.Match[str]) -> str:
        if "\\" not in found[0]:
            return found[0]
        with suppress(ValueError):
            plain = json.loads(found[0])
            if self._found.search(plain):
                return json.dumps(self._found.sub(ERASED, plain), ensure_ascii=False)
        return found[0]

    def _step(self, found: re.Match[str]) -> str:
        plain = unquote(found[0]) if "%" in found[0] else ""
        if not self._found.search(plain):
            return found[0]
        return quote(self._found.sub(ERASED, plain), safe="\N{HORIZONTAL ELLIPSIS}")


def _alone(value: str) -> str:
    pattern = re.escape(value)
    return pattern if len(value) >= _UNMISTAKABLE else _WORD.format(pattern)
