"""How the text of a Tariff is read, of whichever version it is.

Specification: mod_tariffs. 2.1.1 has no VAT, no limits and no validity; 2.3.0 says by
`tax_included` what prices mean, and calls the two sides of a limit `before_taxes` and
`after_taxes`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from rating.codes import CannotBePriced, Unpriced
from rating.decimals import decoded, number, optional_number, whole
from rating.identifiers import folded, party
from rating.restrictions import read_restrictions
from rating.tariff import Component, Element, Limit, Tariff, Tax
from rating.times import optional_instant

MOST_ELEMENTS = 1000
MOST_ELEMENTS_OF_CDR = 5000
_TAX_INCLUDED = {"YES": Tax.INCLUDED, "NO": Tax.ADDED_BY_LAW, "N/A": Tax.NONE}


def read_tariff_text(text: str | bytes, version: str, *, owner: str = "") -> Tariff:
    """Read a stored Tariff."""
    return read_tariff(decoded(text), version, owner=owner, source="store")


def read_tariff(
    members: Mapping[str, Any], version: str, *, owner: str = "", source: str = "cdr"
) -> Tariff:
    """Read a Tariff; without an owner of its own, as in 2.1.1, it is the CDR's owner's."""
    return Tariff(
        id=str(members.get("id", "")),
        owner=party(members) or owner,
        currency=str(members.get("currency", "")).upper(),
        kind=folded(members.get("type")) or None,
        start=optional_instant(members.get("start_date_time")),
        end=optional_instant(members.get("end_date_time")),
        min_price=_limit(members.get("min_price")),
        max_price=_limit(members.get("max_price")),
        tax=_tax(members, version),
        has_text=bool(members.get("tariff_alt_text") or members.get("tariff_alt_url")),
        elements=tuple(_elements(members.get("elements"))),
        members=members,
        source=source,
    )


def _tax(members: Mapping[str, Any], version: str) -> Tax:
    if "tax_included" in members:
        return _TAX_INCLUDED.get(folded(members["tax_included"]), Tax.ADDED_BY_LAW)
    if version == "2.1.1":
        return Tax.UNKNOWN
    return Tax.ADDED_BY_LAW if version == "2.3.0" else Tax.ADDED


def _limit(value: object) -> Limit | None:
    """Read a Price of 2.2.1 or a PriceLimit of 2.3.0."""
    if not isinstance(value, dict):
        return None
    excl = value.get("before_taxes", value.get("excl_vat"))
    incl = value.get("after_taxes", value.get("incl_vat"))
    return Limit(optional_number(excl), optional_number(incl))


def _elements(value: object) -> Iterator[Element]:
    if not isinstance(value, list):
        return
    if len(value) > MOST_ELEMENTS:
        raise CannotBePriced(Unpriced.TOO_LARGE, f"more than {MOST_ELEMENTS} elements")
    for place, each in enumerate(value):
        if not isinstance(each, dict):
            raise CannotBePriced(Unpriced.CONTRADICTION, f"element {place + 1} is no object")
        components = list(_components(each.get("price_components")))
        first = {component.kind: component for component in reversed(components)}
        restrictions = read_restrictions(each.get("restrictions"))
        yield Element(place, first, restrictions, len(first) < len(components))


def _components(value: object) -> Iterator[Component]:
    for place, each in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(each, dict):
            raise CannotBePriced(Unpriced.CONTRADICTION, "a price component is no object")
        yield Component(
            kind=str(each.get("type")),
            price=number(each.get("price")),
            vat=optional_number(each.get("vat")),
            step_size=whole(each.get("step_size") or Decimal(0)),
            place=place,
        )


def digest(members: Mapping[str, Any]) -> str:
    """Name a Tariff by its content: SHA-256 of its members, sorted, numbers as they are written."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def read_tariffs(value: object, version: str, owner: str) -> Iterable[Tariff]:
    """Read the Tariffs inside a CDR."""
    listed = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    if sum(1 + _length(each.get("elements")) for each in listed) > MOST_ELEMENTS_OF_CDR:
        words = f"more than {MOST_ELEMENTS_OF_CDR} elements and tariffs"
        raise CannotBePriced(Unpriced.TOO_LARGE, words)
    return [read_tariff(each, version, owner=owner) for each in listed]


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0
