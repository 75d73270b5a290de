"""How the text of a CDR is read, of whichever version it is.

Specification: mod_cdrs. 2.1.1 says `stop_date_time`, has the whole Location inside, and a cost is
a number without VAT; in 2.2.1 it is a Price, and in 2.3.0 a Price lists each tax.
"""

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rating.amounts import Amount
from rating.cdr import Cdr, CdrText, Period
from rating.codes import CannotBePriced, Unpriced
from rating.decimals import decoded, number, optional_number
from rating.identifiers import folded, party
from rating.tariff_text import read_tariffs
from rating.times import instant

MOST_PERIODS = 10_000
_DECLARED = {
    "fixed": "total_fixed_cost",
    "energy": "total_energy_cost",
    "time": "total_time_cost",
    "parking": "total_parking_cost",
    "reservation": "total_reservation_cost",
}


def read_cdr(cdr: CdrText) -> Cdr:
    """Read a stored CDR; whoever cannot is told by CannotBePriced."""
    members = decoded(cdr.text)
    version = cdr.version or version_of(members)
    owner = party(members) or folded(cdr.owner)
    raw = cdr.text.encode() if isinstance(cdr.text, str) else cdr.text
    location = _object(members.get("cdr_location", members.get("location")))
    return Cdr(
        version=version,
        owner=owner,
        id=str(members.get("id", "")),
        digest=f"sha256:{hashlib.sha256(raw).hexdigest()}",
        start=instant(members.get("start_date_time")),
        end=instant(members.get("end_date_time", members.get("stop_date_time"))),
        currency=folded(members.get("currency")),
        tariffs=tuple(read_tariffs(members.get("tariffs"), version, owner)),
        periods=tuple(_periods(members.get("charging_periods"))),
        declared=_cost(members.get("total_cost")),
        declared_groups=dict(_declared_groups(members)),
        credit=members.get("credit") is True,
        token_type=str(_object(members.get("cdr_token")).get("type", "")),
        connector_id=str(location.get("connector_id", "")),
        country=folded(location.get("country")),
        time_zone=location.get("time_zone"),
    )


def version_of(members: Mapping[str, Any]) -> str:
    """Tell by the shape of its costs which version a CDR is of."""
    cost = members.get("total_cost")
    if "stop_date_time" in members or not isinstance(cost, dict | None):
        return "2.1.1"
    return "2.3.0" if cost and "before_taxes" in cost else "2.2.1"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _periods(value: object) -> Iterator[Period]:
    listed = value if isinstance(value, list) else []
    if len(listed) > MOST_PERIODS:
        raise CannotBePriced(Unpriced.TOO_LARGE, f"more than {MOST_PERIODS} charging periods")
    for place, each in enumerate(listed):
        if not isinstance(each, dict):
            raise CannotBePriced(Unpriced.TIMES, f"charging period {place + 1} is no object")
        named = each.get("tariff_id")
        yield Period(
            place,
            instant(each.get("start_date_time")),
            _dimensions(each.get("dimensions")),
            folded(named) if named else None,
        )


def _dimensions(value: object) -> dict[str, Decimal]:
    """Read the volumes of a period; a dimension that is there twice is added up."""
    found: dict[str, Decimal] = {}
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            kind, volume = str(each.get("type")), number(each.get("volume"))
            found[kind] = found[kind] + volume if kind in found else volume
    return found


def _cost(value: object) -> Amount | None:
    """Read a cost: a number without VAT, a Price of 2.2.1, or a Price of 2.3.0 with its taxes."""
    if not isinstance(value, dict):
        return None if value is None else Amount(number(value), None)
    if "before_taxes" not in value:
        excl = optional_number(value.get("excl_vat"))
        return Amount(excl, optional_number(value.get("incl_vat")))
    excl, taxes = number(value["before_taxes"]), value.get("taxes")
    if not isinstance(taxes, list):
        return Amount(excl, None)
    return Amount(excl, sum((number(_object(tax).get("amount")) for tax in taxes), excl))


def _declared_groups(members: Mapping[str, Any]) -> Iterator[tuple[str, Amount]]:
    for group, name in _DECLARED.items():
        cost = _cost(members.get(name))
        if cost is not None:
            yield group, cost
