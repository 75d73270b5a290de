"""Quirks: what the hub does differently for one platform, typed.

Real platforms need some: their token in another form (A-02), no PATCH, more time, smaller pages.
`docs/quirks.md` is made from here by `python -m parties.quirk_table`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, Self

Value = bool | float | str
"""What a quirk may be: a switch, a number, or one of some words."""

_YES_NO = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Description:
    """How operators meet one quirk: in the form of a platform and, by `short` too, in commands."""

    default: Value
    label: str
    sentence: str
    short: str = ""
    most: int = 0
    """Of a number the largest value; the smallest is 0, and leaves it to the hub's own setting."""
    words: tuple[str, ...] = ()
    """Of a word all that it may be."""
    when: str = ""
    """What shows that a platform needs another value than the default."""

    @property
    def values(self) -> str:
        """Say what may be written for it."""
        if self.words:
            return " or ".join(self.words)
        return f"0 to {self.most}" if self.most else "on or off"

    @property
    def usual(self) -> str:
        """Write its default as people do."""
        switch = {True: "on", False: "off"}
        return switch[self.default] if isinstance(self.default, bool) else str(self.default)


def _quirk(label: str, sentence: str, *, default: Value, **more: Any) -> Any:  # noqa: ANN401 - as `field` of the standard library
    described = Description(default, label, sentence, **more)
    return field(default=default, metadata={"quirk": described})


@dataclass(frozen=True, slots=True)
class Quirks:
    """What one platform's implementation needs; the defaults follow the specification.

    Forms, commands and their help are made from these lines.
    """

    base64_out: bool = _quirk(
        "Base64 tokens",
        "Send our token Base64 encoded.",
        default=True,
        short="base64",
        when="It answers 401, or 2001 to our POST of credentials, though the token is right",
    )
    accept_raw_token: bool = _quirk(
        "Accept raw tokens",
        "Accept its token without Base64.",
        default=True,
        short="raw_token",
        when="Off for a platform that is to keep to the specification's form",
    )
    patch_supported: bool = _quirk(
        "Takes PATCH",
        "Send PATCH; otherwise the full object by PUT.",
        default=True,
        short="patch",
        when="It answers 405 or 501 to a PATCH",
    )
    details: str = _quirk(
        "Version details",
        "Which interfaces of ours it is told: all, or by role those alone that its roles call.",
        default="all",
        words=("all", "by-role"),
        when="It keeps one endpoint a module, whatever its role: it calls the side of ours that is"
        " its own, and is answered 404 or 405",
    )
    credentials_role: str = _quirk(
        "Role of credentials",
        "The role beside our credentials endpoint, which means nothing.",
        default="sender",
        words=("sender", "receiver"),
        when="It reads our version details and never sends credentials: it looks for a RECEIVER",
    )
    to_self: bool = _quirk(
        "To itself is to the hub",
        "OCPI-to that names the sender itself means the hub.",
        default=False,
        when="Its requests are refused because OCPI-to and OCPI-from are the same party",
    )
    owner_speaks: bool = _quirk(
        "The owner speaks",
        "Without OCPI-from, a party of it that owns the object, by its URL or CDR, is the sender.",
        default=False,
        when="It has several parties and leaves OCPI-from out: 2001 asks which of them speaks",
    )
    one_spelling: bool = _quirk(
        "One spelling of ids",
        "URLs of what we send it have the ids in the letters of the object itself.",
        default=False,
        when="It refuses objects whose URL says `loc1` where they say `LOC1`",
    )
    renew: bool = _quirk(
        "Renew credentials",
        "Renew both tokens every HUB_RENEWAL_DAYS, unasked.",
        default=False,
        when="It takes a PUT of credentials at any time, and tokens are to change",
    )
    announces: bool = _quirk(
        "Names its parties",
        "A hub that adds parties by client info, beyond the list below.",
        default=False,
        when="A hub whose parties come and go: see [hubs](hubs.md)",
    )
    authorize_seconds: float = _quirk(
        "Seconds to authorize",
        "A driver waits so long for its answer; 0: HUB_AUTHORIZE_TIMEOUT.",
        default=0.0,
        most=60,
        when="Its answers about drivers come too late",
    )
    pull: bool = _quirk(
        "Is pulled",
        "Read the lists it offers from time to time.",
        default=True,
        when="Off where it pushes all there is, or its lists are not to be asked for",
    )
    page_limit: int = _quirk(
        "Page limit",
        "Objects asked for in a page of its lists; 0: HUB_PULL_PAGE_LIMIT.",
        default=0,
        most=10_000,
        when="Its pages are too large to be made in time, or may be larger",
    )
    filter_by_arrival: bool = _quirk(
        "Dates of arrival",
        "date_from and date_to of its lists are about when something reached the hub.",
        default=False,
        short="by_arrival",
        when="It takes no pushes, reads by `date_from`, and misses what reached the hub late",
    )
    lenient: bool = _quirk(
        "Is taken as it is",
        "Its objects need to be right in id, owner, times, CdrToken and money alone.",
        default=False,
        when="It cannot mend what 2001 or the quarantine keeps from everybody",
    )
    strict_receiver: bool = _quirk(
        "Takes only what is right",
        "Objects that break the tables are left out of its lists, and not sent to it.",
        default=False,
        when="One odd value makes a whole page of a list unreadable for it",
    )
    requests_per_minute: int = _quirk(
        "Requests a minute",
        "It may send so many, and a minute's at once; 0: HUB_REQUESTS_PER_MINUTE.",
        default=0,
        most=10_000_000,
        when="It is answered 429 though it does what was agreed",
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

    def as_mapping(self) -> dict[str, Value]:
        """Return all values by name."""
        return asdict(self)


QUIRKS: Mapping[str, Description] = {each.name: each.metadata["quirk"] for each in fields(Quirks)}
_NAMES = {
    **{name: name for name in QUIRKS},
    **{each.short: name for name, each in QUIRKS.items() if each.short},
}
"""The name of a quirk by what people may type for it."""


def usage() -> str:
    """Say for the help of commands which quirks there are: switches, words, then numbers."""
    switches = [written(name) for name, each in QUIRKS.items() if isinstance(each.default, bool)]
    words = [
        f"{written(name)} {'|'.join(each.words)}" for name, each in QUIRKS.items() if each.words
    ]
    numbers = [f"{written(name)} 0-{each.most}" for name, each in QUIRKS.items() if each.most]
    return (
        f"on or off: {', '.join(switches)}; a word: {', '.join(words)};"
        f" a number: {', '.join(numbers)}"
    )


def written(name: str) -> str:
    """Return what people type for a quirk."""
    return QUIRKS[name].short or name


@lru_cache(maxsize=1024)
def parsed(text: str) -> Quirks:
    """Read the database's text; cached, since every request asks and few texts differ."""
    return Quirks.from_json(text)


def _check(name: str, value: object) -> None:
    quirk = QUIRKS[name]
    if quirk.words:
        fits = value in quirk.words
    elif isinstance(quirk.default, bool):
        fits = isinstance(value, bool)
    else:
        fits = _is_number(name, value)
    if not fits:
        message = f"quirk {name}: {value!r} is not a value for it"
        raise ValueError(message)


def _is_number(name: str, value: object) -> bool:
    """Return whether a quirk may have this number; one that counts takes no fraction."""
    kinds = int | float if isinstance(QUIRKS[name].default, float) else int
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    return 0 <= value <= QUIRKS[name].most


def _parse(setting: str) -> tuple[str, Value]:
    typed, equals, value = setting.partition("=")
    name = _NAMES.get(typed.strip())
    if not equals or name is None:
        message = f"--quirk {setting}: write NAME=VALUE with one of {', '.join(sorted(_NAMES))}"
        raise ValueError(message)
    if QUIRKS[name].words:
        return name, _word(name, value.strip().lower())
    is_switch = isinstance(QUIRKS[name].default, bool)
    return name, _switch(name, value) if is_switch else _number(name, value)


def _word(name: str, value: str) -> str:
    if value not in QUIRKS[name].words:
        message = f"--quirk {name}: {value!r} is not {QUIRKS[name].values}"
        raise ValueError(message)
    return value


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
