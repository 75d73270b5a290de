"""Quirks: what the hub does differently for one platform, typed.

Real platforms need some: their token in another form (A-02), no PATCH, more time, smaller pages.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, Self

_YES_NO = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Description:
    """How operators meet one quirk: in the form of a platform and, by `short` too, in commands."""

    default: bool | float
    label: str
    sentence: str
    short: str = ""
    most: int = 0
    """Of a number the largest value; the smallest is 0, and leaves it to the hub's own setting."""


def _quirk(
    label: str, sentence: str, *, default: bool | float, short: str = "", most: int = 0
) -> Any:  # noqa: ANN401 - as `field` of the standard library
    described = Description(default, label, sentence, short, most)
    return field(default=default, metadata={"quirk": described})


@dataclass(frozen=True, slots=True)
class Quirks:
    """What one platform's implementation needs; the defaults follow the specification.

    Forms, commands and their help are made from these lines.
    """

    base64_out: bool = _quirk(
        "Base64 tokens", "Send our token Base64 encoded.", default=True, short="base64"
    )
    accept_raw_token: bool = _quirk(
        "Accept raw tokens", "Accept its token without Base64.", default=True, short="raw_token"
    )
    patch_supported: bool = _quirk(
        "Takes PATCH", "Send PATCH; otherwise the full object by PUT.", default=True, short="patch"
    )
    renew: bool = _quirk(
        "Renew credentials", "Renew both tokens every HUB_RENEWAL_DAYS, unasked.", default=False
    )
    announces: bool = _quirk(
        "Names its parties",
        "A hub that adds parties by client info, beyond the list below.",
        default=False,
    )
    authorize_seconds: float = _quirk(
        "Seconds to authorize",
        "A driver waits so long for its answer; 0: HUB_AUTHORIZE_TIMEOUT.",
        default=0.0,
        most=60,
    )
    pull: bool = _quirk("Is pulled", "Read the lists it offers from time to time.", default=True)
    page_limit: int = _quirk(
        "Page limit",
        "Objects asked for in a page of its lists; 0: HUB_PULL_PAGE_LIMIT.",
        default=0,
        most=10_000,
    )
    filter_by_arrival: bool = _quirk(
        "Dates of arrival",
        "date_from and date_to of its lists are about when something reached the hub.",
        default=False,
        short="by_arrival",
    )
    requests_per_minute: int = _quirk(
        "Requests a minute",
        "It may send so many, and a minute's at once; 0: HUB_REQUESTS_PER_MINUTE.",
        default=0,
        most=10_000_000,
    )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what the database holds; names that only other releases know are ignored."""
        return cls.from_mapping(json.loads(text))

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Take the known names out of a mapping; ValueError for a value of the wrong type."""
        known: dict[str, Any] = {name: values[name] for name in QUIRKS if name in values}
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


QUIRKS: Mapping[str, Description] = {each.name: each.metadata["quirk"] for each in fields(Quirks)}
_NAMES = {
    **{name: name for name in QUIRKS},
    **{each.short: name for name, each in QUIRKS.items() if each.short},
}
"""The name of a quirk by what people may type for it."""


def usage() -> str:
    """Say for the help of commands which quirks there are: switches, then numbers."""
    names = {name: each.short or name for name, each in QUIRKS.items()}
    switches = [names[name] for name, each in QUIRKS.items() if isinstance(each.default, bool)]
    numbers = [f"{names[name]} 0-{each.most}" for name, each in QUIRKS.items() if each.most]
    return f"on or off: {', '.join(switches)}; a number: {', '.join(numbers)}"


@lru_cache(maxsize=1024)
def parsed(text: str) -> Quirks:
    """Read the database's text; cached, since every request asks and few texts differ."""
    return Quirks.from_json(text)


def _check(name: str, value: object) -> None:
    is_switch = isinstance(QUIRKS[name].default, bool)
    if not (isinstance(value, bool) if is_switch else _is_number(name, value)):
        message = f"quirk {name}: {value!r} is not a value for it"
        raise ValueError(message)


def _is_number(name: str, value: object) -> bool:
    """Return whether a quirk may have this number; one that counts takes no fraction."""
    kinds = int | float if isinstance(QUIRKS[name].default, float) else int
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    return 0 <= value <= QUIRKS[name].most


def _parse(setting: str) -> tuple[str, bool | float]:
    written, equals, value = setting.partition("=")
    name = _NAMES.get(written.strip())
    if not equals or name is None:
        message = f"--quirk {setting}: write NAME=VALUE with one of {', '.join(sorted(_NAMES))}"
        raise ValueError(message)
    is_switch = isinstance(QUIRKS[name].default, bool)
    return name, _switch(name, value) if is_switch else _number(name, value)


def _switch(name: str, value: str) -> bool:
    try:
        return _YES_NO[value.strip().lower()]
    except KeyError:
        message = f"--quirk {name}: {value!r} is neither on nor off"
        raise ValueError(message) from None


def _number(name: str, value: str) -> float:
    try:
        number = float(value) if isinstance(QUIRKS[name].default, float) else int(value)
        _check(name, number)
    except ValueError:
        message = f"--quirk {name}: {value!r} is no number from 0 to {QUIRKS[name].most}"
        raise ValueError(message) from None
    return number
