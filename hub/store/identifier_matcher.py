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
_WHOLE_WORD = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"
# Possessive quantifiers, and a string that is cut off matches to the end of the text: otherwise the
# search would start again at each escaped quote in it, in quadratic time.
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_URL_PART = re.compile(r"""[^\s/?&=#"'<>]++""")
_NEVER = r"(?!)"


class IdentifierMatcher:
    """The identifiers of one driver (uids, contract ids, numbers of cards), as a pattern for texts.

    Identifiers of fewer than four characters cannot be distinguished from other text and are not
    looked for; those of fewer than eight count only as whole words: "1234" is not in "51234".
    """

    def __init__(self, values: Iterable[str]) -> None:
        searchable = {value for value in values if len(value) >= _MIN_LENGTH and value != ERASED}
        # The longest first: a pattern takes the first alternative that fits, so "AB1" before "AB12"
        # would leave "2" behind.
        self.values = sorted(searchable, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(_pattern_of, self.values)) or _NEVER, re.IGNORECASE)

    def matches(self, text: str) -> bool:
        """Whether a text has one of them."""
        return self.erased(text) != text

    def erased(self, text: str) -> str:
        """Return a text with each of them replaced by `ERASED`.

        Everything else keeps its bytes, except that a JSON string or URL part with an identifier
        that shows only after decoding is encoded anew. A JSON string that was cut off is not
        decoded.
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
    return pattern if len(value) >= _MIN_LENGTH_INSIDE_WORDS else _WHOLE_WORD.format(pattern)
