"""A Tariff in one form for all versions: elements with prices, limits, and what is known of tax.

Specification: mod_tariffs of 2.1.1, 2.2.1 and 2.3.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from rating.codes import CannotBePriced, Unpriced
from rating.identifiers import folded
from rating.restrictions import RESERVATION_EXPIRES, Restrictions

FLAT, ENERGY, TIME, PARKING_TIME = "FLAT", "ENERGY", "TIME", "PARKING_TIME"
RESERVATION_TIME = "RESERVATION_TIME"
"""What a CDR measures of a reservation; TIME components price it."""

CHARGING, RESERVING, EXPIRED = "charging", "reservation", "expired"
PHASES = (CHARGING, RESERVING, EXPIRED)
"""The phases of a session; a reservation that expired is priced by elements of its own."""


class Tax(Enum):
    """What the prices of a Tariff say about tax."""

    UNKNOWN = "2.1.1: prices are without VAT, and no rate is given"
    ADDED = "2.2.1: prices are without VAT; no rate is no VAT"
    ADDED_BY_LAW = "2.3.0, tax_included NO: prices are without tax; no rate is an unknown rate"
    INCLUDED = "2.3.0, tax_included YES: prices are with tax; no rate is an unknown rate"
    NONE = "2.3.0, tax_included N/A: there is no tax"


class Component(NamedTuple):
    """A PriceComponent: a price per kWh, hour or session; `step_size` counts Wh or seconds."""

    kind: str
    price: Decimal
    vat: Decimal | None
    step_size: int
    place: int


class Element(NamedTuple):
    """A TariffElement: the first component of each dimension, and when they apply."""

    place: int
    components: Mapping[str, Component]
    restrictions: Restrictions
    repeated: bool


class Limit(NamedTuple):
    """A min_price or max_price: without and with tax, each by itself."""

    excl: Decimal | None
    incl: Decimal | None


class Edges(NamedTuple):
    """Where the price of a phase may change: local times of day, seconds so far, kWh so far."""

    local: bool
    times_of_day: tuple[int, ...]
    durations: tuple[int, ...]
    energies: tuple[Decimal, ...]


@dataclass
class Tariff:
    """A Tariff as one text has it. `start` and `end` say when sessions may begin under it.

    `source` is `cdr` or `store`.
    """

    id: str
    owner: str
    currency: str
    kind: str | None
    start: int | None
    end: int | None
    min_price: Limit | None
    max_price: Limit | None
    tax: Tax
    has_text: bool
    elements: tuple[Element, ...]
    members: Mapping[str, Any] = field(repr=False)
    source: str = "cdr"
    version_unsure: bool = False
    _walks: dict[str, "Walk"] = field(default_factory=dict, init=False, repr=False)
    _edges: dict[str, Edges | None] = field(default_factory=dict, init=False, repr=False)

    @property
    def key(self) -> str:
        """The id as CiStrings are compared."""
        return folded(self.id)

    def elements_of(self, phase: str) -> list[Element]:
        """Return the elements of a phase in the order they are asked.

        A reservation that expired asks those for RESERVATION_EXPIRES first.
        """
        if phase == CHARGING:
            return [each for each in self.elements if each.restrictions.reservation is None]
        reserving = [each for each in self.elements if each.restrictions.reservation]
        expires = [e for e in reserving if e.restrictions.reservation == RESERVATION_EXPIRES]
        others = [e for e in reserving if e.restrictions.reservation != RESERVATION_EXPIRES]
        return [*expires, *others] if phase == EXPIRED else others

    def walk(self, phase: str) -> "Walk":
        """Return the elements to ask in a phase, by dimension."""
        if phase not in self._walks:
            self._walks[phase] = _walk(self.elements_of(phase), phase)
        return self._walks[phase]

    def edges(self, phase: str) -> Edges | None:
        """Return where prices of a phase may change; None where nothing is restricted."""
        if phase not in self._edges:
            self._edges[phase] = _edges(self.elements_of(phase))
        return self._edges[phase]

    def check(self, currency: str) -> None:
        """Refuse what cannot be priced by: another currency, no element, limits that cross."""
        if self.currency != currency:
            words = f"tariff {self.id} is in {self.currency}, the CDR in {currency}"
            raise CannotBePriced(Unpriced.CURRENCY, words)
        if not self.elements:
            raise CannotBePriced(Unpriced.CONTRADICTION, f"tariff {self.id} has no element")
        least, most = self.min_price or _NO_LIMIT, self.max_price or _NO_LIMIT
        for low, high in zip(least, most, strict=True):
            if low is not None and high is not None and low > high:
                words = f"min_price of tariff {self.id} is above its max_price"
                raise CannotBePriced(Unpriced.CONTRADICTION, words)


Walk = Mapping[str, list[tuple[Element, Component]]]
_NO_LIMIT = Limit(None, None)


def _walk(elements: list[Element], phase: str) -> Walk:
    walk: dict[str, list[tuple[Element, Component]]] = {}
    for element in elements:
        for kind, component in element.components.items():
            reserved = kind == TIME and phase != CHARGING
            walk.setdefault(RESERVATION_TIME if reserved else kind, []).append((element, component))
    return walk


def _edges(elements: list[Element]) -> Edges | None:
    asked = [each.restrictions for each in elements if each.restrictions.conditions]
    if not asked:
        return None
    return Edges(
        any(each.local for each in asked),
        tuple(sorted({second for each in asked for second in each.times_of_day})),
        tuple(sorted({seconds for each in asked for seconds in each.durations})),
        tuple(sorted({kwh for each in asked for kwh in each.energies})),
    )
