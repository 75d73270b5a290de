"""Which Tariff each charging period is priced by.

Specification: mod_cdrs, ChargingPeriod.tariff_id; mod_tariffs, Tariff: the one that was valid when
the session started stays until its end, whatever happens to it meanwhile.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from rating.cdr import Cdr
from rating.codes import CannotBePriced, Unpriced
from rating.identifiers import folded
from rating.tariff import Tariff
from rating.tariff_text import read_tariff_text
from rating.times import EPOCH

_NO_CONNECTOR = "#NA"
_AD_HOC, _REGULAR, _PROFILE = "AD_HOC_PAYMENT", "REGULAR", "PROFILE_"


class StoredTariff(NamedTuple):
    """One text of a Tariff that its owner sent: since when it is known, and until when it was.

    `owner` is `NL-CPA`; `until` is when a newer text replaced it or it was deleted.
    """

    id: str
    owner: str
    text: str | bytes
    version: str = "2.2.1"
    since: datetime | None = None
    until: datetime | None = None


class Place(NamedTuple):
    """What is known of where and how a session took place, beside its CDR.

    `evse_time_zone` is that of the stored Location that has the EVSE; `tariff_ids` are the
    connector's; `preference` is the charging preference of the Session, `PROFILE_GREEN`.
    """

    evse_time_zone: str | None = None
    tariff_ids: tuple[str, ...] = ()
    preference: str | None = None


class Choice(NamedTuple):
    """The Tariff of each period, None where there is none; others that would have fitted."""

    of_periods: list[Tariff | None]
    others: list[Tariff]

    def used(self) -> list[Tariff]:
        """Return each Tariff that prices a period, once, in the order of the periods."""
        return list({id(each): each for each in self.of_periods if each is not None}.values())


def choose(cdr: Cdr, stored: Sequence[StoredTariff], place: Place) -> Choice:
    """Take the Tariffs that periods name; if none names one, the one valid at the start.

    Without a connector, `#NA` after a mere reservation, the CDR carries them itself.
    """
    if cdr.connector_id == _NO_CONNECTOR:
        stored = ()
    names = {period.tariff_id for period in cdr.periods} - {None}
    if names:
        named = {name: _named(cdr, str(name), stored) for name in names}
        return Choice([named.get(period.tariff_id) for period in cdr.periods], [])
    fitting = _fitting(cdr, stored, place)
    if not fitting:
        raise CannotBePriced(Unpriced.NO_TARIFF, "no tariff is valid at the start of the session")
    first, *others = sorted(fitting, key=lambda each: -(each.start or 0))
    return Choice([first] * len(cdr.periods), others)


def _named(cdr: Cdr, name: str, stored: Sequence[StoredTariff]) -> Tariff:
    inside = [each for each in cdr.tariffs if each.key == name]
    if inside:
        return next((each for each in inside if _valid(each, cdr)), inside[0])
    found = _version_at_start(cdr, name, stored, strict=False)
    if found is None:
        raise CannotBePriced(Unpriced.TARIFF_UNKNOWN, f"tariff {name} is known nowhere")
    return found


def _fitting(cdr: Cdr, stored: Sequence[StoredTariff], place: Place) -> list[Tariff]:
    """Return the Tariffs a session may be priced by if no period names one.

    Of the CDR's own list a wrong type is better than none: the CPO has priced by it.
    """
    if cdr.tariffs:
        valid = [each for each in cdr.tariffs if _valid(each, cdr)]
        return [each for each in valid if _is_meant(each, cdr, place)] or valid
    known = (_version_at_start(cdr, folded(n), stored, strict=True) for n in place.tariff_ids)
    found = [each for each in known if each is not None]
    return [each for each in found if _valid(each, cdr) and _is_meant(each, cdr, place)]


def _valid(tariff: Tariff, cdr: Cdr) -> bool:
    """`end_date_time` is the time after which it is not valid: itself it still is."""
    began = tariff.start is None or tariff.start <= cdr.start
    return began and (tariff.end is None or cdr.start <= tariff.end)


def _is_meant(tariff: Tariff, cdr: Cdr, place: Place) -> bool:
    """Tell whether the type of a Tariff is that of the session."""
    if tariff.kind == _AD_HOC:
        return cdr.token_type == "AD_HOC_USER"  # noqa: S105  # a type, not a token
    if (tariff.kind or "").startswith(_PROFILE):
        return tariff.kind == place.preference
    return tariff.kind in (None, _REGULAR)


def _version_at_start(
    cdr: Cdr, name: str, stored: Sequence[StoredTariff], *, strict: bool
) -> Tariff | None:
    """Return the text that was in force at the start, else the first later one (RN-01).

    One that was gone before is none, unless the CDR names it.
    """
    start = EPOCH + timedelta(seconds=cdr.start)
    versions = [each for each in stored if _is_of(each, name, cdr.owner)]
    in_force = [e for e in versions if _from(e) <= start and (e.until is None or start < e.until)]
    if in_force:
        return _read(max(in_force, key=_from))
    later = sorted((each for each in versions if _from(each) > start), key=_from)
    earlier = [] if strict else sorted(versions, key=_from, reverse=True)
    return next((replace(_read(e), version_unsure=True) for e in (*later, *earlier)), None)


def _from(each: StoredTariff) -> datetime:
    return each.since or EPOCH


def _is_of(each: StoredTariff, name: str, owner: str) -> bool:
    return folded(each.id) == name and (not owner or folded(each.owner) == owner)


def _read(stored: StoredTariff) -> Tariff:
    return read_tariff_text(stored.text, stored.version, owner=folded(stored.owner))
