"""Drivers: the tokens and contracts that name one, and the objects that name those.

Spec: 2.2.1 mod_tokens, CdrToken. A uid leads to its contract, a contract to its other tokens.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import msgspec
from django.db.models import Q, QuerySet
from django.db.models.functions import Right, Upper

from hub.masking.personal import mask_value
from hub.models import Cdr, Session, Token
from hub.models.charging import ENDING, Charged
from hub.store.anonymity import is_identifying
from hub.store.identifier_matcher import IdentifierMatcher
from hub.store.identity import any_variant
from ocpi.types import PartyRef, fold
from parties import holders

CHARGED: tuple[type[Charged], ...] = (Session, Cdr)
MOST_TOKENS = 100
"""No driver has more: an id that stands on more is a company's, or one that means nothing."""
_ROUNDS = 4
_VARIANT = "\x1f"


@dataclass(frozen=True)
class Driver:
    """What names one driver: uids and contract ids, folded, and numbers printed on cards.

    `party` is the eMSP whose driver it is, empty for any. `by_uid` alone leaves the contract out.
    """

    uids: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    party: str = ""
    by_uid: bool = False

    @classmethod
    def named(
        cls,
        uids: Iterable[str] = (),
        contracts: Iterable[str] = (),
        *,
        party: str = "",
        by_uid: bool = False,
    ) -> Self:
        """Return who is named by whole ids; ValueError when nobody is."""
        ids = [
            frozenset(fold(each) for each in given if is_identifying(each))
            for given in (uids, contracts)
        ]
        if not any(ids):
            raise ValueError("name the driver by the uid of a token, or by a contract id")
        key = str(PartyRef.parse(party)) if party else ""
        return cls(ids[0], ids[1], party=key, by_uid=by_uid)

    @cached_property
    def values(self) -> frozenset[str]:
        """Everything that names the driver."""
        return self.uids | self.contracts | self.numbers

    @cached_property
    def holders(self) -> list[str]:
        """Under which names the hub files what is of the driver's eMSP, at whichever platform."""
        return holders.names(PartyRef.parse(self.party)) if self.party else []

    @cached_property
    def matcher(self) -> IdentifierMatcher:
        """How the driver is found in texts."""
        return IdentifierMatcher(self.values)

    def is_named_by(self, key: str) -> bool:
        """Return whether the key of a token, of whichever type, is one of the driver's."""
        return key.partition(_VARIANT)[0] in self.uids

    def __str__(self) -> str:
        ids = sorted(self.uids) or sorted(self.contracts)
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        return f"{mask_value(ids[0])}{more}{f' of {self.party}' if self.party else ''}"


def resolved(named: Driver) -> Driver:
    """Follow what names a driver until nothing new comes up; ValueError when that is no driver."""
    known = named
    for _ in range(_ROUNDS):
        wider = _with_what_is_charged(_with_tokens(known))
        if wider == known:
            break
        known = wider
    return known


def tokens(driver: Driver) -> QuerySet[Token]:
    """Select the driver's tokens, of any type and audience."""
    rows = Token.objects.alias(
        ending=Upper(Right("object_id", ENDING)), contract=Upper("contract_id")
    )
    owned = rows.filter(owner__in=driver.holders) if driver.party else rows
    # The index is on endings, which is what the console shows; for 04A1B2C3 it finds all …B2C3.
    either = Q(ending__in={uid[-ENDING:] for uid in driver.uids}) & _of_any_type(driver.uids)
    if driver.contracts:
        either |= Q(contract__in=driver.contracts)
    return owned.filter(either)


def charged(driver: Driver, model: type[Charged]) -> QuerySet[Any]:
    """Select the driver's sessions or CDRs."""
    rows: QuerySet[Any] = model._default_manager.all()  # noqa: SLF001 - a documented name of Django
    owned = rows.filter(recipient__in=driver.holders) if driver.party else rows
    by_contract = Q(contract_key__in=driver.contracts) & ~Q(contract_key="")
    return owned.filter(Q(token_key__in=driver.uids) | by_contract)


def _of_any_type(uids: Collection[str]) -> Q:
    found = Q(object_key__in=uids)
    for uid in uids:
        found |= Q(object_key__startswith=any_variant(uid)[1])
    return found


def _with_tokens(driver: Driver) -> Driver:
    rows = tokens(driver).values_list("object_key", "contract_id", "text")[: MOST_TOKENS + 1]
    found = list(rows)
    if len({key for key, _, _ in found}) > MOST_TOKENS:
        raise ValueError(
            f"more than {MOST_TOKENS} tokens bear these ids: that is no one driver. Name uids, and"
            " leave their contract out with --by-uid"
        )
    numbers = {number for *_, text in found if (number := _number(text))}
    wider = replace(driver, numbers=driver.numbers | numbers)
    return _widened(wider, ((key.partition(_VARIANT)[0], contract) for key, contract, _ in found))


def _with_what_is_charged(driver: Driver) -> Driver:
    for model in CHARGED:
        pairs = charged(driver, model).values_list("token_key", "contract_key").distinct()
        driver = _widened(driver, pairs.order_by()[: MOST_TOKENS + 1])
    return driver


def _widened(driver: Driver, pairs: Iterable[tuple[str, str]]) -> Driver:
    """Add the uids and contract ids that stand together with those that are known."""
    if driver.by_uid:
        return driver
    named = [(fold(uid), fold(contract)) for uid, contract in pairs]
    uids = driver.uids | {uid for uid, _ in named if is_identifying(uid)}
    if len(uids) > MOST_TOKENS:
        raise ValueError(
            f"more than {MOST_TOKENS} uids bear this contract id: that is no one driver"
        )
    contracts = {contract for _, contract in named if is_identifying(contract)}
    return replace(driver, uids=uids, contracts=driver.contracts | contracts)


def _number(text: str) -> str:
    found = msgspec.json.decode(text).get("visual_number")
    return found if isinstance(found, str) and is_identifying(found) else ""
