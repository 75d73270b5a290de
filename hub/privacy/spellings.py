"""Spellings of a driver's ids in texts of any kind, and the texts without them.

The message log masks ids before it writes them: an ellipsis and the last characters remain there,
and are removed as well.
"""

import re
from typing import Any

from hub.masking.personal import mask_value
from hub.privacy.drivers import Driver
from parties.holders import ref_of

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_SPELLED_OTHERWISE = (r"\\u[0-9a-f]{4}", r"\\/", "%[0-9a-f]{2}")
"""Escapes, which may hide any id: PostgreSQL selects rows with them, `without` looks closer."""


class Spellings:
    """How texts may spell a driver's ids; with `masked`, also as the message log masks them."""

    def __init__(self, driver: Driver, *, masked: bool = False) -> None:
        self.driver = driver
        endings = {mask_value(value) for value in driver.values} if masked else set()
        self._masks = sorted(ending for ending in endings if len(ending) > 1)
        either = "|".join(map(re.escape, self._masks)) or "(?!)"
        self._masked = re.compile(f"(?:{either})(?![0-9A-Za-z])", re.IGNORECASE)

    @property
    def pattern(self) -> str:
        """What PostgreSQL selects rows by: it matches all that `without` changes, and more."""
        found = [re.escape(value) for value in (*self.driver.matcher.values, *self._masks)]
        short = self.driver.values - set(self.driver.matcher.values)
        found += [f'"{re.escape(value)}"' for value in short]
        return "|".join([*found, *_SPELLED_OTHERWISE])

    def without(self, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
        """Return a text, or JSON with all its texts, without the driver's ids."""
        if isinstance(value, str):
            return self._masked.sub(_ELLIPSIS, self.driver.matcher.erased(value))
        if isinstance(value, bytes | memoryview):
            text = bytes(value).decode(errors="surrogateescape")
            return str(self.without(text)).encode(errors="surrogateescape")
        if isinstance(value, dict):
            return {str(self.without(name)): self.without(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.without(each) for each in value]
        return value

    def is_of_another(self, party: str) -> bool:
        """Return whether a row is of another eMSP, whose driver may have the same ids."""
        return bool(self.driver.party and party and str(ref_of(party)) != self.driver.party)
