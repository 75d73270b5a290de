r"""The identifiers of a driver in texts, however they are spelled, found and replaced.

JSON may escape any character of a value (`\u0030`), a URL may percent-encode it (`%30`).
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import quote, unquote

from hub.models.charging import ERASED

_MIN_LENGTH = 4
_MIN_LENGTH_INSIDE_WORDS = 8
_STANDING_ALONE = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"
# Possessive, and a string that is cut off counts to the end of the text: else the search would
# begin again at each escaped quote in it, and take the square of its length.
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_URL_PART = re.compile(r"""[^\s/?&=#"'<>]++""")
_NEVER = r"(?!)"


class IdentifierMatcher:
    """The identifiers of one driver (uids, contract ids, numbers of cards), as a pattern for texts.

    One of fewer than four characters cannot be distinguished from other text and is not looked for;
    one of fewer than eight counts only where it stands alone: "1234", not "51234".
    """

    def __init__(self, values: Iterable[str]) -> None:
        searchable = {value for value in values if len(value) >= _MIN_LENGTH and value != ERASED}
        # The longest first: of alternatives the first that fits is taken, and a rest would stay.
        self.values = sorted(searchable, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(_pattern_of, self.values)) or _NEVER, re.IGNORECASE)

    def matches(self, text: str) -> bool:
        """Whether a text has one of them."""
        return self.erased(text) != text

    def erased(self, text: str) -> str:
        """Return a text with each of them replaced.

        All else keeps its bytes, except in a JSON string or URL part where one was found only after
        decoding: that is spelled anew. A JSON string that was cut off is not decoded.
        """
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
        return quote(self._pattern.sub(ERASED, plain), safe="")  # "/" too: it was %2F


def _pattern_of(value: str) -> str:
    pattern = re.escape(value)
    return pattern if len(value) >= _MIN_LENGTH_INSIDE_WORDS else _STANDING_ALONE.format(pattern)
