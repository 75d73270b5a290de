"""The explanation of a price: each line with its reason, as a person and a program retrace it.

`Explanation.as_json` is made to be stored; `docs/rating.md` walks through one.
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from rating.amounts import Amount, text
from rating.bill import Session
from rating.cdr import Cdr
from rating.decimals import EXACT, SECONDS_PER_HOUR, as_written, half_up, plain
from rating.lines import Line, Unbilled
from rating.price import Price
from rating.readings import Readings
from rating.selection import passed_over
from rating.tariff import CHARGING, ENERGY, FLAT, RESERVING, Tariff
from rating.tariff_text import digest
from rating.times import written
from rating.verdict import Alternative
from rating.zones import Zone

ENGINE = "1.0"
MOST_PASSED_OVER = 20
"""So many earlier elements are named with their reason, the nearest ones."""
_UNITS = {ENERGY: ("kWh", "kWh"), FLAT: ("1", "session")}


class Difference(NamedTuple):
    """How much more is declared than computed, as a share too, and in which groups of cost."""

    amount: Amount
    share: Decimal | None
    groups: list[str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What rating says of a CDR: a total and how it came to be, or a code and why there is none."""

    readings: Readings
    verdict: str
    session: Session | None = field(default=None, repr=False)
    cdr: Cdr | None = field(default=None, repr=False)
    price: Price | None = field(default=None, repr=False)
    total: Amount | None = None
    alternatives: tuple[Alternative, ...] = ()
    difference: Difference | None = None
    code: str | None = None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it in the types of JSON.

        Amounts, volumes and prices are strings of digits; places and step sizes are integers.
        """
        with localcontext(EXACT):
            return self._as_json()

    def _as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "engine": ENGINE,
            "readings": self.readings.as_json(),
            "cdr": self.cdr and _cdr(self.cdr),
            **self._original(),
            "currency": self.cdr and self.cdr.currency,
            **_zone(self.session.zone if self.session else None),
        }
        if self.session and self.price and self.total:
            found |= _price(self.session, self.price)
            found["total"] = self.total.as_json()
            found["alternatives"] = [_alternative(each) for each in self.alternatives]
        if self.cdr:
            declared = self.cdr.declared
            found["declared"] = declared and declared.as_json()
        found |= {
            "verdict": self.verdict,
            "delta": self.difference and _difference(self.difference),
        }
        return found | ({"code": self.code, "why": self.why} if self.code else {})

    def _original(self) -> dict[str, Any]:
        """Name the CDR whose lines are shown, if a credit CDR takes it back."""
        original = self.session and self.session.cdr
        return {"original": _cdr(original)} if original and original is not self.cdr else {}

    def to_bytes(self) -> bytes:
        """Return the same bytes for the same explanation."""
        return json.dumps(self.as_json(), separators=(",", ":"), ensure_ascii=False).encode()


def _cdr(cdr: Cdr) -> dict[str, str]:
    return {"owner": cdr.owner, "id": cdr.id, "digest": cdr.digest}


def _zone(zone: Zone | None) -> dict[str, str | None]:
    return {"time_zone": zone and zone.name, "zone_from": zone and zone.source}


def _difference(found: Difference) -> dict[str, Any]:
    return {**found.amount.as_json(), "share": text(found.share), "groups": found.groups}


def _alternative(each: Alternative) -> dict[str, Any]:
    return {"readings": dict(each.readings), "total": each.total.rounded().as_json()}


def _price(session: Session, price: Price) -> dict[str, Any]:
    tariffs = session.choice.used()
    refs = {id(tariff): f"t{place}" for place, tariff in enumerate(tariffs, 1)}
    lines = enumerate(price.lines, 1)
    return {
        "tariffs": [_tariff(refs[id(tariff)], tariff) for tariff in tariffs],
        "lines": [_line(place, line, refs[id(line.chosen.tariff)]) for place, line in lines],
        "unpriced": [_unpriced(each) for each in price.unpriced],
        "limits": [{"limit": name, **amount.rounded().as_json()} for name, amount in price.limits],
        "groups": {group: each.rounded().as_json() for group, each in price.groups.items()},
        "notes": [{"code": code.value, "at": period} for code, period in price.remarks],
    }


def _tariff(ref: str, tariff: Tariff) -> dict[str, Any]:
    valid = [at and written(at) for at in (tariff.start, tariff.end)]
    return {
        "ref": ref,
        "owner": tariff.owner,
        "id": tariff.id,
        "from": tariff.source,
        "digest": digest(tariff.members),
        "tax": tariff.tax.name,
        "valid": valid,
    }


def _line(place: int, line: Line, ref: str) -> dict[str, Any]:
    component = line.chosen.component
    unit, per = _UNITS.get(line.kind, ("s", "h"))
    excl, incl = shown_amount(line)
    return {
        "n": place,
        "kind": line.kind,
        "phase": CHARGING if line.phase == CHARGING else RESERVING,
        "period": line.period,
        "from": written(line.start),
        "to": written(line.end),
        "tariff": ref,
        "element": line.chosen.element.place,
        "component": component.place,
        "because": reasons(line),
        "passed_over": _passed_over(line),
        "used": plain(line.used),
        "unit": unit,
        "step": _step(line),
        "billed": plain(line.billed),
        "price": as_written(component.price),
        "per": per,
        "vat": None if component.vat is None else as_written(component.vat),
        "excl": text(excl),
        "tax": None if excl is None or incl is None else text(half_up(incl - excl)),
        "incl": text(incl),
    }


def shown_amount(line: Line) -> Amount:
    """Return the amount of a line, rounded for show."""
    excl, incl = line.amount()
    return Amount(
        None if excl is None else excl / SECONDS_PER_HOUR,
        None if incl is None else incl / SECONDS_PER_HOUR,
    ).rounded()


def reasons(line: Line) -> list[str]:
    """Say of each restriction of the element why it holds."""
    moment = line.chosen.moment
    return [each.because(moment) for each in line.chosen.element.restrictions.conditions]


def _passed_over(line: Line) -> list[list[object]]:
    found = passed_over(line.chosen, line.phase, line.kind)
    return [[place, why] for place, why in found[-MOST_PASSED_OVER:]]


def _step(line: Line) -> dict[str, Any] | None:
    step = line.step
    return None if step is None else {"size": step.size, "of": plain(step.of), "to": plain(step.to)}


def _unpriced(each: Unbilled) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "period": each.period,
        "from": written(each.start),
        "to": written(each.end),
        "used": plain(each.used),
        "unit": _UNITS.get(each.kind, ("s", "h"))[0],
        "why": each.why,
    }
