r"""Identifiers of a driver found in texts, in whichever spelling, and the texts without them.

JSON may escape any character of a value (`\u0030`), a URL may percent-encode it (`%30`).
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import quote, unquote

from hub.models.charging import ERASED

_SHORTEST = 4
_SHORTEST_WITHIN_WORDS = 8
_STANDING_ALONE = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_URL_PART = re.compile(r"""[^\s/?&=#"'<>]++""")
_NEVER = r"(?!)"


class IdentifierMatcher:
    """The identifiers of one driver (uids, contract ids, numbers of cards), as a pattern for texts.

    One of fewer than four characters cannot be told from other text and is not looked for; one of
    fewer than eight counts only where it stands alone: "1234", not "51234".
    """

    def __init__(self, values: Iterable[str]) -> None:
        telling = {value for value in values if len(value) >= _SHORTEST and value != ERASED}
        self.values = sorted(telling, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(_pattern_of, self.values)) or _NEVER, re.IGNORECASE)

    def matches(self, text: str) -> bool:
        """Tell whether a text has one of them."""
        return self.erased(text) != text

    def erased(self, text: str) -> str:
        """Return a text with each of them replaced; all else is as it was."""
        text = self._pattern.sub(ERASED, text)
        if "\\" in text:
            text = _JSON_STRING.sub(self._in_json_string, text)
        return _URL_PART.sub(self._in_url_part, text) if "%" in text else text

    def _in_json_string(self, found: re.Match[str]) -> str:
        if "\\" not in found[0]:  # nothing is escaped: what is to be replaced was replaced already
            return found[0]
        with suppress(ValueError):
            plain = json.loads(found[0])
            if self._pattern.search(plain):
                return json.dumps(self._pattern.sub(ERASED, plain), ensure_ascii=False)
        return found[0]

    def _in_url_part(self, found: re.Match[str]) -> str:
        plain = unquote(found[0]) if "%" in found[0] else ""
        if not self._pattern.search(plain):
            return found[0]
        return quote(self._pattern.sub(ERASED, plain), safe="\N{HORIZONTAL ELLIPSIS}")


def _pattern_of(value: str) -> str:
    pattern = re.escape(value)
    return pattern if len(value) >= _SHORTEST_WITHIN_WORDS else _STANDING_ALONE.format(pattern)
