"""Drivers: the ids that name one, and the tokens, Sessions and CDRs with these ids.

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
"""No driver has more: an id that more tokens have is a company's, or a placeholder."""
_MOST_ROUNDS = 4
"""How often new ids are followed to further ones, from a uid to its contract and so on."""
_TYPE_SEPARATOR = "\x1f"
"""In the key of a token that is not RFID, between uid and type."""


@dataclass(frozen=True)
class Driver:
    """The ids of one driver: uids and contract ids, folded, and the visual numbers of cards.

    `party` is the eMSP whose driver it is, empty for any. With `by_uid` no further ids are looked
    for: the contract may be shared with others.
    """

    uids: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()
    visual_numbers: frozenset[str] = frozenset()
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
        """Return the driver with these ids; ValueError if no id is usable."""
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
        return self.uids | self.contracts | self.visual_numbers

    @cached_property
    def holders(self) -> list[str]:
        """The holders of the driver's eMSP, one for each platform it is or was at."""
        return holders.names(PartyRef.parse(self.party)) if self.party else []

    @cached_property
    def matcher(self) -> IdentifierMatcher:
        """How the driver is found in texts."""
        return IdentifierMatcher(self.values)

    def is_named_by(self, key: str) -> bool:
        """Return whether the key of a token, of whichever type, is one of the driver's."""
        return key.partition(_TYPE_SEPARATOR)[0] in self.uids

    def __str__(self) -> str:
        ids = sorted(self.uids) or sorted(self.contracts)
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        return f"{mask_value(ids[0])}{more}{f' of {self.party}' if self.party else ''}"


def resolved(named: Driver) -> Driver:
    """Add the ids found together with the known ones; ValueError if too many for one driver."""
    known = named
    for _ in range(_MOST_ROUNDS):
        wider = _with_ids_of_charged(_with_ids_of_tokens(known))
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
    # The index is on the last characters, which the console shows: it finds …B2C3 for 04A1B2C3.
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


def _with_ids_of_tokens(driver: Driver) -> Driver:
    rows = tokens(driver).values_list("object_key", "contract_id", "text")[: MOST_TOKENS + 1]
    found = list(rows)
    if len({key for key, _, _ in found}) > MOST_TOKENS:
        raise ValueError(
            f"more than {MOST_TOKENS} tokens bear these ids: that is no one driver. Name uids, and"
            " leave their contract out with --by-uid"
        )
    numbers = {number for *_, text in found if (number := _visual_number(text))}
    wider = replace(driver, visual_numbers=driver.visual_numbers | numbers)
    pairs = ((key.partition(_TYPE_SEPARATOR)[0], contract) for key, contract, _ in found)
    return _with_pairs(wider, pairs)


def _with_ids_of_charged(driver: Driver) -> Driver:
    for model in CHARGED:
        pairs = charged(driver, model).values_list("token_key", "contract_key").distinct()
        driver = _with_pairs(driver, pairs.order_by()[: MOST_TOKENS + 1])
    return driver


def _with_pairs(driver: Driver, pairs: Iterable[tuple[str, str]]) -> Driver:
    """Add pairs of uid and contract id; ValueError if there are too many for one driver."""
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


def _visual_number(text: str) -> str:
    found = msgspec.json.decode(text).get("visual_number")
    return found if isinstance(found, str) and is_identifying(found) else ""
