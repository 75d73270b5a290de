"""The books of the demo, and whether they balance: by the reports of a CPO and its eMSPs.

What all may see is equal everywhere; a session and its CDR are with the eMSP of their token and
with nobody else; every completed session was billed once, and both sides add up to the same. Every
kind of remote order was carried out at least once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.demo.compare_holdings import Report, differences

_SHARED = ("tariffs", "locations")
_PERSONAL = ("sessions", "cdrs")
_OF_DRIVER = ("START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION")
_OF_SCSP = ("set profile", "active profile")
_ASKED = "AUTH_REQUEST"
"""The `auth_method` of a session whose card the eMSP was asked about."""
Objects = dict[str, Any]


@dataclass(slots=True)
class Account:
    """What was charged by one eMSP's drivers in one currency."""

    count: int = 0
    kwh: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def __str__(self) -> str:
        return f"{self.count} for {self.kwh.normalize():f} kWh and {self.cost:.4f}"


@dataclass(frozen=True, slots=True)
class Books:
    """The reports of a CPO, of its eMSPs and of an SCSP."""

    cpo: Report
    emsps: Sequence[Report]
    scsp: Report

    def faults(self) -> list[str]:
        """Return everything that does not balance, in words."""
        return [
            *self._shared(),
            *self._tokens(),
            *self._personal(),
            *self._billing(),
            *self._sums(),
            *self._findings(),
            *self._business(),
            *self._orders(),
        ]

    def totals(self) -> list[str]:
        """Say what each eMSP was billed."""
        return [
            f"{emsp['party']}: {account} {currency} with VAT"
            for emsp in self.emsps
            for currency, account in sorted(_billed(objects(emsp, "cdrs")).items())
        ]

    def _shared(self) -> Iterator[str]:
        for emsp in self.emsps:
            for module in _SHARED:
                yield from _between(module, objects(self.cpo, module), objects(emsp, module), emsp)

    def _tokens(self) -> Iterator[str]:
        issued: Objects = {}
        for emsp in self.emsps:
            issued |= objects(emsp, "tokens")
            yield from (
                f"{emsp['party']} holds token {name}, which is not its own"
                for name, each in objects(emsp, "tokens").items()
                if _party(each) != emsp["party"]
            )
        yield from _between("tokens", issued, objects(self.cpo, "tokens"), self.cpo)

    def _personal(self) -> Iterator[str]:
        for emsp in self.emsps:
            for module in _PERSONAL:
                held = objects(emsp, module)
                foreign = [name for name, each in held.items() if not _is_for(emsp, each)]
                yield from (f"{emsp['party']} holds what is not for it: {name}" for name in foreign)
                own = {name: each for name, each in held.items() if name not in foreign}
                yield from _between(module, self._of(emsp, module), own, emsp)

    def _billing(self) -> Iterator[str]:
        bills = Counter(each["session_id"] for each in objects(self.cpo, "cdrs").values())
        completed = {
            each["id"] for each in objects(self.cpo, "sessions").values() if _is_over(each)
        }
        for name in sorted(completed | bills.keys()):
            if name not in completed:
                yield f"session {name} is not completed, but was billed"
            elif bills[name] != 1:
                yield f"session {name} is completed and has {bills[name]} CDRs"

    def _sums(self) -> Iterator[str]:
        for emsp in self.emsps:
            over = {n: each for n, each in self._of(emsp, "sessions").items() if _is_over(each)}
            sold, billed = _charged(over), _billed(objects(emsp, "cdrs"))
            for currency in sorted(sold.keys() | billed.keys()):
                here, there = (each.get(currency, Account()) for each in (sold, billed))
                if here != there:
                    yield f"{currency} of {emsp['party']}: sessions {here}, CDRs {there}"

    def _findings(self) -> Iterator[str]:
        for emsp in self.emsps:
            for name in objects(emsp, "cdrs"):
                found = emsp["findings"].get(name)
                if found is None:
                    yield f"{emsp['party']} could not check CDR {name} yet"
                elif found:
                    yield f"{emsp['party']} disputes CDR {name}: {', '.join(found)}"

    def _business(self) -> Iterator[str]:
        """Demand some business: empty books balance, too."""
        for emsp in self.emsps:
            if not objects(emsp, "cdrs"):
                yield f"{emsp['party']} was billed for nothing"
            if all(each["valid"] for each in objects(emsp, "tokens").values()):
                yield f"{emsp['party']} blocked no token"
        if not objects(self.cpo, "locations") or not objects(self.cpo, "tariffs"):
            yield f"{self.cpo['party']} offers nothing"

    def _orders(self) -> Iterator[str]:
        """Demand every remote order once, and a card that its eMSP was asked about."""
        ordered = [*((emsp, _OF_DRIVER) for emsp in self.emsps), (self.scsp, _OF_SCSP)]
        for report, names in ordered:
            for name in names:
                if "ACCEPTED" not in report["outcomes"].get(name, ()):
                    yield f"nothing came of {name} by {report['party']}"
        if all(each["auth_method"] != _ASKED for each in objects(self.cpo, "cdrs").values()):
            yield f"{self.cpo['party']} asked about no card before it billed"

    def _of(self, emsp: Report, module: str) -> Objects:
        """Return what the CPO owns and this eMSP is to have."""
        owned = objects(self.cpo, module).items()
        return {name: each for name, each in owned if _is_for(emsp, each)}


def objects(report: Report, module: str) -> Objects:
    """Return the objects of a module by owner and id."""
    found: Objects = report["objects"].get(module, {})
    return found


def _between(module: str, owned: Objects, received: Objects, receiver: Report) -> Iterator[str]:
    for each in differences(owned, received):
        yield f"{module} at {receiver['party']}: {each}"


def _party(each: Objects) -> str:
    return f"{each['country_code']}-{each['party_id']}"


def _is_for(emsp: Report, each: Objects) -> bool:
    return bool(_party(each["cdr_token"]) == emsp["party"])


def _is_over(session: Objects) -> bool:
    return bool(session["status"] == "COMPLETED")


def _charged(sessions: Objects) -> dict[str, Account]:
    return _added((each["currency"], each["kwh"], each["total_cost"]) for each in sessions.values())


def _billed(cdrs: Objects) -> dict[str, Account]:
    amounts = (
        (each["currency"], each["total_energy"], each["total_cost"]) for each in cdrs.values()
    )
    return _added(amounts)


def _added(charged: Iterator[tuple[str, Any, Objects]]) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    for currency, kwh, cost in charged:
        account = accounts.setdefault(currency, Account())
        account.count += 1
        account.kwh += Decimal(kwh)
        account.cost += Decimal(cost["incl_vat"])
    return accounts
