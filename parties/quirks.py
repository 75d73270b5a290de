"""What the hub does differently for one platform, typed.

What real platforms need: a token as they read it (A-02), no PATCH, more time, smaller pages.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any, Self

_YES_NO = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_ALIASES = {
    "base64": "base64_out",
    "raw_token": "accept_raw_token",
    "patch": "patch_supported",
}


@dataclass(frozen=True, slots=True)
class Quirks:
    """The habits of one platform's implementation; the defaults follow the specification."""

    base64_out: bool = True
    """Send our token Base64 encoded."""
    accept_raw_token: bool = True
    """Accept the un-encoded token from it."""
    patch_supported: bool = True
    """Send PATCH; otherwise the full object by PUT."""
    renew: bool = False
    """Renew its credentials every `HUB_RENEWAL_DAYS`."""
    announces: bool = False
    """It is a hub that names the parties behind it itself, beyond the operator's list."""
    authorize_seconds: float = 0.0
    """Seconds a driver waits for its authorization; 0: `HUB_AUTHORIZE_TIMEOUT`."""
    pull: bool = True
    """Read the lists it offers from time to time."""
    page_limit: int = 0
    """Objects asked for in a page of its lists; 0 is what the hub asks everybody for."""
    requests_per_minute: int = 0
    """Requests a minute it may send; 0: `HUB_REQUESTS_PER_MINUTE`."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what the database holds; names of other releases are passed over."""
        return cls.from_mapping(json.loads(text))

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Take the known names out of a mapping; ValueError for a value of the wrong type."""
        known: dict[str, Any] = {name: values[name] for name in _DEFAULTS if name in values}
        for name, value in known.items():
            _check(name, value)
        return cls(**known)

    def with_settings(self, settings: Iterable[str]) -> Self:
        """Apply settings written `base64=off`; ValueError names what is wrong."""
        changes: dict[str, Any] = dict(_parse(setting) for setting in settings)
        return replace(self, **changes)

    def as_mapping(self) -> dict[str, bool | float]:
        """Return all values by name."""
        return asdict(self)


MOST: Mapping[str, int] = {
    "page_limit": 10_000,
    "authorize_seconds": 60,
    "requests_per_minute": 10_000_000,
}
"""The largest value of each quirk that is a number."""
_DEFAULTS: Mapping[str, object] = {field.name: field.default for field in fields(Quirks)}


@lru_cache(maxsize=1024)
def cached(text: str) -> Quirks:
    """Read the database's text; platforms share few different ones, and every request asks."""
    return Quirks.from_json(text)


def _check(name: str, value: object) -> None:
    is_switch = isinstance(_DEFAULTS[name], bool) and isinstance(value, bool)
    if not is_switch and not _is_number(name, value):
        message = f"quirk {name}: {value!r} is not a value for it"
        raise ValueError(message)


def _is_number(name: str, value: object) -> bool:
    """Tell whether a quirk with numbers can have this one; a whole number stays whole."""
    kinds = int | float if isinstance(_DEFAULTS[name], float) else int
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    return name in MOST and 0 <= value <= MOST[name]


def _parse(setting: str) -> tuple[str, bool | float]:
    written, equals, value = setting.partition("=")
    name = _ALIASES.get(written.strip(), written.strip())
    if not equals or name not in _DEFAULTS:
        known = ", ".join(sorted({*_DEFAULTS, *_ALIASES}))
        message = f"--quirk {setting}: write NAME=VALUE with one of {known}"
        raise ValueError(message)
    return name, _switch(name, value) if isinstance(_DEFAULTS[name], bool) else _number(name, value)


def _switch(name: str, value: str) -> bool:
    try:
        return _YES_NO[value.strip().lower()]
    except KeyError:
        message = f"--quirk {name}: {value!r} is neither on nor off"
        raise ValueError(message) from None


def _number(name: str, value: str) -> float:
    try:
        number = float(value) if isinstance(_DEFAULTS[name], float) else int(value)
        _check(name, number)
    except ValueError:
        message = f"--quirk {name}: {value!r} is no number from 0 to {MOST[name]}"
        raise ValueError(message) from None
    return number
